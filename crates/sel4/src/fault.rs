//! Faults: what the kernel says to the handler of a thread that cannot go on (seL4 manual,
//! *Faults*).

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
    /// Whether it was the capability to receive from.
    pub const fn in_recv_phase(&self) -> bool {
        self.0[2] != 0
    }
}

fault_message! {
    /// A system call that the kernel does not know (`seL4_UnknownSyscall_Msg`).
    UnknownSyscall [13] {
        /// Where the system call was made.
        fault_ip = 8,
        /// The stack pointer.
        sp = 9,
        /// The link register.
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
    /// A virtual CPU did what its monitor must answer (`seL4_VCPUFault_Msg`).
    VCpuFault [1] {
        /// The exception syndrome, ESR (Arm ARM, *ESR_EL2*).
        hsr = 0,
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
