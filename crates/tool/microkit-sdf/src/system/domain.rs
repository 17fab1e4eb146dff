//! Domains and their schedule.

use std::num::NonZeroU64;

use crate::Span;

/// The domains of a system and their schedule (manual, *domains*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domains {
    /// The place of `domains` in the file.
    pub span: Span,
    /// The domains, in the order of the file.
    pub domains: Vec<Domain>,
    /// The entry of `schedule` that runs first.
    pub start_index: u64,
    /// The index in the kernel's schedule for the first entry of `schedule`. The default is 0.
    pub index_shift: Option<u64>,
    /// The entries of the schedule, in the order of the file.
    pub schedule: Vec<ScheduleEntry>,
}

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domain {
    /// The place in the file.
    pub span: Span,
    /// The unique name.
    pub name: String,
    /// The number of the domain: from the file, or else the lowest free number in the order of the
    /// file.
    pub id: u8,
}

/// An entry of a domain schedule.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum ScheduleEntry {
    /// A domain runs.
    Run {
        /// The place in the file.
        span: Span,
        /// The domain's number.
        domain: u8,
        /// The time that the domain runs.
        duration: Duration,
    },
    /// The schedule starts again.
    End {
        /// The place in the file.
        span: Span,
    },
}

/// The time that a domain runs.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Duration {
    /// In microseconds.
    Microseconds(NonZeroU64),
    /// In ticks of the timer.
    Ticks(NonZeroU64),
}
