//! Uses thread-local variables as C and nightly Rust do. Each incarnation finds the initial values
//! of these variables.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};

use microkit_console::println;
use sel4_microkit::{NullHandler, panicking, protection_domain, shared_words};

// The output of a compiler for `_Thread_local uint64_t counter = 42;` and for a zero-initialised
// array that is aligned to a cache line.
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

/// The address of a thread-local variable in this thread.
macro_rules! address {
    ($name:literal) => {{
        let address: *mut u64;
        // SAFETY: reads the thread pointer and adds the variable's offset, which the linker
        // inserts.
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
    let incarnation =
        shared_words!(incarnation, incarnation_size)[0].load(core::sync::atomic::Ordering::Relaxed);
    let (counter, line) = (
        address!("thread_local_counter"),
        address!("thread_local_line"),
    );
    assert!(line.addr().is_multiple_of(64));
    // SAFETY: the variables belong to this thread and have these sizes. No other reference to the
    // variables exists.
    let (counter, line) = unsafe { (&mut *counter, core::slice::from_raw_parts_mut(line, 8)) };
    println!("incarnation {incarnation}: {counter}, {line:?}");
    *counter += 1;
    line.fill(7);
    println!("incarnation {incarnation}: {counter}, {line:?}");
    assert!(incarnation >= 2, "panics to be restarted");
    NullHandler::new()
}
