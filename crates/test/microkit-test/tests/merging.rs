//! Tests that merging loses no schedule. Schedules that lead to the same state continue in one run.
//! With and without merging, the number of schedules and the logs are equal.

use std::cell::RefCell;
use std::collections::BTreeSet;

use microkit_test::{Explorer, System};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, NullHandler, debug_println};

/// Makes a system whose `server` runs on its own budget, or on its client's budget if passive.
fn system(passive: &str) -> System {
    let text = format!(
        r#"
        <system>
            <protection_domain name="client" priority="100">
                <program_image path="client.elf" />
            </protection_domain>
            <protection_domain name="server" priority="101" {passive}>
                <program_image path="server.elf" />
            </protection_domain>
            <channel><end pd="client" id="1" /><end pd="server" id="1" /></channel>
        </system>"#
    );
    System::parse("merging.system", &text)
        .unwrap()
        .program("client.elf", client)
}

/// Prints on the kernel's console, and notifies the server.
fn client() -> NullHandler {
    for round in 0..6 {
        debug_println!("client {round}");
        Channel::new(1).notify();
    }
    NullHandler::new()
}

/// A handler that receives notifications.
struct Takes;

impl Handler for Takes {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        debug_println!("server");
        Ok(())
    }
}

fn check(name: &str, system: &System) {
    let explore = |explorer: Explorer<'_>| {
        let logs = RefCell::new(BTreeSet::new());
        let explored = explorer.allow_stuck().allow_faults().check(|run| {
            logs.borrow_mut().insert(run.log());
        });
        println!("{name}: {explored}");
        (explored, logs.into_inner())
    };
    let (merged, logs) = explore(Explorer::new(system));
    let (plain, all_logs) = explore(Explorer::new(system).without_merging());
    assert_eq!(merged.schedules(), plain.schedules());
    assert_eq!(plain.schedules(), Some(plain.runs() as u128));
    assert!(merged.runs() < plain.runs() / 2);
    assert_eq!(logs, all_logs);
}

#[test]
fn merging_schedules_loses_none() {
    for (name, passive) in [("active", ""), ("passive", r#"passive="true""#)] {
        check(name, &system(passive).program("server.elf", || Takes));
    }
}
