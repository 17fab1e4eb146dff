//! Two heaps share one memory.
//!
//! refused by the compiler: call to unsafe function `sel4_microkit::_private::Heap
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::_private::{Heap, HeapMemory};
use sel4_microkit::{NullHandler, protection_domain};

static MEMORY: HeapMemory<4096> = HeapMemory::new();
static ONE: Heap<4096> = Heap::new(&MEMORY);
static OTHER: Heap<4096> = Heap::new(&MEMORY);

#[protection_domain]
fn init() -> NullHandler {
    let _ = (&ONE, &OTHER);
    NullHandler::new()
}
