//! Two tasks that wait for an interrupt, for the parent and for each other. The program panics at
//! the third interrupt of each incarnation.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use aarch64_cpu::registers::{CNTP_CTL_EL0, CNTP_CVAL_EL0, Writeable};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::signal::Signal;
use microkit_async::{Interrupt, Listener, NoHandler, TaskMemory, Tasks};
use microkit_console::println;
use sel4_microkit::{panicking, protection_domain, waits};

microkit_system::system! {
    "tasks-restart.system", pd = "child";
    channel PARENT = "parent";
    irq CLOCK = 30;
}

/// Priorities of tasks.
const LOW: u8 = 1;
const HIGH: u8 = 2;

static MEMORY: TaskMemory<2048> = TaskMemory::new();

/// The number of interrupts that have arrived in this incarnation.
type Ticks = Signal<NoopRawMutex, u64>;

waits! {
    in notified { call microkit_console::CHANNEL; }
}

#[protection_domain]
fn init() -> Tasks<NoHandler> {
    panicking::set_hook(&|_| println!("child: dies"));
    let tasks = Tasks::new(&MEMORY);
    let spawner = tasks.spawner();
    let ticks = spawner.keep(Ticks::new()).expect("there is room");
    let clock = Interrupt::new(CLOCK.channel()).expect("no other listener has this channel");
    let parent = Listener::new(PARENT.channel()).expect("no other listener has this channel");
    spawner
        .spawn(LOW, answer(parent, ticks))
        .expect("there is room");
    spawner
        .spawn(HIGH, count(clock, ticks))
        .expect("there is room");
    tasks
}

/// Raises the interrupt at each of the parent's notifications, and panics at the third.
async fn answer(mut parent: Listener, ticks: &'static Ticks) {
    loop {
        parent.notified().await;
        CNTP_CVAL_EL0.set(0);
        CNTP_CTL_EL0.write(CNTP_CTL_EL0::ENABLE::SET);
        let count = ticks.wait().await;
        println!("child: interrupt {count} of this incarnation");
        assert!(count < 3, "the third interrupt is the last");
        PARENT.notify();
    }
}

async fn count(mut clock: Interrupt, ticks: &'static Ticks) {
    for count in 1.. {
        clock.raised().await;
        CNTP_CTL_EL0.set(0);
        clock.acknowledge().expect("the channel is an interrupt");
        ticks.signal(count);
    }
}
