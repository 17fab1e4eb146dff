//! The snapshot of the kernel's state, for a debugger that reads the machine's memory.

use super::halt::stop;
use boot_spec::snapshot::{HEADER_WORDS, Phase, ThreadSnapshot, WORDS};
use core::sync::atomic::{AtomicU64, Ordering};
use kernel_aarch64::snapshot::of_thread;
use kernel_model::Kernel;

// SAFETY: 1. No other symbol has this name (`boot_spec::snapshot::SYMBOL`).
#[unsafe(export_name = "model_kernel_snapshot")]
static SNAPSHOT: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];

/// Sets the phase of the kernel.
pub(super) fn set_phase(phase: Phase) {
    SNAPSHOT[0].store(phase.word(), Ordering::Relaxed);
}

/// Takes the snapshot of all threads, and stops. `tables` contains the addresses of the threads'
/// page tables. The kernel does not continue, so the memory of PDs still matches the snapshot when
/// a debugger reads it.
pub(super) fn take(kernel: &Kernel, tables: &[u64]) -> ! {
    let threads = kernel.threads().zip(tables);
    let (header, slots) = SNAPSHOT.split_at(HEADER_WORDS);
    let slots = slots.chunks(ThreadSnapshot::WORDS);
    for ((thread, tables), slot) in threads.zip(slots) {
        let words = of_thread(kernel, thread, *tables).to_words();
        for (to, word) in slot.iter().zip(words) {
            to.store(word, Ordering::Relaxed);
        }
    }
    header[1].store(tables.len() as u64, Ordering::Relaxed);
    header[0].store(Phase::Taken.word(), Ordering::Release);
    stop()
}
