//! The results of exploring.

use std::fmt;

use crate::Schedule;

/// The result of exploring without a failure.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Explored {
    pub(super) runs: usize,
    pub(super) schedules: Option<u128>,
    pub(super) states: usize,
    pub(super) samples: usize,
    pub(super) seed: u64,
}

impl Explored {
    /// Returns whether every schedule was explored.
    pub fn is_complete(&self) -> bool {
        self.schedules.is_some()
    }

    /// Returns the number of runs, without the samples.
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// Returns the number of schedules, or `None` if some schedules were not explored.
    ///
    /// Schedules that lead to the same state continue in one run. So there may be many more
    /// schedules than runs.
    pub fn schedules(&self) -> Option<u128> {
        self.schedules
    }

    /// Returns the number of visited states with more than one choice.
    pub fn states(&self) -> usize {
        self.states
    }

    /// Returns the number of random schedules that ran.
    pub fn samples(&self) -> usize {
        self.samples
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (runs, states) = (self.runs, self.states);
        match self.schedules {
            Some(schedules) => {
                write!(
                    f,
                    "all {schedules} schedules, in {runs} runs over {states} states"
                )
            }
            None => write!(
                f,
                "not all schedules: {runs} runs over {states} states, and {} at random with seed \
                 {}",
                self.samples, self.seed
            ),
        }
    }
}

/// A schedule that fails.
///
/// `Debug` prints the same text as `Display`, for tests that `unwrap`.
pub struct Found {
    pub(super) message: String,
    pub(super) schedule: Schedule,
    pub(super) log: String,
    pub(super) trace: Vec<String>,
    pub(super) is_repeated: bool,
}

impl Found {
    /// Returns the failure.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the schedule, for [`Explorer::replay`](crate::Explorer::replay).
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Returns the output of the system in this schedule.
    pub fn log(&self) -> &str {
        &self.log
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.message)?;
        if !self.is_repeated {
            writeln!(
                f,
                "It did not fail again: a protection domain depends on something besides its \
                 messages and memory, such as a static."
            )?;
        }
        writeln!(f, "schedule: {}", self.schedule)?;
        writeln!(f, "what happened:")?;
        for step in &self.trace {
            writeln!(f, "    {step}")?;
        }
        writeln!(f, "what was printed:")?;
        for line in self.log.lines() {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Found {}

/// Returns the name of a fault from the label of its fault message.
pub(super) fn sel4_fault(label: u64) -> &'static str {
    use kernel_model::numbers::fault;
    match label {
        fault::CapFault => "a capability fault",
        fault::UnknownSyscall => "an unknown system call",
        fault::UserException => "a user exception, as after a panic",
        fault::Timeout => "a timeout",
        fault::VMFault => "a VM fault",
        _ => "another fault",
    }
}
