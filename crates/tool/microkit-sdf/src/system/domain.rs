//! Domains and their schedule.

use std::num::NonZeroU64;

use crate::Span;

/// The domains of a system and when each runs (manual, *domains*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domains {
    /// Their place in the file.
    pub span: Span,
    /// In the order of the file.
    pub domains: Vec<Domain>,
    /// The entry of `schedule` that runs first.
    pub start_index: u64,
    /// The index in the kernel's schedule of the first entry of `schedule`. The default is 0.
    pub index_shift: Option<u64>,
    /// In the order of the file.
    pub schedule: Vec<ScheduleEntry>,
}

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domain {
    /// Its place in the file.
    pub span: Span,
    /// Its unique name.
    pub name: String,
    /// Its number: as written, or else the lowest free one, in the order of the file.
    pub id: u8,
}

/// An entry of a domain schedule.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum ScheduleEntry {
    /// A domain runs.
    Run {
        /// Its place in the file.
        span: Span,
        /// The domain's number.
        domain: u8,
        /// How long it runs.
        duration: Duration,
    },
    /// The schedule starts again.
    End {
        /// Its place in the file.
        span: Span,
    },
}

/// How long a domain runs.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Duration {
    /// In microseconds.
    Microseconds(NonZeroU64),
    /// In ticks of the timer.
    Ticks(NonZeroU64),
}
