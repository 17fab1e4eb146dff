//! Runs the system `registry` on the host. All programs are the real ones except `carol`, which
//! counts instructions.

use microkit_console::println as say;
use microkit_test::{Explorer, System};
use sel4_microkit::{ChannelSet, Handler, Infallible};

macro_rules! programs {
    ($($name:ident = $path:literal;)*) => {
        $(
            #[path = $path]
            #[allow(unused_attributes)] // Crate attributes have no effect in a module.
            mod $name;
        )*
    };
}

programs! {
    alice = "../src/bin/registry-alice.rs";
    bell = "../src/bin/registry-bell.rs";
    bob = "../src/bin/registry-bob.rs";
    keeper = "../src/bin/registry-keeper.rs";
    parent = "../src/bin/registry-parent.rs";
    registry = "../src/bin/registry.rs";
    sum = "../src/bin/registry-sum.rs";
}

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/registry.system"
);

/// Ignores the notification that the registry was restarted.
struct Idle;

impl Handler for Idle {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("registry.elf", registry::protection_domain)
        .program("registry-keeper.elf", keeper::protection_domain)
        .program("registry-parent.elf", parent::protection_domain)
        .program("registry-bell.elf", bell::protection_domain)
        .program("registry-sum.elf", sum::protection_domain)
        .program("registry-alice.elf", alice::protection_domain)
        .program("registry-bob.elf", bob::protection_domain)
        .program("registry-carol.elf", || {
            say!("carol: every lookup that finds nothing takes the same number of instructions");
            Idle
        })
}

#[test]
fn the_programs_print_the_same_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    let expected = include_str!("../../../microkit-systems/registry.expected");
    assert_eq!(run.log(), expected);
}

/// Explores every schedule that the priorities allow, and kills the bell once more at each step.
#[test]
fn each_signal_has_an_outcome_wherever_the_bell_dies_once_more() {
    let system = system();
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("bell")
        .check(|run| {
            let log = run.log();
            let count = |what| log.matches(what).count();
            assert_eq!(count("alice: Observed") + count("alice: Lost"), 5, "{log}");
            assert!(log.contains("bob: sum is not at epoch 2"), "{log}");
        });
    println!("{explored}");
    assert!(explored.is_complete());
}
