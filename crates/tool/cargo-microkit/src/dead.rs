//! Records the faults and panics of protection domains, with their places.

use std::collections::BTreeMap;

use crate::fault::{FaultLine, Faults};
use crate::places::Places;
use crate::readable::readable;

/// The text between the name of a PD and the place of its panic in a log line.
const PANICKED: &str = ": panicked at ";

/// The faults and panics of PDs that a log has reported.
#[derive(Debug, Default)]
pub(crate) struct Dead {
    /// The names of all PDs.
    pds: Vec<String>,
    /// Faults of PDs without a parent. The monitor or the model kernel reports these faults, and
    /// nothing restarts the PD.
    faults: Faults,
    /// The place of each fault, if known.
    places: BTreeMap<String, String>,
    /// The place of each panic.
    panics: BTreeMap<String, String>,
}

impl Dead {
    /// Creates an empty record for PDs with these names.
    pub(crate) fn new(pds: Vec<String>) -> Self {
        Self {
            pds,
            ..Self::default()
        }
    }

    /// Processes the next line of the log. Returns the information about a fault in this line, if
    /// any.
    pub(crate) fn hear(&mut self, line: &str, places: &Places) -> Option<FaultLine> {
        if let Some((pd, place)) = line.split_once(PANICKED)
            && self.pds.iter().any(|name| name == pd)
        {
            let place = place.trim_end_matches(':');
            self.panics.insert(pd.to_owned(), readable(place));
        }
        let report = self.faults.hear(line)?;
        if let FaultLine::At { pd, address } = &report
            && let Some(place) = places.of_instruction(pd, *address)
        {
            self.places.insert(pd.clone(), place);
        }
        Some(report)
    }

    /// Returns whether a PD has faulted and cannot run again.
    pub(crate) fn is(&self, pd: &str) -> bool {
        self.faults.pds().any(|dead| dead == pd)
    }

    /// Returns whether any PD has faulted.
    pub(crate) fn is_any(&self) -> bool {
        self.faults.pds().next().is_some()
    }

    /// Returns the place of a PD's fault, if known. Returns `None` after a panic, because the panic
    /// message already names the place.
    pub(crate) fn place(&self, pd: &str) -> Option<&str> {
        let place = self.places.get(pd).map(String::as_str);
        place.filter(|_| !self.panics.contains_key(pd))
    }

    /// Returns whether all PDs have faulted.
    pub(crate) fn are_all(&self) -> bool {
        let mut pds = self.pds.iter();
        !self.pds.is_empty() && pds.all(|pd| self.is(pd))
    }

    /// Renders a line for each PD that has faulted or panicked.
    pub(crate) fn render(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (pd, how) in self.faults.each() {
            lines.push(match (self.panics.get(pd), self.places.get(pd)) {
                (Some(place), _) => format!("PD `{pd}` is dead: it panicked at {place}"),
                (None, Some(place)) => format!("PD `{pd}` is dead: in {place}, {how}"),
                (None, None) => format!("PD `{pd}` is dead: {how}"),
            });
        }
        for (pd, place) in &self.panics {
            if self.faults.pds().all(|dead| dead != pd) {
                lines.push(format!(
                    "PD `{pd}` panicked at {place}; the fault went to its parent"
                ));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dead_pd_is_reported_with_its_cause() {
        let check = |log: &str, are_all: bool, expect: &[&str]| {
            let mut all = Dead::new(vec!["a".to_owned()]);
            for line in log.lines() {
                all.hear(line, &Places::default());
            }
            assert_eq!(all.render(), expect, "{log}");
            assert_eq!(all.are_all(), are_all, "{log}");
        };
        check("hello\nit: panicked at last", false, &[]);
        let panic = "a: panicked at src/main.rs:3:5:\nwhy\n";
        let model =
            "MODEL|ERROR: a: read at 0x10, where nothing is mapped (pc 0x20, syndrome 0x9)\n";
        let monitor = "MON|ERROR: faulting PD: a\npc : 0x20\nMON|ERROR: UserException\n";
        let panicked = "PD `a` is dead: it panicked at src/main.rs:3:5";
        check(&format!("{panic}{model}"), true, &[panicked]);
        check(&format!("{panic}{monitor}"), true, &[panicked]);
        check(
            model,
            true,
            &["PD `a` is dead: read at 0x10, where nothing is mapped (pc 0x20, syndrome 0x9)"],
        );
        check(monitor, true, &["PD `a` is dead: UserException"]);
        check(
            panic,
            false,
            &["PD `a` panicked at src/main.rs:3:5; the fault went to its parent"],
        );
    }
}
