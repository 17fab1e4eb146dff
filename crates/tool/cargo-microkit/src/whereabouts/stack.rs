//! Follows a PD's stack by its frame records. Each record contains the address of the next record
//! and the return address of its function (AAPCS64, *The Frame Pointer*).

use super::memory::{Memory, Tables};
use super::thread::Thread;
use crate::places::Program;

/// The maximum number of frames to follow.
const MOST_FRAMES: usize = 64;

/// The size of an instruction. A return address is one instruction after the call.
const INSTRUCTION_BYTES: u64 = 4;

/// Returns the page tables of a thread. To choose between the two forms of tables, reads the
/// instruction at the thread's program counter through each form, and compares the instruction with
/// the program.
pub(super) fn tables(memory: &Memory<'_>, thread: &Thread, program: &Program) -> Option<Tables> {
    let at = thread.instruction;
    let expected = program.instruction(at)?;
    let is = |tables: &Tables| {
        let physical = tables.physical(memory, at);
        let found = physical.and_then(|physical| memory.bytes(physical, expected.len()));
        found.is_some_and(|found| found == expected)
    };
    Tables::at(thread.tables).into_iter().find(is)
}

/// Returns the addresses of the calls that led to a thread's current function, the innermost first.
pub(super) fn calls(
    memory: &Memory<'_>,
    tables: Tables,
    thread: &Thread,
    program: &Program,
) -> Vec<u64> {
    let mut calls = Vec::new();
    let mut record = thread.frame_pointer;
    let mut lowest = thread.stack_pointer;
    while record >= lowest && calls.len() < MOST_FRAMES {
        let Some(call) = record
            .checked_add(size_of::<u64>() as u64)
            .and_then(|link| tables.word(memory, link))
            .and_then(|link| link.checked_sub(INSTRUCTION_BYTES))
        else {
            break;
        };
        if program.instruction(call).is_none() {
            break;
        }
        calls.push(call);
        lowest = record + 1;
        let Some(next) = tables.word(memory, record) else {
            break;
        };
        record = next;
    }
    // A leaf function may have no record. In that case, the first record belongs to its caller, and
    // the link register contains the return address to the caller. In a function that has made
    // calls, the link register can point into that function itself.
    let link = thread.link.checked_sub(INSTRUCTION_BYTES);
    let link = link.filter(|link| calls.first() != Some(link));
    if let Some(link) = link
        && let Some(function) = program.function(link)
        && program.function(thread.instruction) != Some(function)
    {
        calls.insert(0, link);
    }
    calls
}
