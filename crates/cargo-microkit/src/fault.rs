//! The monitor's reports of PDs that have faulted and have no parent to handle it.

use std::fmt::Write;

/// Says which PD the report is about, in its second line.
const FAULTING_PD: &str = "MON|ERROR: faulting PD: ";

/// Begins every line of a report that is for people; the first after the registers says how.
const MONITOR_ERROR: &str = "MON|ERROR: ";

/// The faults that were reported in a log.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

#[derive(Debug)]
struct Fault {
    pd: String,
    how: Option<String>,
}

impl Faults {
    /// Those in the lines of a log.
    pub(crate) fn of<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut faults = Self::default();
        for line in lines {
            faults.hear(line);
        }
        faults
    }

    /// Takes the next line of the log, and returns the PD whose fault it reports.
    pub(crate) fn hear<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        if let Some(pd) = line.strip_prefix(FAULTING_PD) {
            self.0.push(Fault {
                pd: pd.to_owned(),
                how: None,
            });
            return Some(pd);
        }
        if let Some(fault) = self.0.last_mut()
            && fault.how.is_none()
        {
            fault.how = line.strip_prefix(MONITOR_ERROR).map(str::to_owned);
        }
        None
    }

    /// A line for each fault.
    pub(crate) fn told(&self) -> String {
        let mut text = String::new();
        for Fault { pd, how } in &self.0 {
            let how = how.as_deref().unwrap_or("the monitor has not said how");
            // Writing to a string does not fail.
            let _ = write!(text, "\nPD `{pd}` faulted: {how}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monitor_names_the_pd_and_after_its_registers_the_fault() {
        let check = |log: &str, expect: &str| {
            assert_eq!(Faults::of(log.lines()).told(), expect, "{log}");
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
            "\nPD `a` faulted: the monitor has not said how\
             \nPD `b` faulted: the monitor has not said how",
        );
    }
}
