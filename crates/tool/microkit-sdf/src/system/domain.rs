//! Domains and their schedule.

use std::num::NonZeroU64;

use crate::Span;

/// The domains of a system and when each runs (manual, *domains*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domains {
    /// Where they are.
    pub span: Span,
    /// In the order of the file.
    pub domains: Vec<Domain>,
    /// The entry of `schedule` that runs first.
    pub start_index: u64,
    /// The entry of the kernel's schedule that `schedule` is put at; 0 if it is not written.
    pub index_shift: Option<u64>,
    /// In the order of the file.
    pub schedule: Vec<ScheduleEntry>,
}

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domain {
    /// Where it is.
    pub span: Span,
    /// Its name, which no other has.
    pub name: String,
    /// Its number: what is written, else the lowest that is free, in the order of the file.
    pub id: u8,
}

/// An entry of a domain schedule.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum ScheduleEntry {
    /// A domain runs.
    Run {
        /// Where it is.
        span: Span,
        /// The domain's number.
        domain: u8,
        /// For how long.
        duration: Duration,
    },
    /// The schedule starts again.
    End {
        /// Where it is.
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
