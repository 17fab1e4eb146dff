//! Through which functions a PD came to where it is: by the records of its frames, each of which
//! holds the address of the next and where its function returns to (AAPCS64, *The Frame Pointer*).

use super::memory::{Memory, Tables};
use super::thread::Thread;
use crate::places::Program;

/// More frames than a stack is worth following.
const MOST_FRAMES: usize = 64;

/// Bytes of an instruction: a call returns so far behind itself.
const INSTRUCTION_BYTES: u64 = 4;

/// The page tables that a thread's say they are, if by them its program is where the thread is.
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

/// The addresses of the calls that led to where a thread is, the innermost first.
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
    // A function that calls no other need not have a record: then the first is its caller's, and it
    // returns to the link register. In one that has called others, that register leads to itself.
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
