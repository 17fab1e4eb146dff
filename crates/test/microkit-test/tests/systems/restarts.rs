//! Parents that stop and restart their children.
//!
//! The statics of a program are the test's, and are not as at first in its second life: where a
//! child looks at them, the test gives another child.

use std::sync::atomic::{AtomicBool, Ordering};

use microkit_console::println as say;
use microkit_test::{Event, Explorer, Memory, Processor, System, UserContext};
use sel4_microkit::{
    Channel, Child, EntryPoint, Handler, Infallible, MessageInfo, NullHandler, RestartReply,
    debug_println, panicking, protection_domain, restart_reply, shared_words,
};

use crate::examples::{check_expected, expected, open};

const PARENT: Channel = Channel::new(1);

#[test]
fn a_passive_child_is_stopped_and_restarted_as_on_the_target() {
    check_expected("passive-child");
}

/// The priorities are part of it: the parent asks for the child's entry point before that runs.
#[test]
fn a_passive_child_counts_from_one_in_each_life_whenever_its_client_dies() {
    let system = open("passive-child");
    let expected = expected("passive-child");
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("client")
        .allow_faults()
        .check(|run| assert!(expected.starts_with(&run.log()), "{}", run.log()));
    println!("{explored}");
    assert!(explored.is_complete());
    assert!(explored.schedules() > Some(10));
}

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

fn with_mortal() -> System {
    open("restart").program("restart-child.elf", mortal)
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
        /// A write where nothing is mapped (Arm ARM, *ESR_EL2*: a data abort, a translation fault).
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
    let system = open("restart").processor("restart-child.elf", move || Overflowing {
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

/// The child finds the statics of the test, of which it tells in each life but the first of all;
/// and nothing else of an earlier one.
#[test]
fn ten_thousand_restarts_lose_no_call_and_no_notification() {
    let mut run = open("restarts").start();
    run.until_idle();
    let log = run.log();
    let statics = "parent: the child has found 0x909";
    let (found, rest): (Vec<&str>, Vec<&str>) = log.lines().partition(|line| *line == statics);
    assert!(found.len() > 9000, "{}", found.len());
    assert_eq!(rest, expected("restarts").lines().collect::<Vec<_>>());
}

const MIDDLE: Child = Child::new(1);

/// Restarts `middle`.
struct Top {
    entry_point: EntryPoint,
}

impl Handler for Top {
    type Error = Infallible;

    fn fault(&mut self, _: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        debug_println!("top: restarts middle");
        MIDDLE.restart(self.entry_point).expect("it is a child");
        Ok(None)
    }
}

/// Dies in the handler of its child's first fault, which its next incarnation answers.
struct Middle {
    has_died: &'static AtomicBool,
}

impl Handler for Middle {
    type Error = Infallible;

    fn fault(&mut self, _: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        if !self.has_died.swap(true, Ordering::Relaxed) {
            panic!("in the handler");
        }
        debug_println!("middle: its child faults again");
        Ok(None)
    }

    fn restart_reply(&self) -> Option<RestartReply> {
        Some(restart_reply!(6))
    }
}

/// The reply has no words, so that no register of the child changes, and a label that does not
/// retry an exception (seL4 manual, *Faults*).
#[test]
fn a_restart_reply_to_the_fault_of_a_child_leaves_it_stopped() {
    static HAS_DIED: AtomicBool = AtomicBool::new(false);
    let text = r#"
        <system>
            <protection_domain name="top" priority="30">
                <program_image path="top.elf" />
                <protection_domain name="middle" id="1" priority="20">
                    <program_image path="middle.elf" />
                    <protection_domain name="leaf" id="1" priority="10">
                        <program_image path="leaf.elf" />
                    </protection_domain>
                </protection_domain>
            </protection_domain>
        </system>"#;
    let quiet = || panicking::set_hook(&|_| ());
    let system = System::parse("generations.system", text)
        .unwrap()
        .program("top.elf", || Top {
            entry_point: MIDDLE.entry_point().expect("it is a child"),
        })
        .program("middle.elf", move || {
            quiet();
            debug_println!("middle: begins");
            Middle {
                has_died: &HAS_DIED,
            }
        })
        .program("leaf.elf", move || -> NullHandler {
            quiet();
            panic!("its parent answers")
        });
    let mut run = system.start();
    run.until_idle();
    assert!(HAS_DIED.load(Ordering::Relaxed));
    let log = "middle: begins\ntop: restarts middle\nmiddle: begins\n";
    assert_eq!(run.log(), log);
}
