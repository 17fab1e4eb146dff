//! The numbers of seL4 16.0.0 in the Microkit SDK 2.3.0 for `qemu_virt_aarch64`, `debug`, with
//! seL4's own names.
//!
//! A test compares these numbers with the table of `sel4-sys`, read from an SDK.

/// System call numbers. A thread puts the number in register x7 (`syscall.xml`).
#[allow(non_upper_case_globals, missing_docs, reason = "seL4's own names")]
pub mod syscall {
    pub const Call: i64 = -1;
    pub const ReplyRecv: i64 = -2;
    pub const NBSendRecv: i64 = -3;
    pub const NBSendWait: i64 = -4;
    pub const Send: i64 = -5;
    pub const NBSend: i64 = -6;
    pub const Recv: i64 = -7;
    pub const NBRecv: i64 = -8;
    pub const Wait: i64 = -9;
    pub const NBWait: i64 = -10;
    pub const Yield: i64 = -11;
    pub const DebugPutChar: i64 = -12;
    pub const DebugDumpScheduler: i64 = -13;
    pub const DebugHalt: i64 = -14;
    pub const DebugCapIdentify: i64 = -15;
    pub const DebugSnapshot: i64 = -16;
    pub const DebugNameThread: i64 = -17;
}

/// Invocation labels: the labels of messages to kernel objects (`invocations_all.json`).
#[allow(non_upper_case_globals, missing_docs, reason = "seL4's own names")]
pub mod invocation {
    pub const TCBReadRegisters: u64 = 2;
    pub const TCBWriteRegisters: u64 = 3;
    pub const TCBCopyRegisters: u64 = 4;
    pub const TCBConfigure: u64 = 5;
    pub const TCBSetPriority: u64 = 6;
    pub const TCBSetMCPriority: u64 = 7;
    pub const TCBSetSchedParams: u64 = 8;
    pub const TCBSetTimeoutEndpoint: u64 = 9;
    pub const TCBSetIPCBuffer: u64 = 10;
    pub const TCBSetSpace: u64 = 11;
    pub const TCBSuspend: u64 = 12;
    pub const TCBResume: u64 = 13;
    pub const TCBBindNotification: u64 = 14;
    pub const TCBUnbindNotification: u64 = 15;
    pub const TCBSetTLSBase: u64 = 20;
    pub const TCBSetFlags: u64 = 21;
    pub const IRQAckIRQ: u64 = 31;
    pub const IRQSetIRQHandler: u64 = 32;
    pub const IRQClearIRQHandler: u64 = 33;
    pub const SchedContextBind: u64 = 38;
    pub const SchedContextUnbind: u64 = 39;
    pub const SchedContextUnbindObject: u64 = 40;
    pub const SchedContextConsumed: u64 = 41;
    pub const SchedContextYieldTo: u64 = 42;
    pub const ARMVSpaceClean_Data: u64 = 43;
    pub const ARMVSpaceInvalidate_Data: u64 = 44;
    pub const ARMVSpaceCleanInvalidate_Data: u64 = 45;
    pub const ARMVSpaceUnify_Instruction: u64 = 46;
}

/// Labels of fault messages (`types.pbf`).
#[allow(non_upper_case_globals, missing_docs, reason = "seL4's own names")]
pub mod fault {
    pub const NullFault: u64 = 0;
    pub const CapFault: u64 = 1;
    pub const UnknownSyscall: u64 = 2;
    pub const UserException: u64 = 3;
    pub const DebugException: u64 = 4;
    pub const Timeout: u64 = 5;
    pub const VMFault: u64 = 6;
    pub const VCPUFault: u64 = 8;
}

/// Labels of error replies (`seL4_Error`).
#[allow(non_upper_case_globals, missing_docs, reason = "seL4's own names")]
pub mod error {
    pub const NoError: u64 = 0;
    pub const InvalidArgument: u64 = 1;
    pub const InvalidCapability: u64 = 2;
    pub const IllegalOperation: u64 = 3;
    pub const RangeError: u64 = 4;
    pub const AlignmentError: u64 = 5;
    pub const FailedLookup: u64 = 6;
    pub const TruncatedMessage: u64 = 7;
    pub const DeleteFirst: u64 = 8;
    pub const RevokeFirst: u64 = 9;
    pub const NotEnoughMemory: u64 = 10;
}

/// Kinds of failed lookups in a capability fault (`seL4_LookupFailureType`).
#[allow(non_upper_case_globals, missing_docs, reason = "seL4's own names")]
pub mod lookup_failure {
    pub const InvalidRoot: u64 = 1;
    pub const MissingCapability: u64 = 2;
    pub const DepthMismatch: u64 = 3;
    pub const GuardMismatch: u64 = 4;
}

/// Reasons of a debug exception (`seL4_BreakpointType`).
#[allow(non_upper_case_globals, missing_docs, reason = "seL4's own names")]
pub mod debug_reason {
    pub const DataBreakpoint: u64 = 0;
    pub const InstructionBreakpoint: u64 = 1;
    pub const SingleStep: u64 = 2;
    pub const SoftwareBreakRequest: u64 = 3;
}

/// The results of `DebugCapIdentify`, one for each kind of capability.
///
/// These numbers are internal tags of seL4 and can change between versions (`cap_tag` in
/// `structures_64.bf` and in AArch64's `structures.bf`).
#[allow(non_upper_case_globals, missing_docs, reason = "seL4's own names")]
pub mod cap_tag {
    pub const null: u64 = 0;
    pub const endpoint: u64 = 4;
    pub const notification: u64 = 6;
    pub const reply: u64 = 8;
    pub const vspace: u64 = 9;
    pub const cnode: u64 = 10;
    pub const thread: u64 = 12;
    pub const irq_handler: u64 = 16;
    pub const sched_context: u64 = 22;
}

/// The maximum number of words of a message (`seL4_MsgMaxLength`).
pub const MAX_MESSAGE_WORDS: usize = 120;

/// The maximum number of capabilities of a message (`seL4_MsgMaxExtraCaps`).
pub const MAX_EXTRA_CAPS: usize = 3;

/// The number of message words in registers (`seL4_FastMessageRegisters`).
pub const FAST_MESSAGE_WORDS: usize = 4;

/// The number of words of an IPC buffer (`seL4_IPCBuffer`): tag, message, user data, capabilities,
/// and three words for the slot to receive capabilities.
pub const IPC_BUFFER_WORDS: usize = 1 + MAX_MESSAGE_WORDS + 1 + MAX_EXTRA_CAPS + 3;

/// The largest priority (`seL4_MaxPrio`).
pub const MAX_PRIORITY: u8 = 255;

/// The only flag of a thread (`seL4_TCBFlag_fpuDisabled`).
pub const TCB_FLAG_FPU_DISABLED: u64 = 1;

/// The longest time that the kernel may take for one entry, in microseconds (`KERNEL_WCET` of the
/// platform).
pub const KERNEL_WCET_US: u64 = 10;

/// The saved program status of a new user thread: EL0, with FIQ masked (`PSTATE_USER`).
pub const PSTATE_USER: u64 = 1 << 6;

/// The bits of the program status that a thread may set: the condition flags.
pub const PSTATE_FLAGS: u64 = 0xf000_0000;

/// The frequency of the timer of `qemu_virt_aarch64` (`TIMER_FREQUENCY`).
pub const TIMER_HZ: u64 = 62_500_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipc_buffer_is_a_kilobyte() {
        assert_eq!(IPC_BUFFER_WORDS * size_of::<u64>(), 1024);
    }
}
