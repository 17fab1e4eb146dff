//! Parses the fault reports of the monitor and the model kernel. Reports exist only for PDs without
//! a parent, because a parent handles the faults of its children.

use crate::readable::readable;

/// The prefix of a report's second line. The name of the PD follows.
const FAULTING_PD: &str = "MON|ERROR: faulting PD: ";

/// The prefix of the monitor's messages. The first message after the registers describes the fault.
const MONITOR_ERROR: &str = "MON|ERROR: ";

/// The prefix of the line with the PD's program counter.
const MONITOR_PC: &str = "pc : ";

/// The prefix of the line that reports a fault just below the stack.
const MONITOR_OVERFLOW: &str = "MON|ERROR: potential stack overflow";

/// The prefix of the line with the syndrome of a vCPU fault. The kernel raises this fault for a
/// virtual CPU, and for a PD that used a disabled feature.
const MONITOR_VCPU: &str = "MON|ERROR: received vCPU fault with ESR: ";

/// The exception class of an access to a floating-point or vector register. The class is in the
/// highest six of a syndrome's 32 bits (Arm ARM, `ESR_EL1`, EC 0b000111).
const FLOATING_POINT: u64 = 0b000111;

/// The description of a fault with this exception class.
const FLOATING_POINT_FORBIDDEN: &str = "used floating point, which fpu=\"false\" forbids";

/// The prefix of the model kernel's reports; the name of the PD follows.
const MODEL_ERROR: &str = "MODEL|ERROR: ";

/// The information about a fault in a line of the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FaultLine {
    /// A PD has faulted; the report follows.
    Fault { pd: String },
    /// The PD's program counter.
    At { pd: String, address: u64 },
    /// The PD's stack was too small.
    StackOverflow { pd: String },
    /// The PD used a floating-point register without permission.
    FloatingPoint { pd: String },
}

/// Parses the first line of a model kernel's report: the PD, its access, and the program counter.
///
/// Stack overflows are not parsed, because the model kernel explains a stack overflow in its own
/// report.
fn model_fault(line: &str) -> Option<(&str, &str, u64)> {
    let (pd, how) = line.strip_prefix(MODEL_ERROR)?.split_once(": ")?;
    let (_, rest) = how.split_once("(pc ")?;
    let (address, _) = rest.split_once(',')?;
    Some((pd, how, hexadecimal(address)?))
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}

/// The faults that were reported in a log.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

#[derive(Debug)]
struct Fault {
    pd: String,
    how: Option<String>,
}

impl Faults {
    /// Collects the faults in the lines of a log.
    pub(crate) fn from_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut faults = Self::default();
        for line in lines {
            faults.hear(line);
        }
        faults
    }

    /// Processes the next line of the log. Returns the information about a fault in this line, if
    /// any.
    pub(crate) fn hear(&mut self, line: &str) -> Option<FaultLine> {
        if let Some(pd) = line.strip_prefix(FAULTING_PD) {
            let pd = readable(pd);
            self.0.push(Fault {
                pd: pd.clone(),
                how: None,
            });
            return Some(FaultLine::Fault { pd });
        }
        if let Some((pd, how, address)) = model_fault(line) {
            let (pd, how) = (readable(pd), Some(how.to_owned()));
            self.0.push(Fault {
                pd: pd.clone(),
                how,
            });
            return Some(FaultLine::At { pd, address });
        }
        let fault = self.0.last_mut()?;
        if let Some(address) = line.strip_prefix(MONITOR_PC).and_then(hexadecimal) {
            let pd = fault.pd.clone();
            return Some(FaultLine::At { pd, address });
        }
        if line.starts_with(MONITOR_OVERFLOW) {
            let pd = fault.pd.clone();
            return Some(FaultLine::StackOverflow { pd });
        }
        let syndrome = line.strip_prefix(MONITOR_VCPU).and_then(hexadecimal);
        if syndrome.is_some_and(|syndrome| syndrome >> 26 == FLOATING_POINT) {
            let pd = fault.pd.clone();
            fault.how = Some(FLOATING_POINT_FORBIDDEN.to_owned());
            return Some(FaultLine::FloatingPoint { pd });
        }
        if fault.how.is_none() {
            fault.how = line.strip_prefix(MONITOR_ERROR).map(str::to_owned);
        }
        None
    }

    /// Returns the PDs that have faulted.
    pub(crate) fn pds(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|fault| fault.pd.as_str())
    }

    /// Returns each PD that has faulted, with a description of its fault.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|Fault { pd, how }| {
            let how = how.as_deref().unwrap_or("the monitor did not report how");
            (pd.as_str(), readable(how))
        })
    }

    /// Renders a line for each fault.
    pub(crate) fn render(&self) -> String {
        self.each()
            .map(|(pd, how)| format!("\nPD `{pd}` faulted: {how}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_a_report_is_parsed() {
        let mut faults = Faults::default();
        let mut check = |line: &str, expect: Option<FaultLine>| {
            assert_eq!(faults.hear(line), expect, "{line}");
        };
        let pd = || "deep".to_owned();
        check("pc : 0x0000000000217fe0", None);
        check(
            "MON|ERROR: faulting PD: deep",
            Some(FaultLine::Fault { pd: pd() }),
        );
        let address = 0x21_7fe0;
        check(
            "pc : 0x0000000000217fe0",
            Some(FaultLine::At { pd: pd(), address }),
        );
        check("MON|ERROR: VMFault: ip=0x217fe0", None);
        check(
            "MON|ERROR: potential stack overflow, fault address within one page",
            Some(FaultLine::StackOverflow { pd: pd() }),
        );
        check(
            "MODEL|ERROR: deep: write at 0xffffffbf60 (pc 0x217fe0, syndrome 0x93c08047)",
            Some(FaultLine::At { pd: pd(), address }),
        );
        check("MODEL|ERROR: deep: x0=0x15 x1=0x15", None);
        check(
            "MON|ERROR: faulting PD: float",
            Some(FaultLine::Fault {
                pd: "float".to_owned(),
            }),
        );
        check(
            "MON|ERROR: received vCPU fault with ESR: 0x000000001fe00000",
            Some(FaultLine::FloatingPoint {
                pd: "float".to_owned(),
            }),
        );
        check(
            "MON|ERROR: received vCPU fault with ESR: 0x0000000004000000",
            None,
        );
        assert_eq!(
            faults.render().lines().last(),
            Some("PD `float` faulted: used floating point, which fpu=\"false\" forbids")
        );
    }

    #[test]
    fn the_monitors_report_gives_the_pd_and_the_fault() {
        let check = |log: &str, expect: &str| {
            assert_eq!(Faults::from_lines(log.lines()).render(), expect, "{log}");
        };
        let report = "MON|ERROR: received message 0x6  badge: 0x1\n\
                      MON|ERROR: faulting PD: crasher\n\
                      Registers:\n\
                      pc : 0x200028\n\
                      MON|ERROR: VMFault: ip=0x200028  fault_addr=0x0\n\
                      MON|ERROR:   ec: 0x24";
        check("hello\nMON|INFO: PD 'hello' is now passive!", "");
        check(
            report,
            "\nPD `crasher` faulted: VMFault: ip=0x200028  fault_addr=0x0",
        );
        check(
            "MON|ERROR: faulting PD: a\nMON|ERROR: faulting PD: b",
            "\nPD `a` faulted: the monitor did not report how\
             \nPD `b` faulted: the monitor did not report how",
        );
    }
}
