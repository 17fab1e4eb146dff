//! Runs the tasks on the host, with a timer whose time advances when a time-out is set.

use microkit_test::{Explorer, System};
use microkit_timer::{reply, request};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, MessageInfo, get_mr, set_mr};

#[path = "../src/bin/tasks-peer.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod peer;
#[path = "../src/bin/tasks.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod tasks;

const FILE: &str = include_str!("../../../microkit-systems/tasks.system");
const EXPECTED: &str = include_str!("../../../microkit-systems/tasks.expected");

/// Replaces the driver of the timer. Each time-out expires as soon as it is set. So the schedule
/// decides whether a time-out or an answer comes first.
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
fn the_programs_print_the_same_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}

/// Explores every schedule that the priorities allow on seL4.
#[test]
fn the_programs_print_the_same_in_every_schedule_of_their_priorities() {
    let system = system();
    let explored = Explorer::new(&system)
        .by_priority()
        .check(|run| assert_eq!(run.log(), EXPECTED));
    println!("{explored}");
    assert!(explored.is_complete());
}

/// Explores schedules that ignore the priorities: each question gets its own answer, the object is
/// drained after its last holder, and no task waits forever. Each access to shared memory is a
/// step, so there are too many schedules to explore all of them. This test explores a part.
#[test]
fn the_programs_print_the_same_whoever_runs_first() {
    let system = system();
    let explored = Explorer::new(&system)
        .max_runs(100)
        .samples(50, 1)
        .check(|run| assert_eq!(run.log(), EXPECTED));
    println!("{explored}");
}

/// Kills the peer at each step. Asserts that only the task that asked the peer waits forever, and
/// that the log is a prefix of the usual log.
#[test]
fn a_peer_that_dies_blocks_only_the_task_that_asked_it() {
    let system = system();
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("peer")
        .check(|run| assert!(EXPECTED.starts_with(&run.log())));
    println!("{explored}");
    assert!(explored.is_complete());
}
