//! Looks up a service that is not there, one that is and may not be found, and a name that nobody has
//! heard of, and counts the instructions of each.
//!
//! Under QEMU's `-icount shift=0` an instruction takes a nanosecond of the guest's time, so that the
//! counter counts them.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use aarch64_cpu::registers::{CNTFRQ_EL0, CNTPCT_EL0, Readable};
use console::println;
use microkit_registry::{Name, Names};
use sel4_microkit::{ChannelSet, Handler, Infallible, panicking, protection_domain, waits};

microkit_system::system! {
    "registry.system", pd = "carol";
    channel REGISTRY = "registry";
}

waits! {
    in init { call REGISTRY.channel(); call console::CHANNEL; }
}

/// So many that a tick of the counter is less than an instruction of each.
const LOOKUPS: u64 = 128;

/// Granted and dead, there and not granted, and never heard of.
const NAMES: [&str; 3] = ["sum", "bell", "zzz"];

#[protection_domain]
fn init() -> Carol {
    panicking::set_hook(&console::panic_hook);
    let names = Names::connect(REGISTRY).expect("both are of one version");
    // What the first of all takes longer is not the registry's.
    look_up(&names, Name::new("first"));
    let took = NAMES.map(|name| look_up(&names, Name::new(name)));
    if took[0] == took[1] && took[1] == took[2] {
        println!("carol: to find nothing takes as many instructions, whatever there is");
    } else {
        println!("carol: {NAMES:?} take {took:?} instructions");
    }
    Carol
}

/// The instructions of one lookup, on average, here and in the kernel and the registry.
#[inline(never)]
fn look_up(names: &Names<REGISTRY>, name: Name) -> u64 {
    let start = instructions();
    for _ in 0..LOOKUPS {
        assert_eq!(names.lookup(name), Ok(None));
    }
    let per_lookup = instructions() - start + LOOKUPS / 2;
    per_lookup / LOOKUPS
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
