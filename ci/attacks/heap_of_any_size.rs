//! The size of a heap is not a multiple of any alignment.
//!
//! prints: the heap has 3 words, and not 1000
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::vec::Vec;

use sel4_microkit::{NullHandler, debug_println, protection_domain};

const BYTES: usize = 1001;
const KEPT: usize = 1024;

#[protection_domain(heap_size = BYTES, kept_data_size = 4 * KEPT)]
fn init() -> NullHandler {
    let words = [Box::new(1_u64), Box::new(2), Box::new(3)];
    let mut many: Vec<u64> = Vec::new();
    let refused = many.try_reserve_exact(1000).is_err();
    assert!(refused);
    debug_println!("the heap has {} words, and not 1000", words.len());
    NullHandler::new()
}
