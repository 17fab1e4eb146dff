//! Runs the system `locks` on the host. The test's own timer replaces the driver and decides when
//! the child is killed.
#![forbid(unsafe_code)]

use std::fs;
use std::sync::atomic::Ordering::Relaxed;

use microkit_test::{Explorer, Run, System};
use microkit_timer::{reply, request};
use sel4_microkit::{
    Channel, ChannelSet, Handler, IrqAckError, MessageInfo, protection_domain, set_mr,
};

#[path = "../src/bin/locks-parent.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod parent;
#[path = "../src/bin/locks-party.rs"]
#[allow(unused_attributes)]
mod party;

const IRQ: Channel = Channel::new(0);
const CLIENT: Channel = Channel::new(1);

/// A timer with one time-out, which expires at the next interrupt that the test raises.
#[derive(Default)]
struct Timer {
    is_set: bool,
    is_expired: bool,
}

#[protection_domain]
fn timer_pd() -> Timer {
    Timer::default()
}

impl Handler for Timer {
    type Error = IrqAckError;

    fn notified(&mut self, _: ChannelSet) -> Result<(), IrqAckError> {
        if std::mem::take(&mut self.is_set) {
            self.is_expired = true;
            CLIENT.notify();
        }
        IRQ.irq_ack()
    }

    fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, IrqAckError> {
        let words = match info.label() {
            request::SET => {
                self.is_set = true;
                1
            }
            // The message words are the tag, the deadline and the order.
            request::EXPIRED if std::mem::take(&mut self.is_expired) => 3,
            request::EXPIRED => 0,
            _ => 1,
        };
        (0..words).for_each(|index| set_mr(index, 0));
        Ok(MessageInfo::new(reply::DONE, words))
    }
}

fn read(file: &str) -> String {
    let path = format!(
        "{}/../../microkit-systems/{file}",
        env!("CARGO_MANIFEST_DIR")
    );
    fs::read_to_string(path).expect("the file exists")
}

fn system() -> System {
    System::parse("locks.system", &read("locks.system"))
        .expect("the system file is valid")
        .program("console.elf", microkit_console::host::protection_domain)
        .program("timer.elf", timer_pd)
        .program("locks-parent.elf", parent::protection_domain)
        .program("locks-party.elf", party::protection_domain)
}

/// Kills the child ten thousand times, each time after a random number of steps of all PDs. Each
/// access to a lock or to the guarded data is a step.
#[test]
fn killed_ten_thousand_times() {
    let system = system();
    let mut run = system.start();
    // The workers' budget of 200 microseconds is ten steps.
    run.set_step_us(20);
    let mut seed = 1u64;
    let expected = read("locks.expected");
    while run.log() != expected {
        // The generator is xorshift64, by Marsaglia.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        for _ in 0..seed % 240 {
            run.step();
        }
        assert!(expected.starts_with(&run.log()), "{}", run.log());
        assert!(
            run.steps() < 10_000_000,
            "a worker waits forever: the store is {:?}",
            &run.region("b", "store")[..13]
        );
        run.raise_irq("timer", 0);
    }
}

/// Checks the store after a run. At that time a worker may be inside the lock.
fn check(run: &Run) {
    assert_eq!(run.log(), "");
    let store = run.region("b", "store");
    let sum = |from| {
        (from..from + 4)
            .map(|index: usize| store[index].load(Relaxed))
            .sum::<u64>()
    };
    let (made, taken, goods) = (sum(0), sum(4), store[8].load(Relaxed));
    // Between the two writes of a change the counts differ by one.
    assert!(
        (made - taken).abs_diff(goods) <= 1,
        "{made} made, {taken} taken, {goods} there"
    );
}

/// Explores random schedules that ignore priorities and budgets. In each schedule the child dies at
/// one more place than the parent's kills.
#[test]
fn random_schedules_with_a_death_anywhere() {
    let system = system();
    let explored = Explorer::new(&system)
        .crash("a")
        .interrupt("timer", 0)
        .depth(1500)
        .max_runs(1)
        .samples(300, 1)
        .check(check);
    println!("{explored}");
}
