//! A recursion overflows the stack. The statics of the program must not change.
//!
//! prints: used up its stack of 0x2000 bytes
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use sel4_microkit::{NullHandler, debug_println, protection_domain};

static WITNESSES: [AtomicU64; 512] = [const { AtomicU64::new(7) }; 512];

#[protection_domain(stack_size = 4096)]
fn init() -> NullHandler {
    debug_println!("{}", deeper(30));
    NullHandler::new()
}

fn deeper(depth: u64) -> u64 {
    let frame = core::hint::black_box([depth; 64]);
    assert!(WITNESSES.iter().all(|word| word.load(Ordering::Relaxed) == 7));
    match depth {
        0 => 0,
        _ => deeper(depth - 1) + frame[63],
    }
}
