//! The lines that the kernel prints. The prefix [`INFO`] or [`ERROR`] distinguishes each line from
//! the output of protection domains (PDs).

use crate::syndrome::{Access, Syndrome};
use boot_spec::ProtectionDomain;
use core::fmt;
use kernel_model::numbers::{debug_reason, fault, lookup_failure};
use kernel_model::{Kernel, MonitorFault, ThreadState, UserContext};
use microkit_abi::limits::SMALL_PAGE_BYTES;

/// The prefix of an informational line.
pub const INFO: &str = "MODEL|INFO: ";

/// The prefix of a line about an error.
pub const ERROR: &str = "MODEL|ERROR: ";

/// The report of a PD's fault that the monitor received. A few lines describe the faulting action
/// and its address, a possible stack overflow, and the registers.
#[derive(Debug, Copy, Clone)]
pub struct FaultReport<'a> {
    /// The PD.
    pub pd: &'a ProtectionDomain,
    /// The fault.
    pub fault: MonitorFault<'a>,
}

impl fmt::Display for FaultReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.pd.name;
        let pc = self.fault.context.fault_ip;
        write!(f, "{ERROR}{name}: {} (pc {pc:#x}", Deed(self))?;
        if let Some(syndrome) = self.syndrome() {
            write!(f, ", syndrome {syndrome:#x}")?;
        }
        writeln!(f, ")")?;
        if let Some(address) = self.stack_overflow() {
            let bytes = self.pd.stack.bytes;
            writeln!(
                f,
                "{ERROR}{name}: {address:#x} is just below its stack of {bytes:#x} bytes: a stack \
                 overflow? Raise stack_size in <protection_domain name=\"{name}\">"
            )?;
        }
        write_registers(f, name, self.fault.context)
    }
}

impl FaultReport<'_> {
    /// Returns the syndrome, if the fault has one.
    fn syndrome(&self) -> Option<u64> {
        let words = self.fault.words;
        match self.fault.label {
            fault::VMFault | fault::UserException => Some(words[3]),
            fault::VCPUFault => Some(words[0]),
            _ => None,
        }
    }

    /// Returns the faulting address, if it is within a page below the PD's stack.
    fn stack_overflow(&self) -> Option<u64> {
        let address = self.fault.words[1];
        let below = self.pd.stack.bottom.checked_sub(address)?;
        let near = self.fault.label == fault::VMFault && (1..=SMALL_PAGE_BYTES).contains(&below);
        near.then_some(address)
    }
}

/// Displays the action that faulted, as a sentence without its subject. The words are not trusted,
/// because a PD can send any message to the monitor.
struct Deed<'a>(&'a FaultReport<'a>);

impl fmt::Display for Deed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.0.fault.words;
        match self.0.fault.label {
            fault::VMFault => {
                let syndrome = Syndrome(words[3] as u32);
                let (address, reason) = (words[1], syndrome.abort_reason());
                match syndrome.access() {
                    Access::Fetch => write!(f, "jumped to {address:#x}, {reason}"),
                    access => write!(f, "{access} at {address:#x}, {reason}"),
                }
            }
            fault::CapFault => {
                let verb = if words[2] == 0 {
                    "invoked"
                } else {
                    "received on"
                };
                let reason = match words[3] {
                    lookup_failure::MissingCapability => {
                        "which does not exist or is of the wrong kind"
                    }
                    lookup_failure::GuardMismatch => "which is outside its capability space",
                    _ => "which does not lead to a slot",
                };
                write!(f, "{verb} the capability {:#x}, {reason}", words[1])
            }
            fault::UnknownSyscall => write!(
                f,
                "made system call {}, which does not exist",
                self.0.fault.context.x[7] as i64
            ),
            fault::UserException => {
                write!(f, "executed an undefined instruction, as a panic does")
            }
            fault::DebugException => match words[1] {
                debug_reason::SoftwareBreakRequest => write!(f, "executed a breakpoint"),
                reason => write!(f, "reached a breakpoint of kind {reason}"),
            },
            fault::VCPUFault => f.write_str(Syndrome(words[0] as u32).trapped()),
            fault::Timeout => write!(f, "used up its budget, and has a timeout handler"),
            label => write!(f, "sent the monitor a message with label {label}"),
        }
    }
}

/// Writes all registers, eight to a line.
fn write_registers(f: &mut fmt::Formatter<'_>, name: &str, context: &UserContext) -> fmt::Result {
    let UserContext {
        x,
        sp,
        pc: _,
        spsr,
        fault_ip,
        tpidr,
        tpidrro,
    } = context;
    for (line, registers) in x.chunks(8).enumerate() {
        write!(f, "{ERROR}{name}:")?;
        for (column, value) in registers.iter().enumerate() {
            write!(f, " x{}={value:#x}", line * 8 + column)?;
        }
        writeln!(f)?;
    }
    // Prints `fault_ip` as the program counter, like seL4's monitor. After a system call, `pc` is
    // one instruction further.
    write!(
        f,
        "{ERROR}{name}: sp={sp:#x} pc={fault_ip:#x} spsr={spsr:#x}"
    )?;
    writeln!(f, " tpidr={tpidr:#x} tpidrro={tpidrro:#x}")
}

/// A list of all threads and their states, with one line for each thread.
#[derive(Debug, Copy, Clone)]
pub struct ThreadList<'a>(pub &'a Kernel);

impl fmt::Display for ThreadList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kernel = self.0;
        for id in kernel.threads() {
            let thread = kernel.thread(id);
            let state = match thread.state() {
                ThreadState::Running | ThreadState::Restart => "runs",
                ThreadState::BlockedOnReceive { .. } => "waits to receive",
                ThreadState::BlockedOnSend { .. } => "waits to send",
                ThreadState::BlockedOnReply { .. } => "waits for a reply",
                ThreadState::BlockedOnNotification { .. } => "waits for a signal",
                ThreadState::Inactive => "is stopped",
            };
            let (name, priority, pc) = (kernel.name(id), thread.priority(), thread.context.pc);
            writeln!(f, "{INFO}{name} (priority {priority}) {state} at {pc:#x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};
    use boot_spec::Stack;
    use kernel_model::MONITOR_WORDS;

    fn report(label: u64, words: &[u64]) -> String {
        let pd = ProtectionDomain {
            name: "ping".into(),
            stack: Stack {
                bottom: 0x8000,
                bytes: 0x2000,
            },
            ..Default::default()
        };
        let context = UserContext {
            x: core::array::from_fn(|number| number as u64),
            fault_ip: 0x20_0000,
            pc: 0x20_0004,
            sp: 0x7ff0,
            ..Default::default()
        };
        let mut all = [0; MONITOR_WORDS];
        all[..words.len()].copy_from_slice(words);
        FaultReport {
            pd: &pd,
            fault: MonitorFault {
                pd_index: 0,
                label,
                words: all,
                context: &context,
            },
        }
        .to_string()
    }

    #[track_caller]
    fn check(label: u64, words: &[u64], deed: &str) {
        let report = report(label, words);
        let line = report.lines().next().unwrap_or_default();
        assert_eq!(line.strip_prefix("MODEL|ERROR: ping: "), Some(deed));
    }

    #[test]
    fn each_kind_of_fault_has_a_sentence() {
        check(
            fault::VMFault,
            &[0x20_0000, 0, 0, 0x9200_0045],
            "write at 0x0, where nothing is mapped (pc 0x200000, syndrome 0x92000045)",
        );
        check(
            fault::VMFault,
            &[0x20_0000, 0x4000, 1, 0x8200_000f],
            "jumped to 0x4000, which the mapping there does not allow (pc 0x200000, syndrome \
             0x8200000f)",
        );
        check(
            fault::CapFault,
            &[0x20_0000, 11, 0, 2, 0],
            "invoked the capability 0xb, which does not exist or is of the wrong kind (pc 0x200000)",
        );
        check(
            fault::CapFault,
            &[0x20_0000, 5000, 1, 4, 58, 0, 49],
            "received on the capability 0x1388, which is outside its capability space (pc \
             0x200000)",
        );
        check(
            fault::UnknownSyscall,
            &[],
            "made system call 7, which does not exist (pc 0x200000)",
        );
        check(
            fault::UserException,
            &[0x20_0000, 0, 0, 0x200_0000, 0],
            "executed an undefined instruction, as a panic does (pc 0x200000, syndrome 0x2000000)",
        );
        check(
            fault::DebugException,
            &[0x20_0000, 3],
            "executed a breakpoint (pc 0x200000)",
        );
        check(
            fault::VCPUFault,
            &[0x1fe0_0000],
            "used floating point, which fpu=\"false\" forbids (pc 0x200000, syndrome 0x1fe00000)",
        );
        check(
            99,
            &[],
            "sent the monitor a message with label 99 (pc 0x200000)",
        );
    }

    #[test]
    fn a_stack_overflow_is_distinguished_from_other_faults() {
        let overflow = |address| {
            let report = report(fault::VMFault, &[0x20_0000, address, 0, 0x9200_0047]);
            report.contains("a stack overflow? Raise stack_size in <protection_domain")
        };
        assert!(overflow(0x7fff));
        assert!(overflow(0x7000));
        assert!(!overflow(0x6fff));
        assert!(!overflow(0x8000));
        assert!(!overflow(0));
        assert!(!report(fault::CapFault, &[0, 0x7fff]).contains("overflow"));
    }

    #[test]
    fn every_line_has_the_prefix_and_every_register_is_printed() {
        let report = report(fault::VMFault, &[0x20_0000, 0x7fff, 0, 0x9200_0047]);
        assert!(
            report
                .lines()
                .all(|line| line.starts_with("MODEL|ERROR: ping: "))
        );
        for number in 0..31 {
            assert!(report.contains(&alloc::format!(" x{number}={number:#x}")));
        }
        assert!(report.contains(" sp=0x7ff0 pc=0x200000 spsr=0x40 "));
        assert_eq!(report.lines().count(), 7);
    }
}
