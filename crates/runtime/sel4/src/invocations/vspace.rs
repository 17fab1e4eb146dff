//! VSpace invocations for cache maintenance (seL4 manual, `seL4_ARM_VSpace`).
//!
//! Each invocation acts on the addresses from `start` (inclusive) to `end` (exclusive). The range
//! must lie in one page.

use sel4_sys::invocation as label;

use super::make_in_registers;
use crate::{InvocationContext, Result, Word, cap};

impl<C: InvocationContext> cap::VSpace<C> {
    /// Cleans the data cache: writes dirty lines back to memory (`seL4_ARM_VSpace_Clean_Data`).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidArgument`](crate::Error::InvalidArgument) if the range is empty, and
    /// [`Error::RangeError`](crate::Error::RangeError) if the range is not in one page. If the
    /// range is not mapped, the call succeeds without effect.
    ///
    /// # Examples
    ///
    /// ```
    /// /// Makes `bytes` visible to a device that does not snoop the cache. They are in one page.
    /// fn publish(own: sel4::cap::VSpace, bytes: &[u8]) -> sel4::Result<()> {
    ///     let start = bytes.as_ptr().addr();
    ///     own.vspace_clean_data(start, start + bytes.len())
    /// }
    /// ```
    #[inline]
    #[track_caller]
    pub fn vspace_clean_data(self, start: usize, end: usize) -> Result<()> {
        // SAFETY: C-3: a cache may write a dirty line back at any time (Arm ARM, *Caches and memory
        // hierarchy*), so a correct program already tolerates a write-back.
        unsafe { self.maintain(label::ARMVSpaceClean_Data, start, end) }
    }

    /// Invalidates the data cache: drops all lines in the range, including dirty lines
    /// (`seL4_ARM_VSpace_Invalidate_Data`).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidArgument`](crate::Error::InvalidArgument) if the range is empty, and
    /// [`Error::RangeError`](crate::Error::RangeError) if the range is not in one page.
    ///
    /// # Safety
    ///
    /// Uncleaned writes to the range may be lost. Therefore, the cache lines that the range touches
    /// must not contain any value of this program.
    #[track_caller]
    pub unsafe fn vspace_invalidate_data(self, start: usize, end: usize) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.maintain(label::ARMVSpaceInvalidate_Data, start, end) }
    }

    /// Cleans and invalidates the data cache (`seL4_ARM_VSpace_CleanInvalidate_Data`).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidArgument`](crate::Error::InvalidArgument) if the range is empty, and
    /// [`Error::RangeError`](crate::Error::RangeError) if the range is not in one page.
    ///
    /// # Examples
    ///
    /// ```
    /// /// Writes a buffer back, and drops it from the cache, before a device writes it. The
    /// /// buffer is in one page.
    /// fn hand_over(own: sel4::cap::VSpace, buffer: &mut [u8]) -> sel4::Result<()> {
    ///     let start = buffer.as_ptr().addr();
    ///     own.vspace_clean_invalidate_data(start, start + buffer.len())
    /// }
    /// ```
    #[track_caller]
    pub fn vspace_clean_invalidate_data(self, start: usize, end: usize) -> Result<()> {
        // SAFETY: C-3: a cache may write back and drop a line at any time, as for
        // `vspace_clean_data`.
        unsafe { self.maintain(label::ARMVSpaceCleanInvalidate_Data, start, end) }
    }

    /// Unifies the instruction cache with the data cache, so that instruction fetches see earlier
    /// writes (`seL4_ARM_VSpace_Unify_Instruction`).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidArgument`](crate::Error::InvalidArgument) if the range is empty, and
    /// [`Error::RangeError`](crate::Error::RangeError) if the range is not in one page.
    ///
    /// # Examples
    ///
    /// ```
    /// /// Makes code that was written to `code` executable. It is in one page.
    /// fn publish_code(own: sel4::cap::VSpace, code: &[u32]) -> sel4::Result<()> {
    ///     let start = code.as_ptr().addr();
    ///     own.vspace_unify_instruction(start, start + size_of_val(code))
    /// }
    /// ```
    #[track_caller]
    pub fn vspace_unify_instruction(self, start: usize, end: usize) -> Result<()> {
        // SAFETY: C-3: an instruction cache may drop and reload a line at any time, as for
        // `vspace_clean_data`.
        unsafe { self.maintain(label::ARMVSpaceUnify_Instruction, start, end) }
    }

    /// # Safety
    ///
    /// The invocation must not violate memory safety (C-3).
    #[inline]
    #[track_caller]
    unsafe fn maintain(self, label: Word, start: usize, end: usize) -> Result<()> {
        let words = [start as Word, end as Word];
        // SAFETY: the caller's contract.
        self.invoke_in_registers(|cptr, token| unsafe {
            make_in_registers(label, words, cptr, token)
        })
    }
}
