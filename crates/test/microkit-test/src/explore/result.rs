//! What came of exploring.

use std::fmt;

use crate::Schedule;

/// What was explored.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Explored {
    pub(super) runs: usize,
    pub(super) schedules: Option<u128>,
    pub(super) states: usize,
    pub(super) samples: usize,
    pub(super) seed: u64,
}

impl Explored {
    /// Whether every schedule was explored.
    pub fn is_complete(&self) -> bool {
        self.schedules.is_some()
    }

    /// How many runs were made, without samples.
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// How many schedules there are; `None` if not all were explored.
    ///
    /// There may be many more than runs, since those that come to one state go on together.
    pub fn schedules(&self) -> Option<u128> {
        self.schedules
    }

    /// How many states there were in which more than one thing could happen.
    pub fn states(&self) -> usize {
        self.states
    }

    /// How many random schedules were run.
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
/// Its `Debug` says the same as its `Display`, for tests that `unwrap`.
pub struct Found {
    pub(super) message: String,
    pub(super) schedule: Schedule,
    pub(super) log: String,
    pub(super) trace: Vec<String>,
    pub(super) is_repeated: bool,
}

impl Found {
    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The schedule, for [`Explorer::replay`](crate::Explorer::replay).
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// What was printed.
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
                "It did not fail when it was run again: a protection domain depends on something \
                 besides what it is told."
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

/// What the label of a fault message means.
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
