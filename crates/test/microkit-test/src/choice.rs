//! Choices, and schedules. A schedule is a list of choices as text.

use std::fmt;
use std::str::FromStr;

use crate::Failure;
use crate::lower::Image;

/// A possible next event of a run.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Choice {
    /// A PD makes a step.
    Run(usize),
    /// An IRQ arrives.
    Irq { pd: usize, channel: u8 },
    /// A PD dies.
    Crash(usize),
    /// A system call that could fail succeeds.
    Pass,
    /// A system call fails.
    Fail(Failure),
}

impl Choice {
    /// Returns the word for this choice in the text of a schedule.
    pub(crate) fn token(self, image: &Image) -> String {
        let name = |pd: usize| image.pds[pd].name;
        match self {
            Self::Run(pd) => name(pd).to_owned(),
            Self::Irq { pd, channel } => format!("irq:{}.{channel}", name(pd)),
            Self::Crash(pd) => format!("crash:{}", name(pd)),
            Self::Pass => "pass".to_owned(),
            Self::Fail(failure) => format!("fail:{failure}"),
        }
    }
}

/// A schedule: the list of all choices in a run.
///
/// In the text of a schedule, `ping` is a step of the PD `ping`, and `pong*3` is three steps of the
/// PD `pong`. `irq:timer.5` is an IRQ, and `crash:ping` is the death of a PD. `pass` and
/// `fail:IllegalOperation` are the results of a system call that could fail.
///
/// ```
/// use microkit_test::Schedule;
///
/// let schedule: Schedule = "ping pong*3 irq:timer.5".parse()?;
/// assert_eq!(schedule.to_string(), "ping pong*3 irq:timer.5");
/// # Ok::<(), microkit_test::ScheduleError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Schedule {
    pub(crate) tokens: Vec<String>,
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.tokens.chunk_by(|one, other| one == other);
        for (index, run) in runs.enumerate() {
            let separator = if index == 0 { "" } else { " " };
            match run.len() {
                1 => write!(f, "{separator}{}", run[0])?,
                times => write!(f, "{separator}{}*{times}", run[0])?,
            }
        }
        Ok(())
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let mut tokens = Vec::new();
        for word in text.split_whitespace() {
            let (token, times) = match word.split_once('*') {
                None => (word, 1),
                Some((token, times)) => {
                    let times = times
                        .parse()
                        .ok()
                        .filter(|times| (1..=MOST).contains(times));
                    let times = times.ok_or_else(|| ScheduleError(word.to_owned()))?;
                    (token, times)
                }
            };
            if token.is_empty() || tokens.len() + times > MOST {
                return Err(ScheduleError(word.to_owned()));
            }
            tokens.extend(std::iter::repeat_n(token.to_owned(), times));
        }
        Ok(Self { tokens })
    }
}

/// The largest number of choices in a schedule.
const MOST: usize = 1 << 20;

/// The error of parsing a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleError(String);

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not part of a schedule: write `NAME` or `NAME*TIMES`",
            self.0
        )
    }
}

impl std::error::Error for ScheduleError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_as_it_is_written() {
        let check = |text: &str, count: usize| {
            let schedule: Schedule = text.parse().unwrap();
            assert_eq!(schedule.tokens.len(), count);
            assert_eq!(schedule.to_string(), text);
        };
        check("", 0);
        check("ping", 1);
        check("ping*3 pong irq:ping.5 ping crash:pong fail:RangeError", 8);
        for wrong in ["ping*", "ping*0", "*2", "ping*x", "a*999999999"] {
            let error = wrong.parse::<Schedule>().unwrap_err();
            assert!(error.to_string().contains(wrong));
        }
    }
}
