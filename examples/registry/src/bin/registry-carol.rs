//! Compares the cost of a lookup, in instructions, for three names that are not found: a dead
//! service, a service that this PD may not find, and an unknown name. Equal costs mean that a
//! client learns nothing about services that it may not find.
//!
//! With QEMU's `-icount shift=0` each instruction takes one nanosecond of guest time, so the
//! counter counts instructions.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use aarch64_cpu::registers::{CNTFRQ_EL0, CNTPCT_EL0, Readable};
use microkit_console::println;
use microkit_registry::{Name, Names};
use sel4_microkit::{ChannelSet, Handler, Infallible, panicking, protection_domain, waits};

microkit_system::system! {
    "registry.system", pd = "carol";
    channel REGISTRY = "registry";
}

waits! {
    in init { call REGISTRY.channel(); call microkit_console::CHANNEL; }
}

/// The number of lookups in one measurement. With this number, most measurements contain no
/// interrupt of the kernel's timer.
const LOOKUPS: u64 = 32;

/// The number of measurements of each name. The smallest result contains no timer interrupt.
const ROUNDS: usize = 32;

/// The largest difference that the resolution of the counter can cause. On QEMU's `virt` a tick is
/// 16 instructions. Each of the two compared measurements is off by up to one tick at its start and
/// one tick at its end.
const UNKNOWN: u64 = 2 * 2 * 16;

/// A granted service that is dead, a registered service that is not granted, and an unknown name.
const NAMES: [&str; 3] = ["sum", "bell", "zzz"];

#[protection_domain]
fn init() -> Carol {
    panicking::set_hook(&microkit_console::panic_hook);
    let names = Names::connect(REGISTRY).expect("both were built with the same protocol");
    // The very first lookup runs with cold caches and is not measured.
    look_up(&names, Name::new("first"));
    let took = NAMES.map(|name| {
        let name = Name::new(name);
        let rounds = [(); ROUNDS].map(|()| look_up(&names, name));
        rounds.into_iter().fold(u64::MAX, u64::min)
    });
    let is_alike = |one: u64| took.iter().all(|other| one.abs_diff(*other) < UNKNOWN);
    if took.into_iter().all(is_alike) {
        println!("carol: every lookup that finds nothing takes the same number of instructions");
    } else {
        println!("carol: {LOOKUPS} lookups of each of {NAMES:?} take {took:?} instructions");
    }
    Carol
}

/// Returns the instructions of [`LOOKUPS`] lookups, in this PD, the kernel and the registry
/// together.
#[inline(never)]
fn look_up(names: &Names<REGISTRY>, name: Name) -> u64 {
    let start = instructions();
    for _ in 0..LOOKUPS {
        assert_eq!(names.lookup(name), Ok(None));
    }
    instructions() - start
}

/// Returns the instructions since the machine started, in the resolution of the counter.
fn instructions() -> u64 {
    const PER_SECOND: u64 = 1_000_000_000;
    CNTPCT_EL0.get() * (PER_SECOND / CNTFRQ_EL0.get())
}

struct Carol;

impl Handler for Carol {
    type Error = Infallible;

    /// Ignores the notification that a granted service was registered or has died.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}
