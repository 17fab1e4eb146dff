//! The events that enter the kernel, and the decisions that the kernel returns.

use crate::clock::Ticks;
use crate::context::{Register, UserContext};
use crate::fault::Fault;
use crate::ids::ThreadId;
use crate::numbers::debug_reason;

/// An event that enters the kernel.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// The running thread made a system call with this number in `x7`.
    Syscall(u64),
    /// The running thread faulted.
    Fault(Fault),
    /// An IRQ arrived with this number at the interrupt controller.
    Interrupt(u32),
    /// The timer fired, at the time in [`Next`] or at any other time.
    Tick,
}

/// The register of a system call's number.
const SYSCALL_REGISTER: Register = Register::X(7);

/// Classes of exceptions from a lower exception level (Arm manual, *`ESR_EL2`*).
mod exception_class {
    pub(super) const SVC64: u64 = 0x15;
    pub(super) const HVC64: u64 = 0x16;
    pub(super) const INSTRUCTION_ABORT: u64 = 0x20;
    pub(super) const DATA_ABORT: u64 = 0x24;
    pub(super) const BREAKPOINT: u64 = 0x30;
    pub(super) const SINGLE_STEP: u64 = 0x32;
    pub(super) const WATCHPOINT: u64 = 0x34;
    pub(super) const BRK64: u64 = 0x3c;
}

/// The syndrome of an undefined instruction.
const UNKNOWN_INSTRUCTION: u64 = 0x200_0000;

impl Event {
    /// Converts a synchronous exception of a thread to an event. The arguments are the syndrome,
    /// the faulting address and the thread's registers (seL4's `traps.S`, `c_traps.c` and
    /// `handleVCPUFault`, as a hypervisor).
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel_model::{Event, Fault, UserContext};
    ///
    /// let context = UserContext { pc: 0x20_0000, ..UserContext::default() };
    /// let write_to_null = 0x9200_0044;
    /// let fault = Fault::Vm { address: 0, fsr: 0x9200_0044, instruction: false };
    /// assert_eq!(Event::of_exception(write_to_null, 0, &context), Event::Fault(fault));
    /// ```
    pub fn of_exception(esr: u64, far: u64, context: &UserContext) -> Self {
        let syndrome = esr as u32;
        let debug = |reason, address| {
            Self::Fault(Fault::Debug {
                reason,
                address,
                breakpoint: 0,
            })
        };
        match esr >> 26 & 0x3f {
            exception_class::SVC64 | exception_class::HVC64 => {
                Self::Syscall(context[SYSCALL_REGISTER])
            }
            exception_class::DATA_ABORT => Self::Fault(Fault::Vm {
                address: far,
                fsr: syndrome,
                instruction: false,
            }),
            exception_class::INSTRUCTION_ABORT => Self::Fault(Fault::Vm {
                address: context.pc,
                fsr: syndrome,
                instruction: true,
            }),
            exception_class::BREAKPOINT => debug(debug_reason::InstructionBreakpoint, context.pc),
            exception_class::WATCHPOINT => debug(debug_reason::DataBreakpoint, far),
            exception_class::SINGLE_STEP => debug(debug_reason::SingleStep, context.pc),
            exception_class::BRK64 => debug(debug_reason::SoftwareBreakRequest, context.pc),
            _ if esr == UNKNOWN_INSTRUCTION => Self::Fault(Fault::UserException {
                number: syndrome,
                code: 0,
            }),
            _ => Self::Fault(Fault::Vcpu { hsr: syndrome }),
        }
    }
}

/// The decision of a step: which thread runs, if any.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Next {
    /// A thread runs until the next event.
    Run {
        /// The thread. The thread's registers are in its [context](crate::Kernel::context).
        thread: ThreadId,
        /// The time of the next [`Tick`](Event::Tick), unless another event occurs earlier. If this
        /// time is in the past, the tick is due immediately.
        until: Ticks,
    },
    /// No thread can run.
    Idle {
        /// The time of the next [`Tick`](Event::Tick), if a thread waits for a refill.
        until: Option<Ticks>,
    },
    /// A thread has halted the machine (`DebugHalt`). Later events have no effect.
    Halt,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(esr: u64, expect: Event) {
        let mut context = UserContext {
            pc: 0x20_0004,
            ..UserContext::default()
        };
        context.x[7] = u64::MAX;
        assert_eq!(Event::of_exception(esr, 0x8000, &context), expect);
    }

    #[test]
    fn exceptions_become_the_events_that_sel4_makes_of_them_as_a_hypervisor() {
        check(0x5600_0000, Event::Syscall(u64::MAX));
        let vm = |address, fsr, instruction| {
            Event::Fault(Fault::Vm {
                address,
                fsr,
                instruction,
            })
        };
        check(0x9200_0004, vm(0x8000, 0x9200_0004, false));
        check(0x8200_0007, vm(0x20_0004, 0x8200_0007, true));
        let debug = |reason, address| {
            Event::Fault(Fault::Debug {
                reason,
                address,
                breakpoint: 0,
            })
        };
        check(0xf200_0001, debug(3, 0x20_0004));
        check(0xc200_0022, debug(1, 0x20_0004));
        check(0xd200_0022, debug(0, 0x8000));
        let undefined = Fault::UserException {
            number: 0x200_0000,
            code: 0,
        };
        check(0x200_0000, Event::Fault(undefined));
        // The syndromes of disabled floating point and of a forbidden system register.
        for hsr in [0x1fe0_0000, 0x6232_c022] {
            check(hsr.into(), Event::Fault(Fault::Vcpu { hsr }));
        }
    }
}
