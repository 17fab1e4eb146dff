//! A program creates capabilities from numbers, and casts capabilities to other types.
//!
//! refused by the compiler: call to unsafe function `Cap::<T>::from_bits`
//! refused by the compiler: call to unsafe function `Cap::<T, C>::cast`
//! refused by the compiler: call to unsafe function `CPtr::cast`
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4::{CPtr, cap, cap_type};
use sel4_microkit::{NullHandler, protection_domain, vspace};

#[protection_domain]
fn init() -> NullHandler {
    let one = cap::Endpoint::from_bits(3);
    let two = vspace().cast::<cap_type::Endpoint>();
    let three = CPtr::from_bits(3).cast::<cap_type::Endpoint>();
    let _ = (one, two, three);
    NullHandler::new()
}
