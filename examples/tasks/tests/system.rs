//! The tasks on the host, with a timer whose time goes on when a time-out is set.

use microkit_test::{Explorer, System};
use microkit_timer::{reply, request};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, MessageInfo, get_mr, set_mr};

#[path = "../src/bin/tasks-peer.rs"]
#[allow(unused_attributes)] // They are those of a crate.
mod peer;
#[path = "../src/bin/tasks.rs"]
#[allow(unused_attributes)] // They are those of a crate.
mod tasks;

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
        .program("console.elf", microkit_console::host::protection_domain)
        .program("timer.elf", HastyTimer::default)
        .program("tasks.elf", tasks::protection_domain)
        .program("tasks-peer.elf", peer::protection_domain)
}

#[test]
fn they_print_what_they_print_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}

/// In every schedule that seL4 has for these priorities.
#[test]
fn they_print_the_same_in_every_schedule_of_their_priorities() {
    let system = system();
    let explored = Explorer::new(&system)
        .by_priority()
        .check(|run| assert_eq!(run.log(), EXPECTED));
    println!("{explored}");
    assert!(explored.is_complete());
}

/// Whatever the priorities: questions get their own answers, what is held is drained when all have given
/// it back, and nobody waits for ever. There are more schedules than can be gone through, as every access
/// to shared memory is a step; this many are.
#[test]
fn they_print_the_same_whoever_runs_first() {
    let system = system();
    let explored = Explorer::new(&system)
        .max_runs(100)
        .samples(50, 1)
        .check(|run| assert_eq!(run.log(), EXPECTED));
    println!("{explored}");
}

/// When the peer dies, at whichever step, one task waits for it, and nobody else; what was printed is what
/// is printed first.
#[test]
fn a_peer_that_dies_takes_nobody_with_it() {
    let system = system();
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("peer")
        .check(|run| assert!(EXPECTED.starts_with(&run.log())));
    println!("{explored}");
    assert!(explored.is_complete());
}
