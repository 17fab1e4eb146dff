//! Looks up a service that is not there, one that is and may not be found, and a name that nobody has
//! heard of, and counts the instructions of each.
//!
//! Under QEMU's `-icount shift=0` an instruction takes a nanosecond of the guest's time, so that the
//! counter counts them.
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

/// Lookups of one name, one after another: so few that the kernel's timer does not always come
/// between.
const LOOKUPS: u64 = 32;

/// How often so many are measured: the least is that without the timer.
const ROUNDS: usize = 32;

/// What the ticks of the counter, of 16 instructions on QEMU's `virt`, leave unknown of a measurement:
/// one at the start and one at the end, of each of the two that are compared.
const UNKNOWN: u64 = 2 * 2 * 16;

/// Granted and dead, there and not granted, and never heard of.
const NAMES: [&str; 3] = ["sum", "bell", "zzz"];

#[protection_domain]
fn init() -> Carol {
    panicking::set_hook(&microkit_console::panic_hook);
    let names = Names::connect(REGISTRY).expect("both are of one version");
    // What the first of all takes longer is not the registry's.
    look_up(&names, Name::new("first"));
    let took = NAMES.map(|name| {
        let name = Name::new(name);
        let rounds = [(); ROUNDS].map(|()| look_up(&names, name));
        rounds.into_iter().fold(u64::MAX, u64::min)
    });
    let is_alike = |one: u64| took.iter().all(|other| one.abs_diff(*other) < UNKNOWN);
    if took.into_iter().all(is_alike) {
        println!("carol: to find nothing takes as many instructions, whatever there is");
    } else {
        println!("carol: {LOOKUPS} of {NAMES:?} take {took:?} instructions");
    }
    Carol
}

/// The instructions of so many lookups, here and in the kernel and the registry.
#[inline(never)]
fn look_up(names: &Names<REGISTRY>, name: Name) -> u64 {
    let start = instructions();
    for _ in 0..LOOKUPS {
        assert_eq!(names.lookup(name), Ok(None));
    }
    instructions() - start
}

/// Instructions since the machine started, to the next tick of the counter.
fn instructions() -> u64 {
    const PER_SECOND: u64 = 1_000_000_000;
    CNTPCT_EL0.get() * (PER_SECOND / CNTFRQ_EL0.get())
}

struct Carol;

impl Handler for Carol {
    type Error = Infallible;

    /// What she may find has changed.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}
