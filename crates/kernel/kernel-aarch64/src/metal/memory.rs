//! Memory of protection domains (PDs), as the kernel prepares it and keeps caches in step with it.

use arm_sysregs::el0::accessors::read_ctr_el0;
use core::arch::asm;
use core::ops::Range;
use core::ptr::with_exposed_provenance_mut;
use core::sync::atomic::{AtomicU64, Ordering};
use kernel_aarch64::plan::is_system_memory;
use kernel_model::CacheMaintenance;
use kernel_model::numbers::IPC_BUFFER_WORDS;

/// Clears memory.
///
/// **Panics:** for memory that is not the system's.
pub(super) fn zero(range: &Range<u64>) {
    assert!(is_system_memory(range), "{range:#x?} is to be cleared");
    let start: *mut u8 = with_exposed_provenance_mut(range.start as usize);
    let bytes = (range.end - range.start) as usize;
    // Blocks of the processor's own, if it lets us and they fit: the quickest way.
    let dczid: u64;
    // SAFETY: 1. The register says what `dc zva` does, and reading it has no effect.
    unsafe { asm!("mrs {}, dczid_el0", out(reg) dczid, options(nomem, nostack, preserves_flags)) };
    let prohibited = dczid & 1 << 4 != 0;
    let block = 4_usize << (dczid & 0xf);
    if prohibited || !start.addr().is_multiple_of(block) || !bytes.is_multiple_of(block) {
        // SAFETY: 1. This memory is there and mapped for the kernel as normal memory. 2. No Rust
        // value lives in it but IPC buffers, of which there are none before it is cleared.
        unsafe { start.write_bytes(0, bytes) };
        return;
    }
    for offset in (0..bytes).step_by(block) {
        // SAFETY: as above; 3. and a block is cleared as a whole (Arm ARM, *DC ZVA*), but it lies
        // within the range.
        unsafe { asm!("dc zva, {}", in(reg) start.add(offset), options(nostack, preserves_flags)) };
    }
}

/// Fills memory.
///
/// **Panics:** for memory that is not the system's.
pub(super) fn fill(paddr: u64, bytes: &[u8]) {
    let end = paddr.saturating_add(bytes.len() as u64);
    assert!(
        is_system_memory(&(paddr..end)),
        "{paddr:#x} is to be filled"
    );
    let to: *mut u8 = with_exposed_provenance_mut(paddr as usize);
    // SAFETY: 1. This memory is there and mapped for the kernel as normal memory. 2. No Rust value
    // lives in it but IPC buffers, of which there are none before it is filled. 3. `bytes` is in
    // memory of the kernel's, which is apart from the system's.
    unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

/// Keeps the caches in step for a range of memory; of what is not the system's memory, caches hold
/// nothing.
pub(super) fn maintain(maintenance: CacheMaintenance, range: Range<u64>) {
    if range.is_empty() || !is_system_memory(&range) {
        return;
    }
    let line = 4 << read_ctr_el0().dminline();
    let first = range.start - range.start % line;
    for address in (first..range.end).step_by(line as usize) {
        // SAFETY: 1. Maintenance by address changes nothing that the kernel could see, as the
        // memory is the system's. 2. A line of which only a part is meant is never forgotten before
        // it is written back: where data is to be forgotten, it is written back too, which is one
        // of the things that forgetting may do (Arm ARM, *Data cache maintenance*).
        unsafe {
            match maintenance {
                CacheMaintenance::Clean => {
                    asm!("dc cvac, {}", in(reg) address, options(nostack, preserves_flags));
                }
                CacheMaintenance::Invalidate | CacheMaintenance::CleanInvalidate => {
                    asm!("dc civac, {}", in(reg) address, options(nostack, preserves_flags));
                }
                CacheMaintenance::UnifyInstruction => {
                    asm!("dc cvau, {}", in(reg) address, options(nostack, preserves_flags));
                }
            }
        }
    }
    // SAFETY: 1. Barriers, and forgetting instructions, change nothing that Rust could see: they
    // are fetched again. 2. All instructions are forgotten, as a PD may fetch them through an
    // address other than the kernel's.
    unsafe {
        match maintenance {
            CacheMaintenance::UnifyInstruction => {
                asm!(
                    "dsb ish",
                    "ic iallu",
                    "dsb ish",
                    "isb",
                    options(nostack, preserves_flags)
                );
            }
            _ => asm!("dsb sy", options(nostack, preserves_flags)),
        }
    }
}

/// The IPC buffer of a PD, which the PD reads and writes too.
#[derive(Debug, Copy, Clone)]
pub(super) struct IpcBuffer(&'static [AtomicU64; IPC_BUFFER_WORDS]);

impl IpcBuffer {
    /// The IPC buffer at an address.
    ///
    /// # Safety
    ///
    /// There is an IPC buffer by a [`Plan`](kernel_aarch64::plan::Plan), and memory has been
    /// prepared.
    pub(super) unsafe fn at(paddr: u64) -> Self {
        let words: *mut [AtomicU64; IPC_BUFFER_WORDS] = with_exposed_provenance_mut(paddr as usize);
        // SAFETY: 1. The plan has seen to it that this is memory of the system's, aligned to the
        // size of a buffer; it stays mapped. 2. It is initialised, and nobody in the kernel has it
        // in a reference that is not shared. 3. Others that write it, PDs, do so as another thread
        // would: the words are atomic.
        Self(unsafe { &*words })
    }

    /// A word of it; zero behind its end.
    pub(super) fn read(self, index: usize) -> u64 {
        self.0
            .get(index)
            .map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Changes a word of it, if it is not behind its end.
    pub(super) fn write(self, index: usize, value: u64) {
        if let Some(word) = self.0.get(index) {
            word.store(value, Ordering::Relaxed);
        }
    }

    /// Copies words to another.
    pub(super) fn copy(self, to: Self, indices: Range<usize>) {
        if let (Some(from), Some(to)) = (self.0.get(indices.clone()), to.0.get(indices)) {
            for (from, to) in from.iter().zip(to) {
                to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
    }
}
