//! Tests a parent that dies while it handles a fault of its child.

use std::sync::atomic::{AtomicBool, Ordering};

use microkit_test::System;
use sel4_microkit::{
    Child, EntryPoint, Handler, Infallible, MessageInfo, NullHandler, RestartReply, debug_println,
    panicking, restart_reply,
};

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

/// Dies in the handler of its child's first fault. The next incarnation answers that fault.
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

/// Asserts that the restart reply leaves the child stopped. The reply has no words, so no register
/// of the child changes. A nonzero label does not resume a child after an exception (seL4 manual,
/// *Faults*).
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
