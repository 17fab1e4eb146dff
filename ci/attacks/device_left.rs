//! The registers' type implements `Deref`. The target has a field that poses as a register.
//!
//! refused by the compiler: no field `never` on type
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::ops::Deref;

use safe_mmio::fields::ReadWrite;
use sel4_microkit::{NullHandler, device_region, protection_domain, register};

struct Other {
    never: ReadWrite<u32>,
}

static OTHER: Other = Other {
    never: ReadWrite(1),
};

#[repr(C)]
struct Registers {
    one: ReadWrite<u32>,
}

impl Deref for Registers {
    type Target = Other;

    fn deref(&self) -> &Other {
        &OTHER
    }
}

#[protection_domain]
fn init() -> NullHandler {
    let mut device = device_region!(clock, clock_size, Registers);
    register!(device, Registers, one).write(1);
    register!(device, Registers, never).write(2);
    NullHandler::new()
}
