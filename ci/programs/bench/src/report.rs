//! The rows of the table. A measuring program reports each row to the PD `bench-report`, which
//! prints it. So the measuring programs contain no formatting code.
//!
//! The programs in C in `microkit-systems/bench` use the same row numbers.

use sel4_microkit::{Channel, MessageInfo};

/// The channel to `bench-report`, with the same identifier in each measuring program.
pub const CHANNEL: Channel = Channel::new(0);

/// The names of the rows. The index is the label of the report.
pub const ROWS: [&str; 23] = [
    "call, 0 words, passive server",
    "call, 4 words, passive server",
    "call, 16 words, passive server",
    "call, 64 words, passive server",
    "call, 0 words, active server",
    "call, 4 words, active server",
    "call, 16 words, active server",
    "call, 64 words, active server",
    "notify round trip, deferred",
    "notify round trip, at once",
    "interrupt, handled and acknowledged",
    "fault, and its reply",
    "1 word each way, by hand",
    "1 word each way, typed",
    "4 words, reply of 1, by hand",
    "4 words, reply of 1, typed",
    "16 words each way, by hand",
    "16 words each way, typed",
    "mutex, lock and unlock",
    "rw lock, write and unlock",
    "rw lock, read and unlock",
    "notify round trip, awaited",
    "mutex, handed over and back",
];

/// The row of a call of 0 words to a passive server. The next rows are 4, 16 and 64 words.
pub const PASSIVE: u64 = 0;

/// The row of a call of 0 words to an active server. The next rows are 4, 16 and 64 words.
pub const ACTIVE: u64 = 4;

/// The row of a notification and its answer, each joined with the wait for the next event.
pub const NOTIFY_DEFERRED: u64 = 8;

/// The row of a notification and its answer, each sent by a separate system call.
pub const NOTIFY: u64 = 9;

/// The row of an interrupt: one instruction raises it, and the driver handles it before the next.
pub const INTERRUPT: u64 = 10;

/// The row of a fault: from one fault to the next.
pub const FAULT: u64 = 11;

/// The row of a hand-written call of one word. The next row is the same call through a protocol.
/// More pairs of such rows follow.
pub const TYPED: u64 = 12;

/// The row of a mutex without contention. The names of the four rows after it are in [`ROWS`]: two
/// for a readers-writer lock, one for a notification that is awaited inside an entry point, and one
/// for a contended mutex.
pub const LOCKS: u64 = 18;

/// The label of the report that all measurements are finished.
pub const DONE: u64 = 99;

/// Reports the ticks of the counter that the round trips have taken.
///
/// **Blocking:** until the row is printed.
#[inline(never)]
pub fn report(row: u64, ticks: u64, round_trips: u64) {
    CHANNEL.pp_call_with_mrs(MessageInfo::new(row, 2), [ticks, round_trips]);
}
