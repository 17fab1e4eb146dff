//! Has thread-local variables, as C and nightly Rust have them. Each incarnation finds them as they
//! were at first.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};

use microkit_console::println;
use sel4_microkit::{NullHandler, panicking, protection_domain, shared_words};

// What a compiler makes of `_Thread_local uint64_t counter = 42;` and of an array that is zero and
// aligned to a cache line.
global_asm!(
    ".pushsection .tdata, \"awT\", %progbits",
    ".globl thread_local_counter",
    ".balign 8",
    "thread_local_counter:",
    ".quad 42",
    ".popsection",
    ".pushsection .tbss, \"awT\", %nobits",
    ".globl thread_local_line",
    ".balign 64",
    "thread_local_line:",
    ".skip 64",
    ".popsection",
);

/// The address of a thread-local variable of this thread.
macro_rules! address {
    ($name:literal) => {{
        let address: *mut u64;
        // SAFETY: it reads the thread pointer, and adds where the linker has put the variable.
        unsafe {
            asm!(
                "mrs {0}, tpidr_el0",
                concat!("add {0}, {0}, :tprel_hi12:", $name),
                concat!("add {0}, {0}, :tprel_lo12_nc:", $name),
                out(reg) address,
                options(nomem, nostack, preserves_flags)
            );
        }
        address
    }};
}

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&microkit_console::panic_hook);
    let life = shared_words!(life, life_size)[0].load(core::sync::atomic::Ordering::Relaxed);
    let (counter, line) = (
        address!("thread_local_counter"),
        address!("thread_local_line"),
    );
    assert!(line.addr().is_multiple_of(64));
    // SAFETY: these are the thread's own, of that size, and nothing else refers to them.
    let (counter, line) = unsafe { (&mut *counter, core::slice::from_raw_parts_mut(line, 8)) };
    println!("life {life}: {counter}, {line:?}");
    *counter += 1;
    line.fill(7);
    println!("life {life}: {counter}, {line:?}");
    assert!(life >= 2, "to be restarted");
    NullHandler::new()
}
