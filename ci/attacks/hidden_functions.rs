//! A program calls the hidden functions of the macros with its own addresses.
//!
//! refused by the compiler: call to unsafe function `sel4_microkit::_private::words`
//! refused by the compiler: call to unsafe function `sel4_microkit::_private::device`
//! refused by the compiler: call to unsafe function `sel4_microkit::_private::dma`
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicBool, AtomicU64};

use sel4_microkit::_private::{device, dma, words};
use sel4_microkit::{NullHandler, protection_domain};

static TAKEN: AtomicBool = AtomicBool::new(false);

#[protection_domain]
fn init() -> NullHandler {
    let words = words::<AtomicU64>(("a", 0x20_0000), ("b", 8));
    let device = device::<u64>(("a", 0x20_0000), ("b", 8), &TAKEN);
    let dma = dma(("a", 0x20_0000), ("b", 8), ("c", 1), &TAKEN);
    let _ = (words, device, dma);
    NullHandler::new()
}
