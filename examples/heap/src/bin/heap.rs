//! Allocates from its heap, frees the memory, and in the end allocates more than the heap holds.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use microkit_console::println;
use sel4_microkit::{Handler, Infallible, NullHandler, panicking, protection_domain};

const HEAP_BYTES: usize = 64 * 1024;

#[protection_domain(stack_size = 32 * 1024, heap_size = HEAP_BYTES)]
fn init() -> Box<dyn Handler<Error = Infallible>> {
    panicking::set_hook(&microkit_console::panic_hook);
    let words: BTreeMap<&str, usize> = ["one", "two", "three"].into_iter().zip(1..).collect();
    println!("a map: {words:?}");

    // The total is more than the heap holds: each page is freed before the next allocation.
    let mut bytes = 0;
    while bytes < 4 * HEAP_BYTES {
        let page = Vec::from([0xa5_u8; 4096]);
        assert!(page.iter().all(|&byte| byte == 0xa5));
        bytes += page.len();
    }
    println!("allocated and freed: {bytes} bytes, with a heap of {HEAP_BYTES}");

    let mut text = String::new();
    while text.len() < HEAP_BYTES / 4 {
        text.push_str("grows ");
    }
    println!("a string of {} bytes", text.len());

    exhaust();
    Box::new(NullHandler::new())
}

/// Allocates more than the heap has. The panic message contains the size of the allocation.
fn exhaust() {
    let too_much = Vec::<u8>::with_capacity(HEAP_BYTES + 1);
    println!("this is never printed: {}", too_much.capacity());
}
