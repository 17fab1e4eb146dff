//! Invocations of threads (seL4 manual, `seL4_TCB`). These invocations never block.

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{CPtr, CPtrBits, InvocationContext, Result, UserContext, Word, cap};

impl<C: InvocationContext> cap::Tcb<C> {
    /// Suspends the thread (`seL4_TCB_Suspend`).
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) if this capability is not a TCB.
    ///
    /// # Examples
    ///
    /// ```
    /// fn pause(child: sel4::cap::Tcb, work: impl FnOnce()) -> sel4::Result<()> {
    ///     child.tcb_suspend()?;
    ///     work();
    ///     child.tcb_resume()
    /// }
    /// ```
    #[track_caller]
    pub fn tcb_suspend(self) -> Result<()> {
        // SAFETY: C-3: a suspended thread does not access memory.
        unsafe { self.simple(label::TCBSuspend, &[], &[]) }
    }

    /// Resumes the thread (`seL4_TCB_Resume`).
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) if this capability is not a TCB.
    #[track_caller]
    pub fn tcb_resume(self) -> Result<()> {
        // SAFETY: C-3: the thread continues where it stopped, or repeats its blocked system call.
        unsafe { self.simple(label::TCBResume, &[], &[]) }
    }

    /// Reads the first `count` registers, in the order of [`UserContext`]
    /// (`seL4_TCB_ReadRegisters`).
    ///
    /// The other registers of the result are 0. If `suspend` is true, the call first suspends the
    /// thread.
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the thread is the
    /// caller itself, and [`Error::RangeError`](crate::Error::RangeError) if `count` exceeds the
    /// number of registers.
    #[track_caller]
    pub fn tcb_read_registers(self, suspend: bool, count: Word) -> Result<UserContext> {
        let words = &[suspend.into(), count];
        let invocation = Invocation {
            label: label::TCBReadRegisters,
            caps: &[],
            words,
        };
        let mut registers = UserContext::default();
        // SAFETY: C-3: the invocation only reads registers. A suspended thread does not access
        // memory.
        self.invoke(|cptr, token| unsafe {
            invocation.make_into(cptr, token, registers.words_mut())
        })?;
        Ok(registers)
    }

    /// Reads all registers (`seL4_TCB_ReadRegisters`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the thread is the
    /// caller itself.
    ///
    /// # Examples
    ///
    /// ```
    /// fn program_counter(child: sel4::cap::Tcb) -> sel4::Result<u64> {
    ///     let registers = child.tcb_read_all_registers(false)?;
    ///     Ok(*registers.pc())
    /// }
    /// ```
    #[track_caller]
    pub fn tcb_read_all_registers(self, suspend: bool) -> Result<UserContext> {
        self.tcb_read_registers(suspend, UserContext::COUNT as Word)
    }

    /// Writes the first `count` registers, in the order of [`UserContext`]
    /// (`seL4_TCB_WriteRegisters`).
    ///
    /// If `resume` is true, the call then resumes the thread.
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the thread is the
    /// caller itself.
    ///
    /// # Safety
    ///
    /// The thread's program must be sound when the thread resumes with these registers. The
    /// registers determine the code, the stack and the values of the thread.
    #[track_caller]
    pub unsafe fn tcb_write_registers(
        self,
        resume: bool,
        count: Word,
        registers: &mut UserContext,
    ) -> Result<()> {
        let mut words = [0; 2 + UserContext::COUNT];
        words[0] = resume.into();
        words[1] = count;
        words[2..].copy_from_slice(registers.words());
        let used = (2 + UserContext::COUNT).min(2usize.saturating_add(count as usize));
        // SAFETY: the caller's contract.
        unsafe { self.simple(label::TCBWriteRegisters, &[], &words[..used]) }
    }

    /// Writes all registers (`seL4_TCB_WriteRegisters`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the thread is the
    /// caller itself.
    ///
    /// # Safety
    ///
    /// The condition of [`tcb_write_registers`](Self::tcb_write_registers) must hold.
    ///
    /// # Examples
    ///
    /// ```
    /// /// Skips the instruction at which `child` has stopped.
    /// ///
    /// /// # Safety
    /// ///
    /// /// The program of `child` is sound without that instruction.
    /// unsafe fn skip(child: sel4::cap::Tcb) -> sel4::Result<()> {
    ///     let mut registers = child.tcb_read_all_registers(true)?;
    ///     *registers.pc_mut() += 4;
    ///     // SAFETY: the contract of this function.
    ///     unsafe { child.tcb_write_all_registers(true, &mut registers) }
    /// }
    /// ```
    #[track_caller]
    pub unsafe fn tcb_write_all_registers(
        self,
        resume: bool,
        registers: &mut UserContext,
    ) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.tcb_write_registers(resume, UserContext::COUNT as Word, registers) }
    }

    /// Sets the priority of the thread (`seL4_TCB_SetPriority`).
    ///
    /// The priority must not exceed the maximum controlled priority of `authority`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::RangeError`](crate::Error::RangeError) if `priority` is above that limit.
    ///
    /// # Examples
    ///
    /// ```
    /// /// `own` is the capability to this thread.
    /// fn lower(own: sel4::cap::Tcb, child: sel4::cap::Tcb) -> sel4::Result<()> {
    ///     child.tcb_set_priority(own, 10)
    /// }
    /// ```
    #[track_caller]
    pub fn tcb_set_priority(self, authority: cap::Tcb, priority: Word) -> Result<()> {
        // SAFETY: C-3: the invocation affects the scheduling of threads, not their memory accesses.
        unsafe { self.simple(label::TCBSetPriority, &[authority.bits()], &[priority]) }
    }

    /// Sets the maximum controlled priority of the thread (`seL4_TCB_SetMCPriority`).
    ///
    /// The priority must not exceed the maximum controlled priority of `authority`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::RangeError`](crate::Error::RangeError) if `priority` is above that limit.
    ///
    /// # Examples
    ///
    /// ```
    /// fn limit(own: sel4::cap::Tcb, child: sel4::cap::Tcb) -> sel4::Result<()> {
    ///     child.tcb_set_mc_priority(own, 100)
    /// }
    /// ```
    #[track_caller]
    pub fn tcb_set_mc_priority(self, authority: cap::Tcb, mcp: Word) -> Result<()> {
        // SAFETY: C-3: the invocation affects the scheduling of threads, not their memory accesses.
        unsafe { self.simple(label::TCBSetMCPriority, &[authority.bits()], &[mcp]) }
    }

    /// Sets the priorities, the scheduling context and the fault endpoint of the thread
    /// (`seL4_TCB_SetSchedParams`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::RangeError`](crate::Error::RangeError) if a priority is above the maximum
    /// controlled priority of `authority`. Returns
    /// [`Error::InvalidCapability`](crate::Error::InvalidCapability) if a capability is of the
    /// wrong type. Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the
    /// scheduling context is already bound.
    ///
    /// # Safety
    ///
    /// Every receiver at `fault_endpoint` must distinguish the faults of this thread from other
    /// messages. The replies set the thread's registers, and must keep the thread's program sound.
    #[track_caller]
    pub unsafe fn tcb_set_sched_params(
        self,
        authority: cap::Tcb,
        mcp: Word,
        priority: Word,
        sched_context: cap::SchedContext,
        fault_endpoint: cap::Endpoint,
    ) -> Result<()> {
        let caps = [
            authority.bits(),
            sched_context.bits(),
            fault_endpoint.bits(),
        ];
        // SAFETY: the caller's contract.
        unsafe { self.simple(label::TCBSetSchedParams, &caps, &[mcp, priority]) }
    }

    /// Sets the endpoint for timeout faults of the thread (`seL4_TCB_SetTimeoutEndpoint`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidCapability`](crate::Error::InvalidCapability) if `endpoint` is not
    /// an endpoint with write and grant rights.
    ///
    /// # Safety
    ///
    /// Every receiver at `endpoint` must distinguish the timeout faults of this thread from other
    /// messages. The replies set the thread's registers, and must keep the thread's program sound.
    ///
    /// # Examples
    ///
    /// ```
    /// use sel4::cap::{Endpoint, Tcb};
    ///
    /// /// # Safety
    /// ///
    /// /// Receivers at `handler` know that the message is a timeout fault of `child`.
    /// unsafe fn watch(child: Tcb, handler: Endpoint) -> sel4::Result<()> {
    ///     // SAFETY: the contract of this function.
    ///     unsafe { child.tcb_set_timeout_endpoint(handler) }
    /// }
    /// ```
    #[track_caller]
    pub unsafe fn tcb_set_timeout_endpoint(self, endpoint: cap::Endpoint) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.simple(label::TCBSetTimeoutEndpoint, &[endpoint.bits()], &[]) }
    }

    /// Clears and sets flags of the thread, and returns the new flags (`seL4_TCB_SetFlags`).
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) if this capability is not a TCB.
    ///
    /// # Examples
    ///
    /// ```
    /// fn without_floating_point(child: sel4::cap::Tcb) -> sel4::Result<u64> {
    ///     child.tcb_set_flags(0, sel4::TcbFlagsBuilder::new().fpu_disabled(true).build())
    /// }
    /// ```
    #[track_caller]
    pub fn tcb_set_flags(self, clear: Word, set: Word) -> Result<Word> {
        let words = &[clear, set];
        let invocation = Invocation {
            label: label::TCBSetFlags,
            caps: &[],
            words,
        };
        // SAFETY: C-3: the only flag determines whether a use of the floating-point unit causes a
        // fault. The kernel first saves the floating-point registers.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(|[flags, ..]| flags))
    }

    /// Sets the thread's `TPIDR_EL0` (`seL4_TCB_SetTLSBase`).
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) if this capability is not a TCB.
    ///
    /// # Safety
    ///
    /// The thread's program must be sound with this value in `TPIDR_EL0`. The program finds its
    /// thread-local variables through this register.
    #[track_caller]
    pub unsafe fn tcb_set_tls_base(self, base: Word) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.simple(label::TCBSetTLSBase, &[], &[base]) }
    }

    /// Binds a notification to the thread (`seL4_TCB_BindNotification`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the thread or the
    /// notification is already bound.
    ///
    /// # Examples
    ///
    /// ```
    /// fn bind(child: sel4::cap::Tcb, notification: sel4::cap::Notification) -> sel4::Result<()> {
    ///     child.tcb_bind_notification(notification)
    /// }
    /// ```
    #[track_caller]
    pub fn tcb_bind_notification(self, notification: cap::Notification) -> Result<()> {
        // SAFETY: C-3: a notification delivers a badge in a register and writes nothing to memory.
        unsafe { self.simple(label::TCBBindNotification, &[notification.bits()], &[]) }
    }

    /// Unbinds the notification of the thread (`seL4_TCB_UnbindNotification`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the thread does not
    /// have a bound notification.
    #[track_caller]
    pub fn tcb_unbind_notification(self) -> Result<()> {
        // SAFETY: C-3: a notification delivers a badge in a register and writes nothing to memory.
        unsafe { self.simple(label::TCBUnbindNotification, &[], &[]) }
    }

    /// Sets the CSpace, the VSpace and the IPC buffer of the thread (`seL4_TCB_Configure`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidCapability`](crate::Error::InvalidCapability) if a capability is of
    /// the wrong type, and [`Error::AlignmentError`](crate::Error::AlignmentError) if the address
    /// is not aligned.
    ///
    /// # Safety
    ///
    /// The conditions of [`tcb_set_space`](Self::tcb_set_space) and
    /// [`tcb_set_ipc_buffer`](Self::tcb_set_ipc_buffer) must hold.
    #[track_caller]
    pub unsafe fn tcb_configure(
        self,
        cspace_root: cap::CNode,
        cspace_root_data: Word,
        vspace_root: cap::VSpace,
        ipc_buffer: Word,
        ipc_buffer_page: cap::Granule,
    ) -> Result<()> {
        let caps = [
            cspace_root.bits(),
            vspace_root.bits(),
            ipc_buffer_page.bits(),
        ];
        // SAFETY: the caller's contract.
        unsafe {
            self.simple(
                label::TCBConfigure,
                &caps,
                &[cspace_root_data, 0, ipc_buffer],
            )
        }
    }

    /// Sets the fault endpoint, the CSpace and the VSpace of the thread (`seL4_TCB_SetSpace`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidCapability`](crate::Error::InvalidCapability) if a capability is of
    /// the wrong type.
    ///
    /// # Safety
    ///
    /// The thread must not belong to this program, unless the new address space keeps all mappings
    /// that the program relies on.
    #[track_caller]
    pub unsafe fn tcb_set_space(
        self,
        fault_endpoint: CPtr,
        cspace_root: cap::CNode,
        cspace_root_data: Word,
        vspace_root: cap::VSpace,
    ) -> Result<()> {
        let caps = [
            fault_endpoint.bits(),
            cspace_root.bits(),
            vspace_root.bits(),
        ];
        // SAFETY: the caller's contract.
        unsafe { self.simple(label::TCBSetSpace, &caps, &[cspace_root_data, 0]) }
    }

    /// Sets the address and the page of the IPC buffer (`seL4_TCB_SetIPCBuffer`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::AlignmentError`](crate::Error::AlignmentError) if the address is not
    /// aligned, and [`Error::InvalidCapability`](crate::Error::InvalidCapability) if `page` is not
    /// a page.
    ///
    /// # Safety
    ///
    /// The thread must not belong to this program, because this program's tokens refer to the
    /// current IPC buffers of its threads.
    #[track_caller]
    pub unsafe fn tcb_set_ipc_buffer(self, address: Word, page: cap::Granule) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.simple(label::TCBSetIPCBuffer, &[page.bits()], &[address]) }
    }

    /// # Safety
    ///
    /// The invocation must not violate memory safety (C-3).
    #[track_caller]
    unsafe fn simple(self, label: Word, caps: &[CPtrBits], words: &[Word]) -> Result<()> {
        let invocation = Invocation { label, caps, words };
        // SAFETY: the caller's contract.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }
}

/// Builds the flags of a thread (`seL4_TCBFlag`).
///
/// ```
/// let flags = sel4::TcbFlagsBuilder::new().fpu_disabled(true).build();
/// assert_eq!(flags, 1);
/// ```
#[derive(Debug, Copy, Clone, PartialEq, Eq, Default)]
pub struct TcbFlagsBuilder(Word);

impl TcbFlagsBuilder {
    /// Starts without flags.
    pub const fn new() -> Self {
        Self(0)
    }

    /// Returns the flags.
    pub const fn build(self) -> Word {
        self.0
    }

    /// Sets whether use of the floating-point unit causes a fault.
    #[must_use]
    pub const fn fpu_disabled(self, disabled: bool) -> Self {
        Self(self.0 & !1 | disabled as Word)
    }
}
