//! Runs the driver and its client on the host. The registers of the clock are memory there, and the
//! test writes to this memory.

use clock_protocol::ClockClient;
use microkit_test::{Explorer, Run, System};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, debug_println};

#[path = "../src/bin/clock-client.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod client;
#[path = "../src/bin/clock-driver.rs"]
#[allow(unused_attributes)]
mod driver;

const SYSTEM: &str = "../../microkit-systems/clock.system";

const EXPECTED: &str = include_str!("../../../microkit-systems/clock.expected");

const CLOCK: Channel = Channel::new(1);

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("clock-driver.elf", driver::protection_domain)
        .program("clock-client.elf", client::protection_domain)
}

/// Sets the registers `data` and `matched`. Together they are the first word of eight bytes.
fn set(run: &Run, now: u32, matched: u32) {
    let word = u64::from(matched) << 32 | u64::from(now);
    run.device("driver", "clock").write(0, word);
}

/// Returns the register `matched`.
fn matched(run: &Run) -> u32 {
    (run.device("driver", "clock").read(0) >> 32) as u32
}

#[test]
fn the_client_prints_the_same_as_on_the_target() {
    let mut run = system().start();
    // The clock wraps around between the two alarms.
    set(&run, u32::MAX - 1, 0);
    for _ in 0..2 {
        run.until_idle();
        let due = matched(&run);
        set(&run, due, due);
        run.raise_irq("driver", 0);
    }
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}

#[test]
fn the_driver_clears_the_interrupt_and_ignores_an_early_one() {
    let mut run = system().start();
    run.until_idle();
    run.raise_irq("driver", 0);
    run.until_idle();
    assert_eq!(run.log(), "client: sets an alarm\n");
    // The register `clear` is the upper half of the fourth word.
    assert_eq!(run.device("driver", "clock").read(3) >> 32, 1);
}

/// Prints each notification of the driver.
struct Ringing;

impl Handler for Ringing {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        debug_println!("rings");
        Ok(())
    }
}

/// Returns a system with the real driver, and with a client that sets one alarm. The time in the
/// register `data` does not change.
fn system_with_alarm(after_s: u32) -> System {
    system().program("clock-client.elf", move || {
        let clock = ClockClient::connect(CLOCK).expect("both were built with the same protocol");
        clock.set_alarm(after_s).expect("the driver answers");
        Ringing
    })
}

#[test]
fn an_alarm_rings_once_in_every_schedule_and_never_early() {
    for (after_s, expect) in [(0, "rings\n"), (1, "")] {
        let system = system_with_alarm(after_s);
        let explored = Explorer::new(&system)
            .interrupt("driver", 0)
            .check(|run| assert_eq!(run.log(), expect));
        println!("{explored}");
        assert!(explored.is_complete());
    }
}
