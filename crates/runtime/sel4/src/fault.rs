//! Faults: what the kernel says to the handler of a thread that cannot go on (seL4 manual,
//! *Faults*).

use core::fmt;

use sel4_sys::fault;

use crate::{IpcBuffer, MessageInfo, Word};

/// `seL4_Fault`: a fault message, read.
///
/// It is a copy: the IPC buffer may be overwritten while it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No fault.
    NullFault(NullFault),
    /// A system call named a capability that is not there.
    CapFault(CapFault),
    /// A system call has a number that the kernel does not know.
    UnknownSyscall(UnknownSyscall),
    /// An instruction could not be carried out.
    UserException(UserException),
    /// A breakpoint, watchpoint or single step; only where the kernel has the hardware debug API.
    DebugException(DebugException),
    /// The budget is used up.
    Timeout(Timeout),
    /// Memory was accessed that is not mapped, or not so.
    VmFault(VmFault),
    /// A virtual CPU's interrupt controller needs attention.
    VGicMaintenance(VGicMaintenance),
    /// A virtual CPU did what its monitor must answer.
    VCpuFault(VCpuFault),
    /// A virtual CPU's private interrupt has come.
    VPpiEvent(VPpiEvent),
}

impl Fault {
    /// Reads the fault message that was just received.
    ///
    /// # Panics
    ///
    /// If the label is not that of a fault; see [`try_new`](Self::try_new).
    #[track_caller]
    pub fn new(buffer: &IpcBuffer, info: &MessageInfo) -> Self {
        Self::try_new(buffer, info)
            .unwrap_or_else(|| panic!("a message with label {} is no fault", info.label()))
    }

    /// Reads the fault message that was just received; `None` if its label is not that of a
    /// fault.
    pub fn try_new(buffer: &IpcBuffer, info: &MessageInfo) -> Option<Self> {
        /// `DebugException` is a label only where the kernel has the hardware debug API.
        const DEBUG_EXCEPTION: Word = 4;
        Some(match info.label() {
            fault::NullFault => Self::NullFault(NullFault::read(buffer)),
            fault::CapFault => Self::CapFault(CapFault::read(buffer)),
            fault::UnknownSyscall => Self::UnknownSyscall(UnknownSyscall::read(buffer)),
            fault::UserException => Self::UserException(UserException::read(buffer)),
            DEBUG_EXCEPTION => Self::DebugException(DebugException::read(buffer)),
            fault::Timeout => Self::Timeout(Timeout::read(buffer)),
            fault::VMFault => Self::VmFault(VmFault::read(buffer)),
            fault::VGICMaintenance => Self::VGicMaintenance(VGicMaintenance::read(buffer)),
            fault::VCPUFault => Self::VCpuFault(VCpuFault::read(buffer)),
            fault::VPPIEvent => Self::VPpiEvent(VPpiEvent::read(buffer)),
            _ => return None,
        })
    }
}

/// For messages: what happened, and where.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NullFault(_) => f.write_str("no fault"),
            Self::CapFault(fault) => write!(
                f,
                "capability fault at {:#x}: {} capability {:#x}: {}",
                fault.ip(),
                if fault.in_recv_phase() {
                    "receiving with"
                } else {
                    "use of"
                },
                fault.addr(),
                fault.lookup_failure()
            ),
            Self::UnknownSyscall(fault) => write!(
                f,
                "unknown system call {} at {:#x}",
                fault.syscall().cast_signed(),
                fault.fault_ip()
            ),
            Self::UserException(fault) => write!(
                f,
                "user exception at {:#x} (number {:#x}, code {:#x})",
                fault.fault_ip(),
                fault.number(),
                fault.code()
            ),
            Self::DebugException(fault) => write!(
                f,
                "debug exception at {:#x} (reason {})",
                fault.fault_ip(),
                fault.exception_reason()
            ),
            Self::Timeout(fault) => write!(
                f,
                "timeout of the scheduling context known as {:#x} ({} us used)",
                fault.data(),
                fault.consumed()
            ),
            Self::VmFault(fault) => write!(
                f,
                "VM fault at {:#x}: {} of {:#x} (syndrome {:#x})",
                fault.ip(),
                fault.access(),
                fault.addr(),
                fault.fsr()
            ),
            Self::VGicMaintenance(fault) => match fault.idx() {
                Some(index) => write!(f, "virtual interrupt in list register {index} is done"),
                None => f.write_str("virtual interrupt controller needs attention"),
            },
            Self::VCpuFault(fault) => write!(f, "virtual CPU fault (syndrome {:#x})", fault.hsr()),
            Self::VPpiEvent(fault) => write!(f, "virtual CPU's interrupt {}", fault.irq()),
        }
    }
}

/// A fault message of `$words` words, and what stands in each.
macro_rules! fault_message {
    {
        $(#[$doc:meta])*
        $name:ident [$words:literal] { $($(#[$field_doc:meta])* $field:ident = $index:literal,)* }
    } => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name([Word; $words]);

        impl $name {
            fn read(buffer: &IpcBuffer) -> Self {
                Self(core::array::from_fn(|index| buffer.msg_regs()[index]))
            }

            $(
                $(#[$field_doc])*
                pub const fn $field(&self) -> Word {
                    self.0[$index]
                }
            )*
        }
    };
}

fault_message! {
    /// No fault: its message is empty.
    NullFault [0] {}
}

fault_message! {
    /// A capability was not there (`seL4_CapFault_Msg`).
    CapFault [7] {
        /// Where the system call was made.
        ip = 0,
        /// The capability pointer.
        addr = 1,
        /// Why the look-up failed (`seL4_LookupFailureType`).
        lookup_failure_type = 3,
        /// How many bits were left to resolve.
        bits_left = 4,
    }
}

impl CapFault {
    /// Whether it was a capability to receive with: an endpoint, a notification or a reply object.
    pub const fn in_recv_phase(&self) -> bool {
        self.0[2] != 0
    }

    /// Why the look-up failed, with what is known of it.
    pub const fn lookup_failure(&self) -> LookupFailure {
        let bits_left = self.0[4];
        match self.0[3] {
            1 => LookupFailure::InvalidRoot,
            2 => LookupFailure::MissingCapability { bits_left },
            3 => LookupFailure::DepthMismatch {
                bits_left,
                bits_found: self.0[5],
            },
            4 => LookupFailure::GuardMismatch {
                bits_left,
                guard_found: self.0[5],
                bits_found: self.0[6],
            },
            _ => LookupFailure::NoFailure,
        }
    }
}

/// `seL4_LookupFailureType`: why a capability pointer leads to no capability (seL4 manual, *Lookup
/// Failure Description*; `errors.h`).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum LookupFailure {
    /// It did not fail, or in a way that this kernel does not have.
    NoFailure,
    /// The look-up begins at no CNode.
    InvalidRoot,
    /// The slot is empty, or holds what the system call cannot use.
    MissingCapability {
        /// How many bits were left to resolve.
        bits_left: Word,
    },
    /// The pointer has too few bits, or too many, for the CNodes on its way.
    DepthMismatch {
        /// How many bits were left to resolve.
        bits_left: Word,
        /// How many the CNode resolves.
        bits_found: Word,
    },
    /// The pointer's bits are not those of a CNode's guard.
    GuardMismatch {
        /// How many bits were left to resolve.
        bits_left: Word,
        /// The guard.
        guard_found: Word,
        /// How many bits it has.
        bits_found: Word,
    },
}

impl fmt::Display for LookupFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoFailure => "the look-up did not fail",
            Self::InvalidRoot => "there is no CNode to begin at",
            Self::MissingCapability { .. } => "there is none that can be used so",
            Self::DepthMismatch { .. } => "its depth is not that of the CNode",
            Self::GuardMismatch { .. } => "it leads out of the CSpace",
        })
    }
}

fault_message! {
    /// A system call that the kernel does not know (`seL4_UnknownSyscall_Msg`).
    UnknownSyscall [13] {
        /// Where the system call was made.
        fault_ip = 8,
        /// The stack pointer.
        sp = 9,
        /// Where it would go on: what the manual calls LR is the exception link register, and not
        /// x30.
        lr = 10,
        /// The saved program status.
        spsr = 11,
        /// The number.
        syscall = 12,
    }
}

impl UnknownSyscall {
    /// Register x`index`.
    ///
    /// **Panics:** if `index` is above 7.
    pub const fn gpr(&self, index: usize) -> Word {
        assert!(index < 8, "the message has registers x0 to x7");
        self.0[index]
    }
}

fault_message! {
    /// An instruction could not be carried out (`seL4_UserException_Msg`).
    UserException [5] {
        /// Where it stands.
        fault_ip = 0,
        /// The stack pointer.
        sp = 1,
        /// The saved program status.
        spsr = 2,
        /// The exception's number.
        number = 3,
        /// The exception's code: the exception syndrome, ESR (Arm ARM, *ESR_EL1*).
        code = 4,
    }
}

fault_message! {
    /// A breakpoint, watchpoint or single step (`seL4_DebugException_Msg`).
    DebugException [4] {
        /// Where it came.
        fault_ip = 0,
        /// Which of them (`seL4_DebugException_t`).
        exception_reason = 1,
        /// The watched address.
        trigger_address = 2,
        /// The breakpoint's number.
        breakpoint_number = 3,
    }
}

impl DebugException {
    /// Which of them; `None` if it is none that this crate knows.
    pub const fn reason(&self) -> Option<DebugReason> {
        Some(match self.exception_reason() {
            0 => DebugReason::DataBreakpoint,
            1 => DebugReason::InstructionBreakpoint,
            2 => DebugReason::SingleStep,
            3 => DebugReason::SoftwareBreakRequest,
            _ => return None,
        })
    }
}

/// Why a thread has stopped for a debugger (`seL4_BreakpointType`).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum DebugReason {
    /// A watchpoint. The last two words of the fault say which.
    DataBreakpoint,
    /// A breakpoint. The last two words of the fault say which.
    InstructionBreakpoint,
    /// A single step. The fault has no further words.
    SingleStep,
    /// A `brk` instruction. The fault has no further words.
    SoftwareBreakRequest,
}

fault_message! {
    /// The budget is used up (`seL4_Timeout_Msg`).
    Timeout [2] {
        /// What the scheduling context was given to be known by.
        data = 0,
        /// The time used since the last report, in microseconds.
        consumed = 1,
    }
}

fault_message! {
    /// Memory that is not mapped, or not so (`seL4_VMFault_Msg`).
    VmFault [4] {
        /// Where the access stands.
        ip = 0,
        /// The address that was accessed.
        addr = 1,
        /// The fault status: the exception syndrome, ESR (Arm ARM, *ESR_EL1*).
        fsr = 3,
    }
}

impl VmFault {
    /// Whether an instruction was to be fetched.
    pub const fn is_prefetch(&self) -> bool {
        self.0[2] != 0
    }

    /// What was to be done with the memory. Whether a data access writes is bit 6 of its syndrome
    /// (Arm ARM, *ISS encoding for an exception from a Data Abort*, WnR).
    pub const fn access(&self) -> Access {
        if self.is_prefetch() {
            Access::Execute
        } else if self.fsr() & 1 << 6 != 0 {
            Access::Write
        } else {
            Access::Read
        }
    }
}

/// What a thread was to do with memory.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Access {
    /// Load from it.
    Read,
    /// Store to it.
    Write,
    /// Fetch an instruction from it.
    Execute,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Execute => "execution",
        })
    }
}

fault_message! {
    /// A virtual CPU's interrupt controller needs attention (`seL4_VGICMaintenance_Msg`).
    VGicMaintenance [1] {}
}

impl VGicMaintenance {
    /// Which list register, if it is about one.
    pub const fn idx(&self) -> Option<Word> {
        match self.0[0] {
            Word::MAX => None,
            index => Some(index),
        }
    }
}

fault_message! {
    /// A virtual CPU did what its monitor must answer (`seL4_VCPUFault_Msg`). A kernel with
    /// hypervisor support tells so of any thread's exceptions that it has no other fault for, such
    /// as a `brk` where it has no hardware debug API.
    VCpuFault [1] {
        /// The exception syndrome, ESR (Arm ARM, *ESR_EL2*).
        hsr = 0,
    }
}

impl VCpuFault {
    /// What has happened: the exception class, bits 26 to 31 of the syndrome (Arm ARM, *ESR_EL2*,
    /// EC).
    pub const fn exception_class(&self) -> Word {
        self.hsr() >> 26 & 0x3f
    }
}

fault_message! {
    /// A virtual CPU's private interrupt (`seL4_VPPIEvent_Msg`).
    VPpiEvent [1] {
        /// Its number.
        irq = 0,
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    fn message() -> IpcBuffer {
        let mut buffer = IpcBuffer::new();
        for (index, word) in buffer.msg_regs_mut().iter_mut().enumerate() {
            *word = 100 + index as Word;
        }
        buffer
    }

    fn read(label: Word) -> Fault {
        Fault::new(&message(), &MessageInfo::new(label, 0, 0, 4))
    }

    #[test]
    fn a_vm_fault_is_read_word_by_word() {
        let Fault::VmFault(fault) = read(fault::VMFault) else {
            panic!("a VM fault")
        };
        assert_eq!((fault.ip(), fault.addr(), fault.fsr()), (100, 101, 103));
        assert!(fault.is_prefetch());
    }

    #[test]
    fn each_fault_is_told_in_a_sentence() {
        let check = |label, words: &[Word], expect: &str| {
            let mut buffer = IpcBuffer::new();
            buffer.msg_regs_mut()[..words.len()].copy_from_slice(words);
            let fault = Fault::new(&buffer, &MessageInfo::new(label, 0, 0, words.len()));
            assert_eq!(fault.to_string(), expect);
        };
        check(fault::NullFault, &[], "no fault");
        let vm = |prefetch, syndrome| [0x20_0000, 0x500_0000, prefetch, syndrome];
        let at = "VM fault at 0x200000:";
        check(
            fault::VMFault,
            &vm(0, 0x9200_0006),
            &std::format!("{at} read of 0x5000000 (syndrome 0x92000006)"),
        );
        check(
            fault::VMFault,
            &vm(0, 0x9200_0046),
            &std::format!("{at} write of 0x5000000 (syndrome 0x92000046)"),
        );
        check(
            fault::VMFault,
            &vm(1, 0x8200_0046),
            &std::format!("{at} execution of 0x5000000 (syndrome 0x82000046)"),
        );
        let cap = |receives, failure| [0x20_0000, 9, receives, failure, 0, 0, 0];
        let at = "capability fault at 0x200000:";
        for (failure, why) in [
            (0, "the look-up did not fail"),
            (1, "there is no CNode to begin at"),
            (2, "there is none that can be used so"),
            (3, "its depth is not that of the CNode"),
            (4, "it leads out of the CSpace"),
        ] {
            let expect = std::format!("{at} use of capability 0x9: {why}");
            check(fault::CapFault, &cap(0, failure), &expect);
        }
        let expect = std::format!("{at} receiving with capability 0x9: the look-up did not fail");
        check(fault::CapFault, &cap(1, 0), &expect);
        check(
            fault::VGICMaintenance,
            &[3],
            "virtual interrupt in list register 3 is done",
        );
        check(
            fault::VGICMaintenance,
            &[Word::MAX],
            "virtual interrupt controller needs attention",
        );
    }

    #[test]
    fn an_unknown_syscall_is_read_word_by_word() {
        let Fault::UnknownSyscall(fault) = read(fault::UnknownSyscall) else {
            panic!("that")
        };
        assert_eq!((fault.gpr(0), fault.gpr(7)), (100, 107));
        assert_eq!((fault.fault_ip(), fault.sp(), fault.lr()), (108, 109, 110));
        assert_eq!((fault.spsr(), fault.syscall()), (111, 112));
    }

    #[test]
    fn a_capability_fault_and_an_exception_are_read_word_by_word() {
        let Fault::CapFault(fault) = read(fault::CapFault) else {
            panic!("that")
        };
        assert_eq!((fault.ip(), fault.addr()), (100, 101));
        assert!(fault.in_recv_phase());
        assert_eq!((fault.lookup_failure_type(), fault.bits_left()), (103, 104));
        let Fault::UserException(fault) = read(fault::UserException) else {
            panic!("that")
        };
        assert_eq!(
            (fault.fault_ip(), fault.sp(), fault.spsr()),
            (100, 101, 102)
        );
        assert_eq!((fault.number(), fault.code()), (103, 104));
    }

    #[test]
    fn each_label_has_its_own_kind_and_no_other_is_one() {
        let mut kinds = std::vec::Vec::new();
        for label in 0..10 {
            let kind = core::mem::discriminant(&read(label));
            assert!(!kinds.contains(&kind), "label {label}");
            kinds.push(kind);
        }
        assert_eq!(
            Fault::try_new(&message(), &MessageInfo::new(10, 0, 0, 0)),
            None
        );
    }

    #[test]
    fn what_was_done_with_memory_is_told_by_the_syndrome() {
        let check = |prefetch: Word, syndrome: Word, expect| {
            let fault = VmFault([0x20_0000, 0x700_0000, prefetch, syndrome]);
            assert_eq!(fault.access(), expect);
        };
        // Syndromes that seL4 gave on QEMU: `conformance-faults`.
        check(0, 0x93c0_8006, Access::Read);
        check(0, 0x93c0_8046, Access::Write);
        check(1, 0x8200_0006, Access::Execute);
    }

    #[test]
    fn the_class_of_an_exception_is_the_top_of_its_syndrome() {
        // A `brk`, as seL4 told it on QEMU; and the first instruction of a guest that was not there.
        assert_eq!(VCpuFault([0xf200_0000]).exception_class(), 0x3c);
        assert_eq!(VCpuFault([0x8200_0006]).exception_class(), 0x20);
    }

    #[test]
    fn the_reason_of_a_debug_exception_is_a_number_of_the_kernels() {
        let reason = |number| DebugException([0x20_0000, number, 0, 0]).reason();
        let all = [
            DebugReason::DataBreakpoint,
            DebugReason::InstructionBreakpoint,
            DebugReason::SingleStep,
            DebugReason::SoftwareBreakRequest,
        ];
        assert_eq!([0, 1, 2, 3].map(reason), all.map(Some));
        assert_eq!(reason(4), None);
    }

    #[test]
    fn a_lookup_failure_has_the_words_of_its_kind() {
        let check = |kind: Word, expect| {
            let fault = CapFault([0, 0x200, 0, kind, 58, 7, 49]);
            assert_eq!(fault.lookup_failure(), expect);
        };
        check(0, LookupFailure::NoFailure);
        check(1, LookupFailure::InvalidRoot);
        check(2, LookupFailure::MissingCapability { bits_left: 58 });
        check(
            3,
            LookupFailure::DepthMismatch {
                bits_left: 58,
                bits_found: 7,
            },
        );
        check(
            4,
            LookupFailure::GuardMismatch {
                bits_left: 58,
                guard_found: 7,
                bits_found: 49,
            },
        );
    }

    #[test]
    fn each_kind_is_told_in_words_with_its_place() {
        let check = |label: Word, expect: &str| assert_eq!(read(label).to_string(), expect);
        check(fault::NullFault, "no fault");
        check(
            fault::CapFault,
            "capability fault at 0x64: receiving with capability 0x65: the look-up \
             did not fail",
        );
        check(fault::UnknownSyscall, "unknown system call 112 at 0x6c");
        check(
            fault::UserException,
            "user exception at 0x64 (number 0x67, code 0x68)",
        );
        check(4, "debug exception at 0x64 (reason 101)");
        check(
            fault::Timeout,
            "timeout of the scheduling context known as 0x64 (101 us used)",
        );
        check(
            fault::VMFault,
            "VM fault at 0x64: execution of 0x65 (syndrome 0x67)",
        );
        check(
            fault::VGICMaintenance,
            "virtual interrupt in list register 100 is done",
        );
        check(fault::VCPUFault, "virtual CPU fault (syndrome 0x64)");
        check(fault::VPPIEvent, "virtual CPU's interrupt 100");
    }

    #[test]
    fn a_maintenance_interrupt_may_be_about_no_list_register() {
        let mut buffer = IpcBuffer::new();
        buffer.msg_regs_mut()[0] = Word::MAX;
        let info = MessageInfo::new(fault::VGICMaintenance, 0, 0, 1);
        let Fault::VGicMaintenance(fault) = Fault::new(&buffer, &info) else {
            panic!("that")
        };
        assert_eq!(fault.idx(), None);
    }
}
