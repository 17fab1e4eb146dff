//! Invocations of address spaces (seL4 manual, *seL4_ARM_VSpace*): cache maintenance.
//!
//! Each takes the addresses from `start` up to `end`, which must lie in one page.

use sel4_sys::invocation as label;

use super::make_in_registers;
use crate::{InvocationContext, Result, Word, cap};

impl<C: InvocationContext> cap::VSpace<C> {
    /// Writes dirty lines back to memory (`seL4_ARM_VSpace_Clean_Data`).
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidArgument` if the range is empty, `RangeError` if it leaves its page. Where
    /// nothing is mapped, nothing is done, and that is no error.
    #[inline]
    #[track_caller]
    pub fn vspace_clean_data(self, start: usize, end: usize) -> Result<()> {
        // SAFETY: C-3: a cache may write a dirty line back at any time (Arm ARM, *Caches and memory
        // hierarchy*): the program must be right with it anyway.
        unsafe { self.maintain(label::ARMVSpaceClean_Data, start, end) }
    }

    /// Drops lines, dirty ones too (`seL4_ARM_VSpace_Invalidate_Data`).
    ///
    /// **Blocks:** never.
    /// **Errors:** as [`vspace_clean_data`](Self::vspace_clean_data).
    ///
    /// # Safety
    ///
    /// What this program has written to the range and not cleaned may be lost: no value of this
    /// program may lie there, nor in a cache line that the range touches.
    #[track_caller]
    pub unsafe fn vspace_invalidate_data(self, start: usize, end: usize) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.maintain(label::ARMVSpaceInvalidate_Data, start, end) }
    }

    /// Writes dirty lines back, and drops them (`seL4_ARM_VSpace_CleanInvalidate_Data`).
    ///
    /// **Blocks:** never.
    /// **Errors:** as [`vspace_clean_data`](Self::vspace_clean_data).
    #[track_caller]
    pub fn vspace_clean_invalidate_data(self, start: usize, end: usize) -> Result<()> {
        // SAFETY: C-3: a cache may write a line back and drop it at any time, as for
        // `vspace_clean_data`.
        unsafe { self.maintain(label::ARMVSpaceCleanInvalidate_Data, start, end) }
    }

    /// Makes instructions see what was written (`seL4_ARM_VSpace_Unify_Instruction`).
    ///
    /// **Blocks:** never.
    /// **Errors:** as [`vspace_clean_data`](Self::vspace_clean_data).
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
