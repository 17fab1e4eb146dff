//! Invocations of address spaces for cache maintenance (seL4 manual, `seL4_ARM_VSpace`).
//!
//! Each acts on the addresses from `start` up to, but not including, `end`. They must lie in one
//! page.

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
    /// [`Error::RangeError`](crate::Error::RangeError) if it is not in one page. If nothing is
    /// mapped there, the call does nothing and succeeds.
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
        // hierarchy*), so the program must be correct with that anyway.
        unsafe { self.maintain(label::ARMVSpaceClean_Data, start, end) }
    }

    /// Invalidates the data cache: drops all lines, including dirty ones
    /// (`seL4_ARM_VSpace_Invalidate_Data`).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidArgument`](crate::Error::InvalidArgument) if the range is empty, and
    /// [`Error::RangeError`](crate::Error::RangeError) if it is not in one page.
    ///
    /// # Safety
    ///
    /// Writes of this program to the range that were not cleaned may be lost. So no value of this
    /// program may be in the range, or in a cache line that the range touches.
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
    /// [`Error::RangeError`](crate::Error::RangeError) if it is not in one page.
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
        // SAFETY: C-3: a cache may write a line back and drop it at any time, as for
        // `vspace_clean_data`.
        unsafe { self.maintain(label::ARMVSpaceCleanInvalidate_Data, start, end) }
    }

    /// Unifies the instruction cache with the data: later instruction fetches see earlier writes
    /// (`seL4_ARM_VSpace_Unify_Instruction`).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidArgument`](crate::Error::InvalidArgument) if the range is empty, and
    /// [`Error::RangeError`](crate::Error::RangeError) if it is not in one page.
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
        // SAFETY: C-3: an instruction cache may drop a line, and fetch it again, at any time, as
        // for `vspace_clean_data`.
        unsafe { self.maintain(label::ARMVSpaceUnify_Instruction, start, end) }
    }

    /// # Safety
    ///
    /// The invocation breaks no memory (C-3).
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
