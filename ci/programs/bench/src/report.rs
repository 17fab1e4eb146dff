//! What is measured, and telling the `bench-report` protection domain (PD) what came out: it prints,
//! so that those who measure need not.
//!
//! The programs in C beside `microkit-systems/bench/bench-c.system` have the same numbers.

use sel4_microkit::{Channel, MessageInfo};

/// The channel to `bench-report`, by the identifier that it has in those that measure.
pub const CHANNEL: Channel = Channel::new(0);

/// What is measured, by the number that is the label of the report.
pub const ROWS: [&str; 23] = [
    "call, 0 words, passive server",
    "call, 4 words, passive server",
    "call, 16 words, passive server",
    "call, 64 words, passive server",
    "call, 0 words, active server",
    "call, 4 words, active server",
    "call, 16 words, active server",
    "call, 64 words, active server",
    "notify there and back, deferred",
    "notify there and back, at once",
    "interrupt, handled and acknowledged",
    "fault, and its reply",
    "1 word there and back, by hand",
    "1 word there and back, typed",
    "4 words there, 1 back, by hand",
    "4 words there, 1 back, typed",
    "16 words there and back, by hand",
    "16 words there and back, typed",
    "mutex, taken and given back",
    "rw lock, to write and back",
    "rw lock, to read and back",
    "notify there and back, awaited",
    "mutex, handed there and back",
];

/// The row of a call of 0 words to a passive server; after it come 4, 16 and 64 words.
pub const PASSIVE: u64 = 0;

/// The same, to an active server.
pub const ACTIVE: u64 = 4;

/// A notification there and one back, each joined with the wait for the next event.
pub const NOTIFY_DEFERRED: u64 = 8;

/// A notification there and one back, each a system call.
pub const NOTIFY: u64 = 9;

/// From before the instruction that raises an interrupt to the one after it.
pub const INTERRUPT: u64 = 10;

/// From a fault to the next one.
pub const FAULT: u64 = 11;

/// A word there and back in a call that is written by hand; after it comes the same call through a
/// protocol, and then further such pairs.
pub const TYPED: u64 = 12;

/// A mutex that nobody else wants; after it come a readers-writer lock to write and to read, a
/// notification for which both wait inside an entry point, and a mutex for which two take turns.
pub const LOCKS: u64 = 18;

/// All is measured.
pub const DONE: u64 = 99;

/// Reports how many ticks of the counter so many round trips have taken.
///
/// **Blocks:** while it is printed.
#[inline(never)]
pub fn report(row: u64, ticks: u64, round_trips: u64) {
    CHANNEL.pp_call_with_mrs(MessageInfo::new(row, 2), [ticks, round_trips]);
}
