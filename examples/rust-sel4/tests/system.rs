//! Runs the system on the host, in the kernel's schedule and in every other schedule.

use microkit_test::{Explorer, System};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, MessageInfo, debug_println};

#[path = "../src/bin/rust-sel4-client.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod client;
#[path = "../src/bin/rust-sel4-server.rs"]
#[allow(unused_attributes)]
mod server;

const SYSTEM: &str = "../../microkit-systems/rust-sel4.system";

const EXPECTED: &str = include_str!("../../../microkit-systems/rust-sel4.expected");

const SERVER: Channel = Channel::new(0);

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("rust-sel4-server.elf", server::protection_domain)
        .program("rust-sel4-client.elf", client::protection_domain)
}

#[test]
fn the_system_prints_the_same_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}

#[test]
fn every_schedule_has_the_same_replies() {
    let replies = |log: &str| -> Vec<String> {
        let lines = log.lines().filter(|line| line.contains(" is "));
        lines.map(String::from).collect()
    };
    let system = system();
    let explored =
        Explorer::new(&system).check(|run| assert_eq!(replies(&run.log()), replies(EXPECTED)));
    println!("{explored}");
    assert!(explored.is_complete());
}

/// Prints each notification of the server.
struct Asked;

impl Handler for Asked {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        debug_println!("asked for the next word");
        Ok(())
    }
}

/// The longest word has 16 bytes, in two message registers.
#[test]
fn a_message_that_is_not_a_word_is_refused() {
    let system = system().program("rust-sel4-client.elf", || {
        for (label, count) in [(16, 2), (17, 3), (9, 1), (u64::MAX >> 12, 0)] {
            let reply = SERVER.pp_call(MessageInfo::new(label, count));
            debug_println!("{}", reply.label());
        }
        Asked
    });
    let mut run = system.start();
    run.until_idle();
    let log = "server: ready\n0\n1\n1\n1\nasked for the next word\n";
    assert_eq!(run.log(), log);
}
