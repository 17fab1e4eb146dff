//! Runs the system on the host.
//!
//! On the host the statics of a program belong to the process of the test, and a restart does not
//! reset them. So the test has its own child, which has no statics.

use std::sync::atomic::Ordering;

use microkit_console::println as say;
use microkit_test::{Event, Explorer, Memory, Processor, System, UserContext};
use sel4_microkit::{
    Channel, MessageInfo, NullHandler, panicking, protection_domain, shared_words,
};

#[path = "../src/bin/restart-parent.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod parent;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/restart.system"
);

const PARENT: Channel = Channel::new(1);

/// Ends its incarnations like `restart-child`, except for ends that do not work on the host.
#[protection_domain]
fn mortal() -> NullHandler {
    panicking::set_hook(&microkit_console::panic_hook);
    let incarnation = shared_words!(incarnation, incarnation_size)[0].load(Ordering::Relaxed);
    say!("child: incarnation {incarnation}");
    match incarnation {
        0 => panic!("the first way to end"),
        1 => drop(PARENT.pp_call(MessageInfo::new(0, 0))),
        2 => PARENT.notify(),
        _ => return NullHandler::new(),
    }
    panic!("incarnation {incarnation} has not ended as intended")
}

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("restart-parent.elf", parent::protection_domain)
}

fn with_mortal() -> System {
    system().program("restart-child.elf", mortal)
}

#[test]
fn the_parent_prints_how_each_incarnation_has_ended() {
    let mut run = with_mortal().start();
    run.until_idle();
    let log = run.log();
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("incarnation "))
        .collect();
    let expect = [
        "child: incarnation 0",
        "parent: incarnation 0 has ended: a user exception",
        "child: incarnation 1",
        "parent: incarnation 1 has ended: it called, and never receives the reply",
        "child: incarnation 2",
        "parent: incarnation 2 has ended: it asked for the restart",
        "child: incarnation 3",
    ];
    assert_eq!(lines, expect);
}

/// Kills the child once more, at each step. So the planned ends come later or not at all. Asserts
/// that the parent counts every incarnation and that the last incarnation keeps running.
#[test]
fn a_child_that_dies_anywhere_is_restarted() {
    let system = with_mortal();
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("child")
        .check(|run| {
            let log = run.log();
            let ended: Vec<&str> = log.lines().filter(|line| line.contains("ended")).collect();
            assert!((3..=4).contains(&ended.len()), "{log}");
            for (incarnation, line) in ended.iter().enumerate() {
                assert!(
                    line.starts_with(&format!("parent: incarnation {incarnation} has ended: "))
                );
            }
            let incarnations = run.region("parent", "incarnation")[0].load(Ordering::Relaxed);
            assert_eq!(incarnations as usize, ended.len());
        });
    println!("{explored}");
    assert!(explored.is_complete());
    assert!(explored.schedules() > Some(10));
}

/// Accesses the page below its stack and an unmapped page elsewhere, alternately.
struct Overflowing {
    incarnation: usize,
    addresses: [u64; 2],
}

impl Processor for Overflowing {
    fn run(&mut self, context: &mut UserContext, memory: &mut Memory<'_>) -> Event {
        /// A write to an unmapped page (Arm ARM, *`ESR_EL2`*: a data abort with a translation fault).
        const WRITE_OF_NOTHING: u64 = 0x9200_0046;
        let address = self.addresses[self.incarnation % 2];
        assert_eq!(memory.perms(address), None);
        self.incarnation += 1;
        Event::of_exception(WRITE_OF_NOTHING, address, context)
    }
}

#[test]
fn the_parent_distinguishes_a_stack_overflow_from_another_fault() {
    const STACK_BYTES: u64 = 0x2000;
    let below = microkit_abi::limits::stack_top(sel4::config::USER_TOP as u64) - STACK_BYTES - 8;
    let system = system().processor("restart-child.elf", move || Overflowing {
        incarnation: 0,
        addresses: [below, 0x700_0000],
    });
    let mut run = system.start();
    while run.log().lines().count() < 3 {
        assert!(run.step(), "the system is idle too early");
    }
    let expect = [
        "parent: incarnation 0 has ended: its stack of 0x2000 bytes was too small",
        "parent: incarnation 1 has ended: a VM fault",
        "parent: incarnation 2 has ended: its stack of 0x2000 bytes was too small",
    ];
    assert_eq!(run.log().lines().collect::<Vec<_>>(), expect);
}
