//! Runs `pong-typed` on the host, in its own system, with test clients.

use std::string::ToString;
use std::vec::Vec;
use std::{format, println};

use counter::{CounterClient, Direction, Overflow};
use microkit_protocol::{CallError, Refusal};
use microkit_test::{Explorer, System};
use sel4_microkit::{ChannelSet, Handler, Infallible, MessageInfo, debug_println};

#[path = "../src/bin/ping-typed.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod ping;
#[path = "../src/bin/pong-typed.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod pong;

microkit_system::system! {
    "ping-pong-typed.system", pd = "ping";
    channel PONG = "pong";
}

const SYSTEM: &str = "../../microkit-systems/ping-pong-typed.system";

/// Logs each notification from `pong`.
struct Ping;

impl Handler for Ping {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        debug_println!("ping: notified");
        Ok(())
    }
}

/// The system with the real `pong`, and with a client that runs `play`.
fn system(play: fn(CounterClient<PONG>)) -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("pong-typed.elf", pong::protection_domain)
        .program("ping-typed.elf", move || {
            play(CounterClient::connect(PONG).expect("both were built with the same protocol"));
            Ping
        })
}

#[test]
fn the_counter_counts_both_ways() {
    let mut run = system(|counter| {
        assert_eq!(counter.add(5), Ok(5));
        assert_eq!(counter.turn(Direction::Down), Ok(Direction::Up));
        let room = 5;
        assert_eq!(counter.add(6), Err(CallError::Method(Overflow { room })));
        assert_eq!(counter.add(5), Ok(0));
        assert_eq!(
            counter.history().map(|values| values.to_vec()),
            Ok(Vec::from([5, 0]))
        );
        debug_println!("ping: played");
    })
    .start();
    run.until_idle();
    assert_eq!(run.log(), "pong: ready\nping: played\nping: notified\n");
}

#[test]
fn a_name_is_kept() {
    let mut run = system(|counter| {
        assert_eq!(counter.name(), Ok("".try_into().expect("it fits")));
        let name = "a name of 24 letters now";
        assert_eq!(counter.rename(name.try_into().expect("it fits")), Ok(()));
        debug_println!("{}", counter.name().expect("the server answers"));
    })
    .start();
    run.until_idle();
    assert!(run.log().contains("a name of 24 letters now"));
}

#[test]
fn a_counter_forgets_the_oldest() {
    let mut run = system(|counter| {
        for _ in 0..10 {
            counter.add(1).expect("there is room");
        }
        debug_println!("{:?}", counter.history().expect("the server answers"));
    })
    .start();
    run.until_idle();
    assert!(
        run.log().contains("[3, 4, 5, 6, 7, 8, 9, 10]"),
        "{}",
        run.log()
    );
}

#[test]
fn every_schedule_gives_the_same_answers() {
    let system = system(|counter| {
        debug_println!("{:?} {:?}", counter.add(1), counter.add(2));
    });
    let explored = Explorer::new(&system).check(|run| {
        let log = run.log();
        assert!(log.contains("Ok(1) Ok(3)"), "{log}");
        assert!((1..=2).contains(&log.matches("notified").count()), "{log}");
    });
    println!("{explored}");
    assert!(explored.is_complete());
}

#[test]
fn wrong_requests_are_refused_and_the_server_stays_in_service() {
    let mut run = system(|counter| {
        let requests: [(u64, &[u64]); 6] = [
            (0, &[1]),
            (99, &[]),
            (1, &[]),
            (1, &[1, 2]),
            (2, &[3]),
            (3, &[25, 0, 0, 0]),
        ];
        for (label, words) in requests {
            let (reply, _) = PONG.pp_call_with_mrs(MessageInfo::new(label, words.len()), words);
            debug_println!("{} {}", reply.label(), reply.count());
        }
        assert_eq!(counter.add(1), Ok(1));
        debug_println!("still in service");
    })
    .start();
    run.until_idle();
    let replies = "5 0\n2 0\n3 0\n3 0\n4 0\n4 0\nstill in service\n";
    assert!(run.log().contains(replies), "{}", run.log());
}

#[test]
fn a_server_of_another_protocol_is_detected() {
    // The console answers every call with an empty message, which is not a reply of this protocol.
    assert_eq!(
        CallError::<Infallible>::Refused(Refusal::OtherVersion).to_string(),
        "client and server were built with different versions of the protocol: build both again"
    );
    let system = System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("pong-typed.elf", pong::protection_domain)
        .program("ping-typed.elf", || {
            let found = CounterClient::connect(microkit_console::CHANNEL).map(|_| ());
            debug_println!("{}", format!("{found:?}"));
            Ping
        });
    let mut run = system.start();
    run.until_idle();
    assert!(run.log().contains("Err(BadReply)"), "{}", run.log());
}

#[test]
fn the_two_print_the_same_as_on_the_target() {
    let mut run = System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("pong-typed.elf", pong::protection_domain)
        .program("ping-typed.elf", ping::protection_domain)
        .start();
    run.until_idle();
    let expected = include_str!("../../../microkit-systems/ping-pong-typed.expected");
    assert_eq!(run.log(), expected);
}
