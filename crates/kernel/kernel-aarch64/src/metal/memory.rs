//! The memory of protection domains (PDs): initialisation, cache maintenance, and IPC buffers.

use arm_sysregs::el0::accessors::read_ctr_el0;
use core::arch::asm;
use core::ops::Range;
use core::ptr::with_exposed_provenance_mut;
use core::sync::atomic::{AtomicU64, Ordering};
use kernel_aarch64::plan::is_system_memory;
use kernel_model::CacheMaintenance;
use kernel_model::numbers::IPC_BUFFER_WORDS;

/// Clears a range of memory.
///
/// # Panics
///
/// Panics if the memory is not [for systems](is_system_memory).
pub(super) fn zero(range: &Range<u64>) {
    assert!(is_system_memory(range), "cannot clear {range:#x?}");
    let start: *mut u8 = with_exposed_provenance_mut(range.start as usize);
    let bytes = (range.end - range.start) as usize;
    // `dc zva` clears a whole block at a time and is the fastest way to clear memory. The processor
    // may prohibit `dc zva`, and the range must consist of whole blocks.
    let dczid: u64;
    // SAFETY: 1. The register describes `dc zva`. Reading the register has no effect.
    unsafe { asm!("mrs {}, dczid_el0", out(reg) dczid, options(nomem, nostack, preserves_flags)) };
    let prohibited = dczid & 1 << 4 != 0;
    let block = 4_usize << (dczid & 0xf);
    if prohibited || !start.addr().is_multiple_of(block) || !bytes.is_multiple_of(block) {
        // SAFETY: 1. This memory exists and is mapped for the kernel as normal memory. 2. The only
        // Rust values in this memory are IPC buffers. The buffers are created after the memory is
        // cleared.
        unsafe { start.write_bytes(0, bytes) };
        return;
    }
    for offset in (0..bytes).step_by(block) {
        // SAFETY: 1. and 2. as above. 3. `dc zva` clears exactly one block (Arm ARM, *DC ZVA*), and
        // the block is within the range.
        unsafe { asm!("dc zva, {}", in(reg) start.add(offset), options(nostack, preserves_flags)) };
    }
}

/// Copies bytes to memory.
///
/// # Panics
///
/// Panics if the memory is not [for systems](is_system_memory).
pub(super) fn fill(paddr: u64, bytes: &[u8]) {
    let end = paddr.saturating_add(bytes.len() as u64);
    assert!(is_system_memory(&(paddr..end)), "cannot copy to {paddr:#x}");
    let to: *mut u8 = with_exposed_provenance_mut(paddr as usize);
    // SAFETY: 1. This memory exists and is mapped for the kernel as normal memory. 2. The only Rust
    // values in this memory are IPC buffers. The buffers are created after the memory is filled. 3.
    // `bytes` is in memory of the kernel, which does not overlap memory for systems.
    unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

/// Maintains the caches for a range of memory. Ignores memory that is not [for
/// systems](is_system_memory), because such memory is never cached.
pub(super) fn maintain(maintenance: CacheMaintenance, range: Range<u64>) {
    if range.is_empty() || !is_system_memory(&range) {
        return;
    }
    let line = 4 << read_ctr_el0().dminline();
    let first = range.start - range.start % line;
    for address in (first..range.end).step_by(line as usize) {
        // SAFETY: 1. Maintenance by address changes no data that the kernel can see, because the
        // memory is for systems. 2. A line that is only partly in the range must not lose data. So
        // `Invalidate` also writes data back. The architecture permits the write-back for an
        // invalidation (Arm ARM, *Data cache maintenance*).
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
    // SAFETY: 1. Barriers and invalidation of the instruction cache have no effect that Rust can
    // see: the core fetches the instructions again. 2. The whole instruction cache is invalidated,
    // because a PD may fetch the instructions through an address other than the kernel's.
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

/// The IPC buffer of a PD. The PD reads and writes the buffer too.
#[derive(Debug, Copy, Clone)]
pub(super) struct IpcBuffer(&'static [AtomicU64; IPC_BUFFER_WORDS]);

impl IpcBuffer {
    /// Returns the IPC buffer at a physical address.
    ///
    /// # Safety
    ///
    /// The address must be the address of an IPC buffer in a [`Plan`](kernel_aarch64::plan::Plan),
    /// and the memory must have been prepared according to that plan.
    pub(super) unsafe fn at(paddr: u64) -> Self {
        let words: *mut [AtomicU64; IPC_BUFFER_WORDS] = with_exposed_provenance_mut(paddr as usize);
        // SAFETY: 1. The plan has checked that this memory is for systems and is aligned to the
        // size of a buffer. The memory stays mapped. 2. The memory is initialised, and the kernel
        // has only shared references to it. 3. PDs write the buffer as another thread would, so the
        // words are atomic.
        Self(unsafe { &*words })
    }

    /// Reads a word. Returns zero if `index` is out of range.
    pub(super) fn read(self, index: usize) -> u64 {
        self.0
            .get(index)
            .map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Writes a word. Does nothing if `index` is out of range.
    pub(super) fn write(self, index: usize, value: u64) {
        if let Some(word) = self.0.get(index) {
            word.store(value, Ordering::Relaxed);
        }
    }

    /// Copies words to another IPC buffer.
    pub(super) fn copy(self, to: Self, indices: Range<usize>) {
        if let (Some(from), Some(to)) = (self.0.get(indices.clone()), to.0.get(indices)) {
            for (from, to) in from.iter().zip(to) {
                to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
    }
}
