//! Ends each incarnation in a different way. The next incarnation checks that no state is left.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use microkit_console::println;
use sel4_microkit::{
    Channel, DeferredActionSlot, MessageInfo, NullHandler, panicking, protection_domain,
    shared_words, with_msg_regs_mut,
};

const PARENT: Channel = Channel::new(1);

/// A variable in the program's initialised data.
static DATA: AtomicU64 = AtomicU64::new(7);
/// A variable in the zero-initialised data.
static ZERO: AtomicU64 = AtomicU64::new(0);

/// A length that is not a multiple of a word.
const TABLE_BYTES: usize = 0x2_0003;
/// More initialised data than a program keeps by default: `kept_data_size` makes room for the copy.
static TABLE: [AtomicU8; TABLE_BYTES] = [const { AtomicU8::new(7) }; TABLE_BYTES];
static ZEROS: [AtomicU8; TABLE_BYTES] = [const { AtomicU8::new(0) }; TABLE_BYTES];

const HEAP_BYTES: usize = 0x4000;

#[protection_domain(heap_size = HEAP_BYTES, kept_data_size = 0x2_1000)]
fn init() -> NullHandler {
    // Fails if the hook of an earlier incarnation is still set.
    panicking::set_hook(&microkit_console::panic_hook);
    assert_eq!(DATA.swap(8, Ordering::Relaxed), 7);
    assert_eq!(ZERO.swap(1, Ordering::Relaxed), 0);
    for (table, first) in [(&TABLE, 7), (&ZEROS, 0)] {
        let is_first = |byte: &AtomicU8| byte.swap(8, Ordering::Relaxed) == first;
        assert!(table.iter().all(is_first));
    }
    // Never freed: without a reset, the heap would be exhausted in the second incarnation.
    black_box(Vec::<u8>::with_capacity(HEAP_BYTES * 3 / 4).leak());

    let region = shared_words!(incarnation, incarnation_size);
    let incarnation = region[0].load(Ordering::Relaxed);
    println!("child: incarnation {incarnation} finds its memory as at the first start");
    match incarnation {
        0 => with_msg_regs_mut(|_| panic!("inside a borrow of the message registers")),
        1 => {
            let mut slot = DeferredActionSlot::new();
            slot.defer_notify(PARENT).expect("it is a channel");
            panic!("before a deferred notification was sent")
        }
        2 => {
            // The region is mapped read-only.
            region[0].store(0, Ordering::Relaxed);
        }
        3 => {
            black_box(recurse(0));
        }
        4 => {
            PARENT.pp_call(MessageInfo::new(0, 0));
        }
        5 => {
            // The parent has a higher priority and runs at once.
            PARENT.notify();
        }
        _ => {
            println!("child: the last incarnation is done");
            return NullHandler::new();
        }
    }
    panic!("incarnation {incarnation} has not ended as intended")
}

/// Recurses until the stack overflows.
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    match black_box(depth.checked_add(1)) {
        Some(deeper) => frame[0] + recurse(deeper),
        None => 0,
    }
}
