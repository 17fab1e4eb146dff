//! Invocations of the hardware debug API (seL4 manual, *Debug Exceptions*): breakpoints,
//! watchpoints and single steps of a thread. These invocations never block.
//!
//! A kernel supports these invocations if `config::HARDWARE_DEBUG_API` is on, as in Microkit's
//! configuration `debug`. Other kernels, and the model kernel, return `IllegalOperation`.

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{InvocationContext, Result, Word, cap};

/// A breakpoint or watchpoint, where a thread stops with a
/// [`DebugException`](crate::DebugException).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Breakpoint {
    /// A breakpoint: the thread stops before the instruction at an address.
    Instruction {
        /// The address of the instruction.
        address: Word,
    },
    /// A watchpoint: the thread stops before the access to memory.
    Data {
        /// The address of the first watched byte, a multiple of `bytes`.
        address: Word,
        /// The number of bytes to watch: 1, 2, 4 or 8.
        bytes: Word,
        /// The accesses that stop the thread.
        on: BreakOn,
    },
}

/// The accesses to memory that stop a thread (`seL4_BreakpointAccess`).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[repr(u64)]
pub enum BreakOn {
    /// Loads.
    Read = 0,
    /// Stores.
    Write = 1,
    /// Loads and stores.
    ReadWrite = 2,
}

/// The kernel's number for a watchpoint (`seL4_DataBreakpoint`).
const DATA: Word = 0;

/// The kernel's number for a breakpoint (`seL4_InstructionBreakpoint`).
const INSTRUCTION: Word = 1;

impl<C: InvocationContext> cap::Tcb<C> {
    /// Sets breakpoint `number` (`seL4_TCB_SetBreakpoint`).
    ///
    /// On the CPUs that seL4 supports, numbers 0 to 5 are for instructions and 6 to 9 are for data
    /// (`sel4/arch/constants_cortex_*.h`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::RangeError`](crate::Error::RangeError) if `number` is out of range. Returns
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) if `number` is for the other kind
    /// of breakpoint, or if the size is invalid. Returns
    /// [`Error::AlignmentError`](crate::Error::AlignmentError) if the address is not a multiple of
    /// the size. Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the kernel
    /// does not support breakpoints.
    ///
    /// # Examples
    ///
    /// ```
    /// use sel4::{BreakOn, Breakpoint};
    ///
    /// /// Stops `child` with a fault when it writes to the word at `address`.
    /// fn watch(child: sel4::cap::Tcb, address: u64) -> sel4::Result<()> {
    ///     child.tcb_set_breakpoint(6, Breakpoint::Data { address, bytes: 8, on: BreakOn::Write })
    /// }
    /// ```
    #[track_caller]
    pub fn tcb_set_breakpoint(self, number: u16, breakpoint: Breakpoint) -> Result<()> {
        let number = number.into();
        let words = match breakpoint {
            Breakpoint::Instruction { address } => [number, address, INSTRUCTION, 0, 0],
            Breakpoint::Data { address, bytes, on } => [number, address, DATA, bytes, on as Word],
        };
        // SAFETY: C-3: the only effect is that the thread stops with a fault.
        unsafe { self.debug(label::TCBSetBreakpoint, &words) }.map(drop)
    }

    /// Reads breakpoint `number` (`seL4_TCB_GetBreakpoint`).
    ///
    /// Returns `None` if the breakpoint is not set. Do not read a data breakpoint that was never
    /// set, because an assertion in seL4 16.0.0 then halts the system.
    ///
    /// # Errors
    ///
    /// Returns [`Error::RangeError`](crate::Error::RangeError) if `number` is out of range, and
    /// [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the kernel does not support
    /// breakpoints.
    ///
    /// # Examples
    ///
    /// ```
    /// fn is_set(child: sel4::cap::Tcb, number: u16) -> sel4::Result<bool> {
    ///     Ok(child.tcb_get_breakpoint(number)?.is_some())
    /// }
    /// ```
    #[track_caller]
    pub fn tcb_get_breakpoint(self, number: u16) -> Result<Option<Breakpoint>> {
        let [address, kind, bytes, access, enabled] =
            // SAFETY: C-3: the invocation only reads a breakpoint.
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

    /// Clears breakpoint `number` (`seL4_TCB_UnsetBreakpoint`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::RangeError`](crate::Error::RangeError) if `number` is out of range, and
    /// [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the kernel does not support
    /// breakpoints.
    ///
    /// # Examples
    ///
    /// ```
    /// fn clear(child: sel4::cap::Tcb) -> sel4::Result<()> {
    ///     child.tcb_unset_breakpoint(0)
    /// }
    /// ```
    #[track_caller]
    pub fn tcb_unset_breakpoint(self, number: u16) -> Result<()> {
        // SAFETY: C-3: the thread no longer stops at the breakpoint.
        unsafe { self.debug(label::TCBUnsetBreakpoint, &[number.into()]) }.map(drop)
    }

    /// Configures single stepping (`seL4_TCB_ConfigureSingleStepping`).
    ///
    /// The thread stops after every `instructions` instructions. The value 0 ends single stepping.
    /// Returns whether the kernel uses breakpoint `number` for single stepping.
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the kernel does not
    /// support single stepping.
    ///
    /// # Examples
    ///
    /// ```
    /// fn step(child: sel4::cap::Tcb) -> sel4::Result<()> {
    ///     child.tcb_configure_single_stepping(0, 1)?;
    ///     child.tcb_resume()
    /// }
    /// ```
    #[track_caller]
    pub fn tcb_configure_single_stepping(self, number: u16, instructions: Word) -> Result<bool> {
        let words = [number.into(), instructions];
        // SAFETY: C-3: the only effect is that the thread stops with a fault.
        unsafe { self.debug(label::TCBConfigureSingleStepping, &words) }
            .map(|[is_used, ..]| is_used & 1 != 0)
    }

    /// # Safety
    ///
    /// The invocation must not violate memory safety (C-3).
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
