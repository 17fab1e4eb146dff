//! Invocations of the hardware debug API (seL4 manual, *Debug Exceptions*): breakpoints,
//! watchpoints and single steps of a thread. All return at once.
//!
//! Only kernels with `config::HARDWARE_DEBUG_API` have them: Microkit's in the configuration
//! `debug`. Others, and the model kernel, answer `IllegalOperation`.

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{InvocationContext, Result, Word, cap};

/// Where a thread is to stop with a [`DebugException`](crate::DebugException).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Breakpoint {
    /// Before the instruction at an address.
    Instruction {
        /// The address.
        address: Word,
    },
    /// Before it accesses memory.
    Data {
        /// The address, a multiple of the size.
        address: Word,
        /// How many bytes are watched: 1, 2, 4 or 8.
        bytes: Word,
        /// Which accesses.
        on: BreakOn,
    },
}

/// Which accesses to memory stop a thread (`seL4_BreakpointAccess`).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[repr(u64)]
pub enum BreakOn {
    /// Loads.
    Read = 0,
    /// Stores.
    Write = 1,
    /// Both.
    ReadWrite = 2,
}

/// `seL4_DataBreakpoint`
const DATA: Word = 0;

/// `seL4_InstructionBreakpoint`
const INSTRUCTION: Word = 1;

impl<C: InvocationContext> cap::Tcb<C> {
    /// Sets breakpoint `number` (`seL4_TCB_SetBreakpoint`). On the CPUs that seL4 knows, 0 to 5 are
    /// for instructions and 6 to 9 for data (`sel4/arch/constants_cortex_*.h`).
    ///
    /// **Errors:** `RangeError` if there is no such breakpoint, `InvalidArgument` if it is not for
    /// that, or the size is none, `AlignmentError`, `IllegalOperation` where the kernel has none.
    #[track_caller]
    pub fn tcb_set_breakpoint(self, number: u16, breakpoint: Breakpoint) -> Result<()> {
        let number = number.into();
        let words = match breakpoint {
            Breakpoint::Instruction { address } => [number, address, INSTRUCTION, 0, 0],
            Breakpoint::Data { address, bytes, on } => [number, address, DATA, bytes, on as Word],
        };
        // SAFETY: C-3: the thread stops, with a fault.
        unsafe { self.debug(label::TCBSetBreakpoint, &words) }.map(drop)
    }

    /// Reads breakpoint `number`; `None` if it is not set (`seL4_TCB_GetBreakpoint`).
    ///
    /// Ask for a data breakpoint only after it was set once: seL4 16.0.0 was seen to halt at an
    /// assertion of its own otherwise.
    ///
    /// **Errors:** `RangeError` if there is no such breakpoint, `IllegalOperation` where the kernel
    /// has none.
    #[track_caller]
    pub fn tcb_get_breakpoint(self, number: u16) -> Result<Option<Breakpoint>> {
        let [address, kind, bytes, access, enabled] =
        // SAFETY: C-3: a breakpoint is read.
            unsafe { self.debug(label::TCBGetBreakpoint, &[number.into()]) }?;
        let on = match access {
            0 => BreakOn::Read,
            1 => BreakOn::Write,
            _ => BreakOn::ReadWrite,
        };
        Ok((enabled & 1 != 0).then_some(match kind {
            INSTRUCTION => Breakpoint::Instruction { address },
            _ => Breakpoint::Data { address, bytes, on },
        }))
    }

    /// Takes breakpoint `number` away (`seL4_TCB_UnsetBreakpoint`).
    ///
    /// **Errors:** as [`tcb_get_breakpoint`](Self::tcb_get_breakpoint).
    #[track_caller]
    pub fn tcb_unset_breakpoint(self, number: u16) -> Result<()> {
        // SAFETY: C-3: the thread stops no more.
        unsafe { self.debug(label::TCBUnsetBreakpoint, &[number.into()]) }.map(drop)
    }

    /// Has the thread stop after so many instructions, again and again; 0 ends that
    /// (`seL4_TCB_ConfigureSingleStepping`). Returns whether breakpoint `number` is used for it.
    ///
    /// **Errors:** `IllegalOperation` where the kernel has none of this.
    #[track_caller]
    pub fn tcb_configure_single_stepping(self, number: u16, instructions: Word) -> Result<bool> {
        let words = [number.into(), instructions];
        // SAFETY: C-3: the thread stops, with a fault.
        unsafe { self.debug(label::TCBConfigureSingleStepping, &words) }
            .map(|[is_used, ..]| is_used & 1 != 0)
    }

    /// # Safety
    ///
    /// The invocation breaks no memory (C-3).
    #[track_caller]
    unsafe fn debug(self, label: Word, words: &[Word]) -> Result<[Word; 5]> {
        let invocation = Invocation {
            label,
            caps: &[],
            words,
        };
        let mut answer = [0; 5];
        // SAFETY: the caller's contract.
        self.invoke(|cptr, token| unsafe { invocation.make_into(cptr, token, &mut answer) })?;
        Ok(answer)
    }
}
