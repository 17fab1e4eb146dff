//! The verdict on each test, printed immediately, and the counts at the end.

use std::fmt::Display;

use crate::command::Outcome;
use crate::interrupt;
use crate::terminal;

/// The result of a test.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// The test passed; the remark may be empty.
    Passed(String),
    /// The test failed, for this reason.
    Failed(String),
    /// The test was skipped, for this reason.
    Skipped(String),
    /// The user interrupted the test.
    Interrupted,
}

/// The verdicts that were recorded so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    passed: usize,
    skipped: usize,
    failures: Vec<(String, String)>,
}

impl Tally {
    /// Counts a verdict and prints its line.
    pub(super) fn record(&mut self, system: &str, variant: impl Display, verdict: Verdict) {
        match verdict {
            Verdict::Passed(remark) => {
                self.passed += 1;
                terminal::line(format_args!("ok   {system} ({variant}){remark}"));
            }
            Verdict::Failed(why) => {
                let name = format!("{system} ({variant})");
                terminal::line(format_args!("FAIL {name}"));
                self.failures.push((name, why));
            }
            Verdict::Skipped(why) => {
                self.skipped += 1;
                terminal::line(format_args!("skip {system} ({why}; {variant})"));
            }
            Verdict::Interrupted => {}
        }
    }

    /// Prints the reason of each failure, and the counts as the last line.
    pub(super) fn finish(self) -> Outcome {
        for (name, why) in &self.failures {
            terminal::line(format_args!("\n---- {name}\n{}", why.trim_end()));
        }
        if !self.failures.is_empty() {
            terminal::line("");
        }
        let (passed, failed, skipped) = (self.passed, self.failures.len(), self.skipped);
        terminal::line(format_args!(
            "{passed} passed, {failed} failed, {skipped} skipped"
        ));
        if interrupt::requested() {
            Outcome::Interrupted
        } else if failed > 0 {
            Outcome::Failed
        } else {
            Outcome::Done
        }
    }
}
