//! Reads the kernel's measurements of this thread. In configurations other than `benchmark`, prints
//! that the kernel does not measure.
#![no_std]
#![no_main]

use microkit_console::println;
use sel4::{
    benchmark_finalize_log, benchmark_get_thread_utilisation, benchmark_null_syscall,
    benchmark_reset_log, benchmark_reset_thread_utilisation, benchmark_set_log_buffer,
    cycle_counter,
};
use sel4_microkit::{NullHandler, benchmark_tcb, protection_domain};

/// The number of measured system calls.
const CALLS: u64 = 100;

#[protection_domain]
fn init() -> NullHandler {
    // SAFETY: Microkit's kernels are built without a log, and slot 0 is empty, so the call is
    // refused.
    let set = unsafe { benchmark_set_log_buffer(sel4::Cap::from_bits(0)) };
    println!("a page for the kernel's log: {set:?}");
    match benchmark_tcb() {
        Some(tcb) => measure(tcb),
        None => println!(
            "this kernel measures nothing: {:?}, {}, {:?}",
            benchmark_reset_log(),
            benchmark_finalize_log(),
            cycle_counter()
        ),
    }
    println!("end");
    NullHandler::new()
}

fn measure(tcb: sel4::cap::Tcb) {
    benchmark_reset_thread_utilisation(tcb);
    let reset = benchmark_reset_log();
    let before = cycle_counter();
    (0..CALLS).for_each(|_| benchmark_null_syscall());
    let after = cycle_counter();
    let entries = benchmark_finalize_log();
    println!("measured: {reset:?}, entries of the log: {entries}");
    println!("the cycle counter goes on: {}", before < after);
    let Some(measured) = benchmark_get_thread_utilisation(tcb) else {
        println!("but not by thread");
        return;
    };
    let (thread, total) = (measured.thread, measured.total);
    println!("cycles of this thread: {}", thread.cycles > 0);
    println!("and in all no fewer: {}", total.cycles >= thread.cycles);
    println!("each call entered it: {}", thread.kernel_entries >= CALLS);
    println!(
        "in all no fewer did: {}",
        total.kernel_entries >= thread.kernel_entries
    );
    println!("the idle thread ran: {}", measured.idle.cycles > 0);
    benchmark_reset_thread_utilisation(tcb);
    let forgotten = benchmark_get_thread_utilisation(tcb);
    println!(
        "forgotten: {}",
        forgotten.is_some_and(|measured| measured.thread.kernel_entries < CALLS)
    );
}
