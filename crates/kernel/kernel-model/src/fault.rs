//! Faults: the message that reports each fault, and the effects of the fault reply (seL4 manual,
//! *Faults and Exceptions*; seL4's `api/faults.c`).

use crate::context::{
    Register, TIMEOUT_REPLY_REGISTERS, UNKNOWN_SYSCALL_REGISTERS, USER_EXCEPTION_REGISTERS,
    UserContext,
};
use crate::cspace::LookupFailure;
use crate::numbers::{debug_reason, fault};

/// A fault of a thread.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A capability lookup failed, or found a capability of the wrong kind.
    Capability {
        /// The capability pointer.
        address: u64,
        /// Whether the thread used the capability to receive, and not to send.
        receiving: bool,
        /// The reason why the lookup failed.
        failure: LookupFailure,
    },
    /// The thread made a system call that does not exist.
    UnknownSyscall {
        /// The number.
        number: u64,
    },
    /// The thread executed an undefined or forbidden instruction.
    UserException {
        /// On AArch64, the syndrome.
        number: u32,
        /// On AArch64, zero.
        code: u32,
    },
    /// The thread reached a breakpoint.
    Debug {
        /// The kind, one of [`debug_reason`].
        reason: u64,
        /// The address, for a hardware breakpoint.
        address: u64,
        /// The number of the breakpoint, for a hardware breakpoint.
        breakpoint: u64,
    },
    /// The thread has used up its budget.
    Timeout {
        /// The badge of the scheduling context.
        badge: u64,
    },
    /// The thread accessed an address without permission.
    Vm {
        /// The address.
        address: u64,
        /// The fault status: on AArch64, the syndrome.
        fsr: u32,
        /// Whether the access was an instruction fetch.
        instruction: bool,
    },
    /// The thread executed an operation that traps to a hypervisor, for example a floating-point
    /// instruction while floating point is disabled.
    Vcpu {
        /// The syndrome.
        hsr: u32,
    },
}

/// The length of the longest fault message, which reports an unknown system call.
const MAX_WORDS: usize = UNKNOWN_SYSCALL_REGISTERS.len() + 1;

/// The words of a fault message.
pub(crate) struct FaultWords {
    words: [u64; MAX_WORDS],
    count: usize,
}

impl FaultWords {
    pub(crate) fn as_slice(&self) -> &[u64] {
        &self.words[..self.count]
    }

    fn push(&mut self, word: u64) {
        self.words[self.count] = word;
        self.count += 1;
    }

    fn push_registers(&mut self, context: &UserContext, registers: &[Register]) {
        for register in registers {
            self.push(context[*register]);
        }
    }
}

impl Fault {
    /// Returns the label of the fault message.
    pub fn label(self) -> u64 {
        match self {
            Self::Capability { .. } => fault::CapFault,
            Self::UnknownSyscall { .. } => fault::UnknownSyscall,
            Self::UserException { .. } => fault::UserException,
            Self::Debug { .. } => fault::DebugException,
            Self::Timeout { .. } => fault::Timeout,
            Self::Vm { .. } => fault::VMFault,
            Self::Vcpu { .. } => fault::VCPUFault,
        }
    }

    /// Returns the words of the fault message, for a thread with these registers.
    ///
    /// `consumed_us` is the time that the thread's scheduling context has used, if the thread has a
    /// scheduling context. Only a timeout fault reports this time.
    pub(crate) fn words(self, context: &UserContext, consumed_us: Option<u64>) -> FaultWords {
        let mut message = FaultWords {
            words: [0; MAX_WORDS],
            count: 0,
        };
        match self {
            Self::Capability {
                address,
                receiving,
                failure,
            } => {
                message.push(context.fault_ip);
                message.push(address);
                message.push(receiving.into());
                let (words, count) = failure.words();
                words[..count].iter().for_each(|word| message.push(*word));
            }
            Self::UnknownSyscall { number } => {
                message.push_registers(context, &UNKNOWN_SYSCALL_REGISTERS);
                message.push(number);
            }
            Self::UserException { number, code } => {
                message.push_registers(context, &USER_EXCEPTION_REGISTERS);
                message.push(number.into());
                message.push(code.into());
            }
            Self::Debug {
                reason,
                address,
                breakpoint,
            } => {
                message.push(context.fault_ip);
                message.push(reason);
                let in_register = [
                    debug_reason::DataBreakpoint,
                    debug_reason::InstructionBreakpoint,
                ];
                if in_register.contains(&reason) {
                    message.push(address);
                    message.push(breakpoint);
                }
            }
            Self::Timeout { badge } => {
                message.push(badge);
                if let Some(consumed) = consumed_us {
                    message.push(consumed);
                }
            }
            Self::Vm {
                address,
                fsr,
                instruction,
            } => {
                message.push(context.fault_ip);
                message.push(address);
                message.push(instruction.into());
                message.push(fsr.into());
            }
            Self::Vcpu { hsr } => message.push(hsr.into()),
        }
        message
    }

    /// Returns the registers that a reply to the fault sets, in the order of the reply's words.
    pub(crate) fn reply_registers(self) -> &'static [Register] {
        match self {
            Self::UnknownSyscall { .. } => &UNKNOWN_SYSCALL_REGISTERS,
            Self::UserException { .. } => &USER_EXCEPTION_REGISTERS,
            Self::Timeout { .. } => &TIMEOUT_REPLY_REGISTERS,
            Self::Capability { .. } | Self::Debug { .. } | Self::Vm { .. } | Self::Vcpu { .. } => {
                &[]
            }
        }
    }

    /// Returns whether a reply with this label restarts the thread.
    pub(crate) fn restarts(self, label: u64) -> bool {
        match self {
            Self::Capability { .. } | Self::Vm { .. } | Self::Vcpu { .. } => true,
            Self::UnknownSyscall { .. }
            | Self::UserException { .. }
            | Self::Debug { .. }
            | Self::Timeout { .. } => label == 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> UserContext {
        let mut context = UserContext {
            sp: 31,
            pc: 32,
            spsr: 33,
            fault_ip: 34,
            ..UserContext::default()
        };
        (0..)
            .zip(&mut context.x)
            .for_each(|(number, x)| *x = number);
        context
    }

    #[track_caller]
    fn check(fault: Fault, label: u64, words: &[u64]) {
        assert_eq!(fault.label(), label);
        assert_eq!(fault.words(&context(), Some(7)).as_slice(), words);
    }

    #[test]
    fn each_fault_message_has_the_words_of_sel4s() {
        let failure = LookupFailure::GuardMismatch {
            bits_left: 58,
            guard_found: 0,
            bits_found: 49,
        };
        check(
            Fault::Capability {
                address: 5000,
                receiving: true,
                failure,
            },
            1,
            &[34, 5000, 1, 4, 58, 0, 49],
        );
        check(
            Fault::Capability {
                address: 5,
                receiving: false,
                failure: LookupFailure::MISSING,
            },
            1,
            &[34, 5, 0, 2, 0],
        );
        check(
            Fault::UnknownSyscall { number: 99 },
            2,
            &[0, 1, 2, 3, 4, 5, 6, 7, 34, 31, 32, 33, 99],
        );
        check(
            Fault::UserException {
                number: 0x200_0000,
                code: 0,
            },
            3,
            &[34, 31, 33, 0x200_0000, 0],
        );
        let debug = |reason| Fault::Debug {
            reason,
            address: 8,
            breakpoint: 2,
        };
        check(debug(debug_reason::SoftwareBreakRequest), 4, &[34, 3]);
        check(debug(debug_reason::SingleStep), 4, &[34, 2]);
        check(debug(debug_reason::DataBreakpoint), 4, &[34, 0, 8, 2]);
        check(
            debug(debug_reason::InstructionBreakpoint),
            4,
            &[34, 1, 8, 2],
        );
        check(Fault::Timeout { badge: 0x101 }, 5, &[0x101, 7]);
        check(
            Fault::Vm {
                address: 9,
                fsr: 0x9200_0004,
                instruction: false,
            },
            6,
            &[34, 9, 0, 0x9200_0004],
        );
        check(Fault::Vcpu { hsr: 0x1fe0_0000 }, 8, &[0x1fe0_0000]);
    }

    #[test]
    fn a_timeout_without_a_scheduling_context_does_not_report_consumed_time() {
        let words = Fault::Timeout { badge: 1 }.words(&context(), None);
        assert_eq!(words.as_slice(), [1]);
    }
}
