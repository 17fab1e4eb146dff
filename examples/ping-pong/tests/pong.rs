//! Runs `pong` on the host, with a test peer.

use microkit_test::{Explorer, Run, System};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, debug_println};

#[path = "../src/bin/pong.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod pong;

const FILE: &str = r#"
    <system>
        <protection_domain name="console" priority="254" passive="true">
            <program_image path="console.elf" />
        </protection_domain>
        <protection_domain name="pong" priority="101">
            <program_image path="pong.elf" />
        </protection_domain>
        <protection_domain name="peer" priority="100">
            <program_image path="peer.elf" />
        </protection_domain>
        <channel>
            <end pd="pong" id="0" pp="true" />
            <end pd="console" id="1" />
        </channel>
        <channel>
            <end pd="peer" id="1" />
            <end pd="pong" id="1" />
        </channel>
    </system>"#;

const PONG: Channel = Channel::new(1);

/// Logs each notification.
struct Peer;

/// Notifies `pong` this many times in a row.
fn peer(times: usize) -> Peer {
    (0..times).for_each(|_| PONG.notify());
    Peer
}

impl Handler for Peer {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        debug_println!("peer: notified");
        Ok(())
    }
}

fn system(times: usize) -> System {
    System::parse("pong.system", FILE)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("pong.elf", pong::protection_domain)
        .program("peer.elf", move || peer(times))
}

#[test]
fn each_notification_is_answered() {
    let mut run = system(2).start();
    run.until_idle();
    let log = "pong: ready\n     pong 1\n     pong 2\npeer: notified\n";
    assert_eq!(run.log(), log);
    let answers = run.calls("pong").filter(|call| call.notifies() == Some(1));
    assert_eq!(answers.count(), 2);
}

fn pongs(run: &Run) -> usize {
    run.log().matches("     pong").count()
}

#[test]
fn one_notification_is_answered_once_in_every_schedule() {
    let system = system(1);
    let explored = Explorer::new(&system).check(|run| {
        assert_eq!(pongs(run), 1);
        assert!(run.log().contains("peer: notified"));
    });
    println!("{explored}");
    assert!(explored.is_complete());
}

#[test]
fn two_notifications_can_arrive_as_one() {
    let system = system(2);
    let found = Explorer::new(&system)
        .try_check(|run| assert_eq!(pongs(run), 2, "two notifications, two pongs"))
        .unwrap_err();
    println!("{found}");
    // No notification is lost, but two notifications can arrive as one.
    Explorer::new(&system).check(|run| assert!((1..=2).contains(&pongs(run))));
}

#[test]
fn a_schedule_that_was_found_is_run_again() {
    let system = system(2);
    let run = Explorer::new(&system).replay(&"peer*3".parse().unwrap());
    assert_eq!(pongs(&run), 1);
}

#[test]
fn a_peer_that_dies_does_not_take_pong_with_it() {
    let system = system(2);
    let explored = Explorer::new(&system)
        .crash("peer")
        .check(|run| assert!(run.log().starts_with("pong: ready")));
    assert!(explored.is_complete());
}
