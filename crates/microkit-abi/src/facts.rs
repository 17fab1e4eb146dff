//! The facts that the runtime requires of an SDK.
//!
//! Labels and system call numbers differ between versions and configurations of the kernel. So the
//! build script of `sel4-sys` reads these numbers from the SDK, by the names in this module. The
//! runtime assumes the facts in this module, and `cargo microkit` compares these facts with the
//! SDK's files.

use crate::{limits, slots};

/// The constants of `microkit.h` that the runtime assumes, by name.
pub const HEADER: [(&str, u64); 14] = [
    ("MONITOR_EP", slots::MONITOR_ENDPOINT),
    ("TCB_CAP", slots::TCB),
    ("ARM_SMC_CAP", slots::ARM_SMC),
    (
        "BASE_OUTPUT_NOTIFICATION_CAP",
        slots::BASE_OUTPUT_NOTIFICATION,
    ),
    ("BASE_ENDPOINT_CAP", slots::BASE_ENDPOINT),
    ("BASE_IRQ_CAP", slots::BASE_IRQ),
    ("BASE_TCB_CAP", slots::BASE_TCB),
    ("BASE_VM_TCB_CAP", slots::BASE_VM_TCB),
    ("BASE_VCPU_CAP", slots::BASE_VCPU),
    ("BASE_IOPORT_CAP", slots::BASE_IOPORT),
    ("BASE_USER_CAPS", slots::BASE_USER),
    ("PD_ROOT_CAP_BITS", slots::ROOT_CNODE_BITS as u64),
    ("MICROKIT_MAX_CHANNELS", limits::MAX_CHANNEL_ID + 1),
    ("MICROKIT_PD_NAME_LENGTH", limits::NAME_BYTES as u64),
];

/// The switches of `gen_config.json` that must be on.
pub const SWITCHES: [&str; 3] = ["ARCH_AARCH64", "KERNEL_MCS", "ARM_TLS_REG_TPIDRU"];

/// The numbers of `gen_config.json` that the runtime assumes.
pub const CONFIGURATION: [(&str, u64); 2] = [("WORD_SIZE", 64), ("NUM_PRIORITIES", 256)];

/// The fields of `seL4_MessageInfo` in `shared_types.pbf`, from the most significant bit, with
/// their widths in bits.
pub const MESSAGE_INFO: [(&str, u64); 4] = [
    ("label", 52),
    ("capsUnwrapped", 3),
    ("extraCaps", 2),
    ("length", 7),
];

/// The numbers of libsel4's `constants.h` that determine the layout of the IPC buffer.
pub const MESSAGE_LIMITS: [(&str, u64); 2] =
    [("seL4_MsgMaxLength", 120), ("seL4_MsgExtraCapBits", 2)];

/// The system calls that the runtime makes, by their names in `syscall.xml`.
pub const SYSTEM_CALLS: [&str; 25] = [
    "Call",
    "ReplyRecv",
    "NBSendRecv",
    "NBSendWait",
    "Send",
    "NBSend",
    "Recv",
    "NBRecv",
    "Wait",
    "NBWait",
    "Yield",
    "DebugPutChar",
    "DebugDumpScheduler",
    "DebugHalt",
    "DebugCapIdentify",
    "DebugSnapshot",
    "DebugNameThread",
    "BenchmarkResetLog",
    "BenchmarkFinalizeLog",
    "BenchmarkSetLogBuffer",
    "BenchmarkNullSyscall",
    "BenchmarkGetThreadUtilisation",
    "BenchmarkResetThreadUtilisation",
    "BenchmarkDumpAllThreadsUtilisation",
    "BenchmarkResetAllThreadsUtilisation",
];

/// The invocations that the runtime makes, by their names in `invocations_all.json`, without
/// [`OPTIONAL_INVOCATIONS`].
pub const INVOCATIONS: [&str; 35] = [
    "TCBReadRegisters",
    "TCBWriteRegisters",
    "TCBCopyRegisters",
    "TCBConfigure",
    "TCBSetPriority",
    "TCBSetMCPriority",
    "TCBSetSchedParams",
    "TCBSetTimeoutEndpoint",
    "TCBSetIPCBuffer",
    "TCBSetSpace",
    "TCBSuspend",
    "TCBResume",
    "TCBBindNotification",
    "TCBUnbindNotification",
    "TCBSetTLSBase",
    "TCBSetFlags",
    "CNodeRevoke",
    "CNodeDelete",
    "CNodeCancelBadgedSends",
    "CNodeCopy",
    "CNodeMint",
    "CNodeMove",
    "CNodeMutate",
    "IRQAckIRQ",
    "IRQSetIRQHandler",
    "IRQClearIRQHandler",
    "SchedContextConsumed",
    "SchedContextBind",
    "SchedContextUnbind",
    "SchedContextUnbindObject",
    "SchedContextYieldTo",
    "ARMVSpaceClean_Data",
    "ARMVSpaceInvalidate_Data",
    "ARMVSpaceCleanInvalidate_Data",
    "ARMVSpaceUnify_Instruction",
];

/// The invocations that exist only in some configurations: for virtual CPUs, for SMC calls and for
/// the hardware debug API.
pub const OPTIONAL_INVOCATIONS: [&str; 10] = [
    "ARMSMCCall",
    "ARMVCPUAckVPPI",
    "ARMVCPUInjectIRQ",
    "ARMVCPUReadReg",
    "ARMVCPUSetTCB",
    "ARMVCPUWriteReg",
    "TCBConfigureSingleStepping",
    "TCBGetBreakpoint",
    "TCBSetBreakpoint",
    "TCBUnsetBreakpoint",
];

/// The faults that the runtime decodes, by their tags in `types.pbf`.
pub const FAULTS: [&str; 9] = [
    "NullFault",
    "CapFault",
    "UnknownSyscall",
    "UserException",
    "Timeout",
    "VMFault",
    "VGICMaintenance",
    "VCPUFault",
    "VPPIEvent",
];
