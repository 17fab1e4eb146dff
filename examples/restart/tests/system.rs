//! The system on the host.
//!
//! The statics of a program are the test's, and a restart does not reset them. So the test gives a
//! child of its own, which has none.

use std::sync::atomic::Ordering;

use microkit_console::println as say;
use microkit_test::{Event, Explorer, Memory, Processor, System, UserContext};
use sel4_microkit::{
    Channel, MessageInfo, NullHandler, panicking, protection_domain, shared_words,
};

#[path = "../src/bin/restart-parent.rs"]
#[allow(unused_attributes)] // They are those of a crate.
mod parent;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/restart.system"
);

const PARENT: Channel = Channel::new(1);

/// Ends its lives as `restart-child` does, as far as a host can.
#[protection_domain]
fn mortal() -> NullHandler {
    panicking::set_hook(&microkit_console::panic_hook);
    let life = shared_words!(life, life_size)[0].load(Ordering::Relaxed);
    say!("child: life {life}");
    match life {
        0 => panic!("no more"),
        1 => drop(PARENT.pp_call(MessageInfo::new(0, 0))),
        2 => PARENT.notify(),
        _ => return NullHandler::new(),
    }
    panic!("life {life} has not ended as it should")
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
fn a_parent_says_how_each_life_has_ended() {
    let mut run = with_mortal().start();
    run.until_idle();
    let log = run.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("life ")).collect();
    let expect = [
        "child: life 0",
        "parent: life 0 has ended: a user exception",
        "child: life 1",
        "parent: life 1 has ended: it waited for a reply, which it will not see",
        "child: life 2",
        "parent: life 2 has ended: it asked for it, and waits for ever",
        "child: life 3",
    ];
    assert_eq!(lines, expect);
}

/// One death more, anywhere: what would have come comes later, or is left out, but the parent
/// counts every life, and the last one lives.
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
            for (life, line) in ended.iter().enumerate() {
                assert!(line.starts_with(&format!("parent: life {life} has ended: ")));
            }
            let lives = run.region("parent", "life")[0].load(Ordering::Relaxed);
            assert_eq!(lives as usize, ended.len());
        });
    println!("{explored}");
    assert!(explored.is_complete());
    assert!(explored.schedules() > Some(10));
}

/// Uses the page below its stack, then a page that is nowhere, again and again.
struct Overflowing {
    life: usize,
    addresses: [u64; 2],
}

impl Processor for Overflowing {
    fn run(&mut self, context: &mut UserContext, memory: &mut Memory<'_>) -> Event {
        /// A write where nothing is mapped (Arm ARM, *`ESR_EL2`*: a data abort, a translation fault).
        const WRITE_OF_NOTHING: u64 = 0x9200_0046;
        let address = self.addresses[self.life % 2];
        assert_eq!(memory.perms(address), None);
        self.life += 1;
        Event::of_exception(WRITE_OF_NOTHING, address, context)
    }
}

#[test]
fn a_parent_tells_a_stack_that_was_too_small_from_another_fault() {
    const STACK_BYTES: u64 = 0x2000;
    let below = microkit_abi::limits::stack_top(sel4::config::USER_TOP as u64) - STACK_BYTES - 8;
    let system = system().processor("restart-child.elf", move || Overflowing {
        life: 0,
        addresses: [below, 0x700_0000],
    });
    let mut run = system.start();
    while run.log().lines().count() < 3 {
        assert!(run.step(), "it never comes to rest");
    }
    let expect = [
        "parent: life 0 has ended: its stack of 0x2000 bytes was too small",
        "parent: life 1 has ended: a VM fault",
        "parent: life 2 has ended: its stack of 0x2000 bytes was too small",
    ];
    assert_eq!(run.log().lines().collect::<Vec<_>>(), expect);
}
