//! Reads the frame records on the stack of the PD's thread.

use core::arch::asm;
use core::ptr::{read_volatile, with_exposed_provenance};

use microkit_abi::limits;

use super::entry::stack_top;
use crate::backtrace::{Backtrace, DEPTH};

/// The size of a frame record: the address of the caller's record, and the return address.
const RECORD_BYTES: usize = 2 * size_of::<usize>();

#[inline(never)]
pub(crate) fn walk_stack() -> Backtrace {
    let (mut frame, stack_pointer): (usize, usize);
    // SAFETY: the instructions only read two registers.
    unsafe {
        asm!(
            "mov {}, x29",
            "mov {}, sp",
            out(reg) frame,
            out(reg) stack_pointer,
            options(nomem, nostack, preserves_flags)
        );
    }
    let mut trace = Backtrace::default();
    let top = stack_top();
    let is_of_stack =
        (1..=limits::MAX_STACK_BYTES as usize).contains(&top.saturating_sub(stack_pointer));
    let mut lowest = stack_pointer;
    while is_of_stack
        && trace.length < DEPTH
        && frame.is_multiple_of(RECORD_BYTES)
        && (lowest..=top - RECORD_BYTES).contains(&frame)
    {
        let record = with_exposed_provenance::<usize>(frame);
        // SAFETY: 1. The two words are aligned. They are in the mapped stack of the thread, above
        //    the stack pointer.
        // 2. The two words may be data that is not a frame record, but any bytes are a valid
        //    integer. The code only prints the integer, or checks the integer before its use as an
        //    address.
        let (caller, address) =
            unsafe { (read_volatile(record), read_volatile(record.wrapping_add(1))) };
        if address == 0 {
            break;
        }
        trace.addresses[trace.length] = address;
        trace.length += 1;
        // The frames of callers are at higher addresses, so the loop ends.
        lowest = frame + RECORD_BYTES;
        frame = caller;
    }
    trace
}
