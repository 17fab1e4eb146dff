//! The tasks on the host, with a timer whose time goes on when a time-out is set.

extern crate std;

use std::println;
use std::string::String;

use pd_test::{Explorer, System};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, MessageInfo, get_mr, set_mr};
use timer::{reply, request};

#[path = "../../tasks-peer/src/main.rs"]
#[allow(unused_attributes)] // They are those of a crate.
mod peer;

const FILE: &str = include_str!("../../../microkit-systems/tasks.system");
const EXPECTED: &str = include_str!("../../../microkit-systems/tasks.expected");

/// In place of the timer's driver: every time-out is due as soon as it is set. So which comes first, a
/// time-out or an answer, is a matter of who runs first.
#[derive(Default)]
struct HastyTimer {
    now_ns: u64,
}

impl Handler for HastyTimer {
    type Error = Infallible;

    fn protected(&mut self, client: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        if info.label() == request::SET {
            self.now_ns = self.now_ns.max(get_mr(0));
            client.notify();
        }
        set_mr(0, self.now_ns);
        Ok(MessageInfo::new(reply::DONE, 1))
    }

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

fn system() -> System {
    System::parse("tasks.system", FILE)
        .unwrap()
        .program("console.elf", console::host::protection_domain)
        .program("timer.elf", HastyTimer::default)
        .program("tasks.elf", super::init)
        .program("tasks-peer.elf", peer::protection_domain)
}

#[test]
fn they_print_what_they_print_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}

/// Whoever runs first, and whoever the kernel thinks has the higher priority: questions get their own
/// answers, what is held is drained when all have given it back, and nobody waits for ever.
#[test]
fn they_print_the_same_in_every_schedule() {
    let system = system();
    let explored = Explorer::new(&system)
        .max_runs(20_000)
        .check(|run| assert_eq!(run.log(), EXPECTED));
    println!("{explored}");
    assert!(explored.is_complete());
}

/// Nothing of what a peer does that dies makes the tasks wait where they should not: all that is printed
/// is what is printed first.
#[test]
fn a_peer_that_dies_is_waited_for_by_one_task_only() {
    let system = system();
    let explored = Explorer::new(&system)
        .crash("peer")
        .max_runs(20_000)
        .check(|run| {
            let log: String = run.log();
            let tasks = log.split("peer:").next().unwrap_or_default();
            assert!(EXPECTED.starts_with(tasks), "{log}");
        });
    println!("{explored}");
    assert!(explored.is_complete());
}
