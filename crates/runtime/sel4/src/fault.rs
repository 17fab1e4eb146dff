//! Fault messages, which the kernel sends to the fault handler of a thread (seL4 manual, *Faults*).

use core::fmt;

use sel4_sys::fault;

use crate::{IpcBuffer, MessageInfo, Word};

/// A decoded fault message (`seL4_Fault`).
///
/// The value is a copy of the message, so it stays valid when the IPC buffer is overwritten.
///
/// ```
/// use sel4::{Fault, IpcBuffer, MessageInfo};
///
/// let mut buffer = IpcBuffer::new();
/// buffer.msg_regs_mut()[..4].copy_from_slice(&[0x20_0000, 0, 0, 0x9200_0046]);
/// let info = MessageInfo::new(sel4::sys::fault::VMFault, 0, 0, 4);
///
/// let fault = Fault::new(&buffer, &info);
/// assert_eq!(fault.to_string(), "VM fault at 0x200000: write of 0x0 (syndrome 0x92000046)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Label 0, which is not a fault.
    NullFault(NullFault),
    /// A system call used a capability pointer without a usable capability.
    CapFault(CapFault),
    /// A system call with an unknown number.
    UnknownSyscall(UnknownSyscall),
    /// An exception that the other kinds do not cover, such as an undefined instruction.
    UserException(UserException),
    /// A breakpoint, a watchpoint or a single step. Only a kernel with the hardware debug API sends
    /// this fault.
    DebugException(DebugException),
    /// The thread has exhausted its budget.
    Timeout(Timeout),
    /// An access to unmapped memory, or an access without permission.
    VmFault(VmFault),
    /// A virtual CPU's interrupt controller needs maintenance.
    VGicMaintenance(VGicMaintenance),
    /// An exception that the monitor of the virtual CPU must handle.
    VCpuFault(VCpuFault),
    /// A private interrupt of a virtual CPU.
    VPpiEvent(VPpiEvent),
}

impl Fault {
    /// Decodes the fault message that was just received.
    ///
    /// # Panics
    ///
    /// Panics if the label is not a fault label. [`try_new`](Self::try_new) returns `None` instead.
    #[track_caller]
    pub fn new(buffer: &IpcBuffer, info: &MessageInfo) -> Self {
        Self::try_new(buffer, info)
            .unwrap_or_else(|| panic!("a message with label {} is not a fault", info.label()))
    }

    /// Decodes the fault message that was just received. Returns `None` if the label is not a fault
    /// label.
    ///
    /// ```
    /// use sel4::{Fault, IpcBuffer, MessageInfo};
    ///
    /// let buffer = IpcBuffer::new();
    /// assert!(Fault::try_new(&buffer, &MessageInfo::new(1000, 0, 0, 0)).is_none());
    /// ```
    pub fn try_new(buffer: &IpcBuffer, info: &MessageInfo) -> Option<Self> {
        /// The module `sel4_sys::fault` omits this label if the kernel lacks the hardware debug
        /// API.
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

/// Prints the kind and the address of the fault in one line.
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
                "timeout of the scheduling context with data {:#x} ({} us used)",
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
                Some(index) => write!(f, "virtual interrupt in list register {index} is finished"),
                None => f.write_str("virtual interrupt controller needs maintenance"),
            },
            Self::VCpuFault(fault) => write!(f, "virtual CPU fault (syndrome {:#x})", fault.hsr()),
            Self::VPpiEvent(fault) => write!(f, "virtual CPU's interrupt {}", fault.irq()),
        }
    }
}

/// Defines a fault message of `$words` words, with the index of each field.
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
    /// Label 0, which is not a fault. The message is empty.
    NullFault [0] {}
}

fault_message! {
    /// A system call used a capability pointer without a usable capability (`seL4_CapFault_Msg`).
    CapFault [7] {
        /// Returns the address of the system call instruction.
        ip = 0,
        /// Returns the capability pointer.
        addr = 1,
        /// Returns the number of the lookup failure (`seL4_LookupFailureType`).
        lookup_failure_type = 3,
        /// Returns the number of bits that were left to resolve.
        bits_left = 4,
    }
}

impl CapFault {
    /// Returns whether the fault occurred in the receive phase of the system call. The capability
    /// is then an endpoint, a notification or a reply object.
    pub const fn in_recv_phase(&self) -> bool {
        self.0[2] != 0
    }

    /// Returns the reason of the lookup failure.
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

/// The reason why the lookup of a capability pointer failed (`seL4_LookupFailureType` in
/// `errors.h`; seL4 manual, *Lookup Failure Description*).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum LookupFailure {
    /// The lookup did not fail, or the number of the failure is unknown.
    NoFailure,
    /// The root of the CSpace is not a CNode.
    InvalidRoot,
    /// The slot is empty, or its capability is of the wrong type.
    MissingCapability {
        /// The number of bits that were left to resolve.
        bits_left: Word,
    },
    /// The pointer has too few or too many bits for the CNodes on its path.
    DepthMismatch {
        /// The number of bits that were left to resolve.
        bits_left: Word,
        /// The number of bits that the CNode resolves.
        bits_found: Word,
    },
    /// The bits of the pointer do not match the guard of a CNode.
    GuardMismatch {
        /// The number of bits that were left to resolve.
        bits_left: Word,
        /// The guard of the CNode.
        guard_found: Word,
        /// The number of bits of the guard.
        bits_found: Word,
    },
}

impl fmt::Display for LookupFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoFailure => "the lookup did not fail",
            Self::InvalidRoot => "the root of the CSpace is not a CNode",
            Self::MissingCapability { .. } => "the slot is empty or has the wrong type",
            Self::DepthMismatch { .. } => "its depth does not match that of the CNode",
            Self::GuardMismatch { .. } => "it leads out of the CSpace",
        })
    }
}

fault_message! {
    /// A system call with an unknown number (`seL4_UnknownSyscall_Msg`).
    UnknownSyscall [13] {
        /// Returns the address of the system call instruction.
        fault_ip = 8,
        /// Returns the stack pointer.
        sp = 9,
        /// Returns the address of the next instruction. The manual calls this word LR, but the word
        /// is the exception link register, not x30.
        lr = 10,
        /// Returns the saved program status.
        spsr = 11,
        /// Returns the number of the system call.
        syscall = 12,
    }
}

impl UnknownSyscall {
    /// Returns register x`index`.
    ///
    /// # Panics
    ///
    /// Panics if `index` is above 7.
    pub const fn gpr(&self, index: usize) -> Word {
        assert!(index < 8, "the message has registers x0 to x7");
        self.0[index]
    }
}

fault_message! {
    /// An exception that the other faults do not cover, such as an undefined instruction
    /// (`seL4_UserException_Msg`).
    UserException [5] {
        /// Returns the address of the instruction.
        fault_ip = 0,
        /// Returns the stack pointer.
        sp = 1,
        /// Returns the saved program status.
        spsr = 2,
        /// Returns the number of the exception.
        number = 3,
        /// Returns the code of the exception: the exception syndrome (Arm ARM, `ESR_EL1`).
        code = 4,
    }
}

fault_message! {
    /// A breakpoint, a watchpoint or a single step (`seL4_DebugException_Msg`).
    DebugException [4] {
        /// Returns the address of the instruction.
        fault_ip = 0,
        /// Returns the number of the reason (`seL4_DebugException_t`).
        exception_reason = 1,
        /// Returns the watched address.
        trigger_address = 2,
        /// Returns the number of the breakpoint.
        breakpoint_number = 3,
    }
}

impl DebugException {
    /// Returns the reason, or `None` if the number of the reason is unknown.
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

/// The reason why a thread stopped with a debug exception (`seL4_BreakpointType`).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum DebugReason {
    /// A watchpoint. The last two words of the fault identify the watchpoint.
    DataBreakpoint,
    /// A breakpoint. The last two words of the fault identify the breakpoint.
    InstructionBreakpoint,
    /// A single step. The fault has no further words.
    SingleStep,
    /// A `brk` instruction. The fault has no further words.
    SoftwareBreakRequest,
}

fault_message! {
    /// The thread has exhausted its budget (`seL4_Timeout_Msg`).
    Timeout [2] {
        /// Returns the data word that identifies the scheduling context.
        data = 0,
        /// Returns the time used since the last report, in microseconds.
        consumed = 1,
    }
}

fault_message! {
    /// An access to unmapped memory, or an access without permission (`seL4_VMFault_Msg`).
    VmFault [4] {
        /// Returns the address of the instruction.
        ip = 0,
        /// Returns the address that was accessed.
        addr = 1,
        /// Returns the fault status: the exception syndrome (Arm ARM, `ESR_EL1`).
        fsr = 3,
    }
}

impl VmFault {
    /// Returns whether the access was an instruction fetch.
    pub const fn is_prefetch(&self) -> bool {
        self.0[2] != 0
    }

    /// Returns the kind of access.
    ///
    /// Bit 6 of the syndrome indicates whether a data access is a write (Arm ARM, *ISS encoding for
    /// an exception from a Data Abort*, `WnR`).
    ///
    /// ```
    /// use sel4::{Access, Fault};
    ///
    /// fn is_write(fault: &Fault) -> bool {
    ///     matches!(fault, Fault::VmFault(fault) if fault.access() == Access::Write)
    /// }
    /// ```
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

/// A kind of access to memory.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Access {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An instruction fetch.
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
    /// A virtual CPU's interrupt controller needs maintenance (`seL4_VGICMaintenance_Msg`).
    VGicMaintenance [1] {}
}

impl VGicMaintenance {
    /// Returns the list register of the finished interrupt, or `None` if the fault is not for a
    /// list register.
    pub const fn idx(&self) -> Option<Word> {
        match self.0[0] {
            Word::MAX => None,
            index => Some(index),
        }
    }
}

fault_message! {
    /// An exception that the monitor of the virtual CPU must handle (`seL4_VCPUFault_Msg`).
    ///
    /// A kernel with hypervisor support also sends this fault for any thread, if an exception of
    /// the thread is not covered by the other faults. An example is a `brk` without the hardware
    /// debug API.
    VCpuFault [1] {
        /// Returns the exception syndrome (Arm ARM, `ESR_EL2`).
        hsr = 0,
    }
}

impl VCpuFault {
    /// Returns the exception class: bits 26 to 31 of the syndrome (Arm ARM, `ESR_EL2`, EC).
    pub const fn exception_class(&self) -> Word {
        self.hsr() >> 26 & 0x3f
    }
}

fault_message! {
    /// A private interrupt of a virtual CPU (`seL4_VPPIEvent_Msg`).
    VPpiEvent [1] {
        /// Returns the number of the interrupt.
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
    fn each_word_of_a_vm_fault_is_decoded() {
        let Fault::VmFault(fault) = read(fault::VMFault) else {
            panic!("the wrong kind of fault")
        };
        assert_eq!((fault.ip(), fault.addr(), fault.fsr()), (100, 101, 103));
        assert!(fault.is_prefetch());
    }

    #[test]
    fn faults_are_displayed_with_their_details() {
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
            (0, "the lookup did not fail"),
            (1, "the root of the CSpace is not a CNode"),
            (2, "the slot is empty or has the wrong type"),
            (3, "its depth does not match that of the CNode"),
            (4, "it leads out of the CSpace"),
        ] {
            let expect = std::format!("{at} use of capability 0x9: {why}");
            check(fault::CapFault, &cap(0, failure), &expect);
        }
        let expect = std::format!("{at} receiving with capability 0x9: the lookup did not fail");
        check(fault::CapFault, &cap(1, 0), &expect);
        check(
            fault::VGICMaintenance,
            &[3],
            "virtual interrupt in list register 3 is finished",
        );
        check(
            fault::VGICMaintenance,
            &[Word::MAX],
            "virtual interrupt controller needs maintenance",
        );
    }

    #[test]
    fn each_word_of_an_unknown_syscall_is_decoded() {
        let Fault::UnknownSyscall(fault) = read(fault::UnknownSyscall) else {
            panic!("the wrong kind of fault")
        };
        assert_eq!((fault.gpr(0), fault.gpr(7)), (100, 107));
        assert_eq!((fault.fault_ip(), fault.sp(), fault.lr()), (108, 109, 110));
        assert_eq!((fault.spsr(), fault.syscall()), (111, 112));
    }

    #[test]
    fn each_word_of_a_capability_fault_and_an_exception_is_decoded() {
        let Fault::CapFault(fault) = read(fault::CapFault) else {
            panic!("the wrong kind of fault")
        };
        assert_eq!((fault.ip(), fault.addr()), (100, 101));
        assert!(fault.in_recv_phase());
        assert_eq!((fault.lookup_failure_type(), fault.bits_left()), (103, 104));
        let Fault::UserException(fault) = read(fault::UserException) else {
            panic!("the wrong kind of fault")
        };
        assert_eq!(
            (fault.fault_ip(), fault.sp(), fault.spsr()),
            (100, 101, 102)
        );
        assert_eq!((fault.number(), fault.code()), (103, 104));
    }

    #[test]
    fn each_fault_label_is_one_kind_and_other_labels_are_none() {
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
    fn the_kind_of_access_is_in_the_syndrome() {
        let check = |prefetch: Word, syndrome: Word, expect| {
            let fault = VmFault([0x20_0000, 0x700_0000, prefetch, syndrome]);
            assert_eq!(fault.access(), expect);
        };
        // seL4 reported these syndromes on QEMU, in the system `conformance-faults`.
        check(0, 0x93c0_8006, Access::Read);
        check(0, 0x93c0_8046, Access::Write);
        check(1, 0x8200_0006, Access::Execute);
    }

    #[test]
    fn the_exception_class_is_the_top_of_the_syndrome() {
        // seL4 reported the first syndrome on QEMU for a `brk`. The second syndrome is for a guest
        // whose first instruction is not mapped.
        assert_eq!(VCpuFault([0xf200_0000]).exception_class(), 0x3c);
        assert_eq!(VCpuFault([0x8200_0006]).exception_class(), 0x20);
    }

    #[test]
    fn each_reason_of_a_debug_exception_is_decoded() {
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
    fn each_lookup_failure_is_decoded_with_its_words() {
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
    fn each_kind_of_fault_is_displayed() {
        let check = |label: Word, expect: &str| assert_eq!(read(label).to_string(), expect);
        check(fault::NullFault, "no fault");
        check(
            fault::CapFault,
            "capability fault at 0x64: receiving with capability 0x65: the lookup \
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
            "timeout of the scheduling context with data 0x64 (101 us used)",
        );
        check(
            fault::VMFault,
            "VM fault at 0x64: execution of 0x65 (syndrome 0x67)",
        );
        check(
            fault::VGICMaintenance,
            "virtual interrupt in list register 100 is finished",
        );
        check(fault::VCPUFault, "virtual CPU fault (syndrome 0x64)");
        check(fault::VPPIEvent, "virtual CPU's interrupt 100");
    }

    #[test]
    fn a_maintenance_interrupt_may_concern_no_list_register() {
        let mut buffer = IpcBuffer::new();
        buffer.msg_regs_mut()[0] = Word::MAX;
        let info = MessageInfo::new(fault::VGICMaintenance, 0, 0, 1);
        let Fault::VGicMaintenance(fault) = Fault::new(&buffer, &info) else {
            panic!("the wrong kind of fault")
        };
        assert_eq!(fault.idx(), None);
    }
}
