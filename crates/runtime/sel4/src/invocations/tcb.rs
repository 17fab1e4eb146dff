//! Invocations of threads (seL4 manual, *seL4_TCB*). All return at once.

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{CPtr, CPtrBits, InvocationContext, Result, UserContext, Word, cap};

impl<C: InvocationContext> cap::Tcb<C> {
    /// Stops the thread (`seL4_TCB_Suspend`).
    ///
    /// **Errors:** if this is no thread.
    #[track_caller]
    pub fn tcb_suspend(self) -> Result<()> {
        // SAFETY: C-3: a thread that does not run touches no memory.
        unsafe { self.simple(label::TCBSuspend, &[], &[]) }
    }

    /// Lets the thread run on (`seL4_TCB_Resume`).
    ///
    /// **Errors:** if this is no thread.
    #[track_caller]
    pub fn tcb_resume(self) -> Result<()> {
        // SAFETY: C-3: the thread continues where it stopped, or repeats the system call in which
        // it waited.
        unsafe { self.simple(label::TCBResume, &[], &[]) }
    }

    /// Reads the first `count` registers, in the order of [`UserContext`]; the others are 0
    /// (`seL4_TCB_ReadRegisters`).
    ///
    /// **Errors:** `IllegalOperation` if it is the caller's own thread, `RangeError` if there are
    /// fewer registers.
    #[track_caller]
    pub fn tcb_read_registers(self, suspend: bool, count: Word) -> Result<UserContext> {
        let words = &[suspend.into(), count];
        let invocation = Invocation {
            label: label::TCBReadRegisters,
            caps: &[],
            words,
        };
        let mut registers = UserContext::default();
        // SAFETY: C-3: registers are read; a thread that is stopped for it touches no memory.
        self.invoke(|cptr, token| unsafe {
            invocation.make_into(cptr, token, registers.words_mut())
        })?;
        Ok(registers)
    }

    /// Reads all registers.
    ///
    /// **Errors:** as [`tcb_read_registers`](Self::tcb_read_registers).
    #[track_caller]
    pub fn tcb_read_all_registers(self, suspend: bool) -> Result<UserContext> {
        self.tcb_read_registers(suspend, UserContext::COUNT as Word)
    }

    /// Writes the first `count` registers, in the order of [`UserContext`]
    /// (`seL4_TCB_WriteRegisters`).
    ///
    /// **Errors:** `IllegalOperation` if it is the caller's own thread.
    ///
    /// # Safety
    ///
    /// The thread's program is sound when it resumes with these registers: they choose what it
    /// runs, on which stack, with which values.
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

    /// Writes all registers.
    ///
    /// **Errors:** as [`tcb_write_registers`](Self::tcb_write_registers).
    ///
    /// # Safety
    ///
    /// As for [`tcb_write_registers`](Self::tcb_write_registers).
    #[track_caller]
    pub unsafe fn tcb_write_all_registers(
        self,
        resume: bool,
        registers: &mut UserContext,
    ) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.tcb_write_registers(resume, UserContext::COUNT as Word, registers) }
    }

    /// Sets the priority, up to that which `authority` may give (`seL4_TCB_SetPriority`).
    ///
    /// **Errors:** `RangeError` if it is more.
    #[track_caller]
    pub fn tcb_set_priority(self, authority: cap::Tcb, priority: Word) -> Result<()> {
        // SAFETY: C-3: when a thread runs is not what it does.
        unsafe { self.simple(label::TCBSetPriority, &[authority.bits()], &[priority]) }
    }

    /// Sets the greatest priority that the thread may give (`seL4_TCB_SetMCPriority`).
    ///
    /// **Errors:** `RangeError` if it is more than `authority` may give.
    #[track_caller]
    pub fn tcb_set_mc_priority(self, authority: cap::Tcb, mcp: Word) -> Result<()> {
        // SAFETY: C-3: when a thread runs is not what it does.
        unsafe { self.simple(label::TCBSetMCPriority, &[authority.bits()], &[mcp]) }
    }

    /// Sets priorities, scheduling context and fault endpoint (`seL4_TCB_SetSchedParams`).
    ///
    /// **Errors:** `RangeError` if a priority is more than `authority` may give,
    /// `InvalidCapability`, `IllegalOperation` if the scheduling context is bound.
    ///
    /// # Safety
    ///
    /// The reply to a fault sets the thread's registers. Every receiver of `fault_endpoint` knows
    /// which messages are faults of this thread, and replies so that its program is sound.
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

    /// Sets where its timeout faults go (`seL4_TCB_SetTimeoutEndpoint`).
    ///
    /// **Errors:** `InvalidCapability` if it is no endpoint with write and grant rights.
    ///
    /// # Safety
    ///
    /// The reply to a timeout fault sets the thread's registers. Every receiver of `endpoint` knows
    /// which messages are faults of this thread, and replies so that its program is sound.
    #[track_caller]
    pub unsafe fn tcb_set_timeout_endpoint(self, endpoint: cap::Endpoint) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.simple(label::TCBSetTimeoutEndpoint, &[endpoint.bits()], &[]) }
    }

    /// Clears and sets flags; returns them (`seL4_TCB_SetFlags`).
    ///
    /// **Errors:** if this is no thread.
    #[track_caller]
    pub fn tcb_set_flags(self, clear: Word, set: Word) -> Result<Word> {
        let words = &[clear, set];
        let invocation = Invocation {
            label: label::TCBSetFlags,
            caps: &[],
            words,
        };
        // SAFETY: C-3: the one flag there is makes the use of the floating-point unit a fault; the
        // kernel saves its registers first.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(|[flags, ..]| flags))
    }

    /// Sets the thread's `TPIDR_EL0` (`seL4_TCB_SetTLSBase`).
    ///
    /// **Errors:** if this is no thread.
    ///
    /// # Safety
    ///
    /// The thread's program is sound with that value in `TPIDR_EL0`: it finds its thread-local
    /// variables by it, if it has any.
    #[track_caller]
    pub unsafe fn tcb_set_tls_base(self, base: Word) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.simple(label::TCBSetTLSBase, &[], &[base]) }
    }

    /// Binds a notification (`seL4_TCB_BindNotification`).
    ///
    /// **Errors:** `IllegalOperation` if either is bound.
    #[track_caller]
    pub fn tcb_bind_notification(self, notification: cap::Notification) -> Result<()> {
        // SAFETY: C-3: a notification brings a badge, and no word of it is written to memory.
        unsafe { self.simple(label::TCBBindNotification, &[notification.bits()], &[]) }
    }

    /// Unbinds its notification (`seL4_TCB_UnbindNotification`).
    ///
    /// **Errors:** `IllegalOperation` if it has none.
    #[track_caller]
    pub fn tcb_unbind_notification(self) -> Result<()> {
        // SAFETY: C-3: a notification brings a badge, and no word of it is written to memory.
        unsafe { self.simple(label::TCBUnbindNotification, &[], &[]) }
    }

    /// Sets CSpace, VSpace and IPC buffer (`seL4_TCB_Configure`).
    ///
    /// **Errors:** `InvalidCapability` if a capability is not what it is taken for,
    /// `AlignmentError`.
    ///
    /// # Safety
    ///
    /// As for [`tcb_set_space`](Self::tcb_set_space) and
    /// [`tcb_set_ipc_buffer`](Self::tcb_set_ipc_buffer).
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

    /// Sets fault endpoint, CSpace and VSpace (`seL4_TCB_SetSpace`).
    ///
    /// **Errors:** `InvalidCapability` if a capability is not what it is taken for.
    ///
    /// # Safety
    ///
    /// The thread is not one of this program; or what the program relies on in its address space
    /// is the same in the new one.
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

    /// Sets the IPC buffer: its address and its page (`seL4_TCB_SetIPCBuffer`).
    ///
    /// **Errors:** `AlignmentError`, `InvalidCapability`.
    ///
    /// # Safety
    ///
    /// The thread is not one of this program: the tokens of this program's threads name the
    /// buffers that they have.
    #[track_caller]
    pub unsafe fn tcb_set_ipc_buffer(self, address: Word, page: cap::Granule) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.simple(label::TCBSetIPCBuffer, &[page.bits()], &[address]) }
    }

    /// # Safety
    ///
    /// The invocation breaks no memory (C-3).
    #[track_caller]
    unsafe fn simple(self, label: Word, caps: &[CPtrBits], words: &[Word]) -> Result<()> {
        let invocation = Invocation { label, caps, words };
        // SAFETY: the caller's contract.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }
}

/// The flags of a thread (`seL4_TCBFlag`).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Default)]
pub struct TcbFlagsBuilder(Word);

impl TcbFlagsBuilder {
    /// No flag.
    pub const fn new() -> Self {
        Self(0)
    }

    /// The flags.
    pub const fn build(self) -> Word {
        self.0
    }

    /// Whether the thread may not use the floating-point unit.
    #[must_use]
    pub const fn fpu_disabled(self, disabled: bool) -> Self {
        Self(self.0 & !1 | disabled as Word)
    }
}
