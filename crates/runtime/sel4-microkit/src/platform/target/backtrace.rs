//! The frame records on the stack of the PD's thread.

use core::arch::asm;
use core::ptr::{read_volatile, with_exposed_provenance};

use microkit_abi::limits;

use super::entry::stack_top;
use crate::backtrace::{Backtrace, DEPTH};

/// A frame record: where the caller's is, and where it goes on.
const RECORD_BYTES: usize = 2 * size_of::<usize>();

#[inline(never)]
pub(crate) fn walk_stack() -> Backtrace {
    let (mut frame, stack_pointer): (usize, usize);
    // SAFETY: it reads two registers.
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
        // SAFETY: 1. The two words lie between the stack pointer and the top of the thread's
        //    stack, which is mapped, and aligned.
        // 2. They may be no frame record but any bytes: an integer can be made of them, and it
        //    is only shown, or held against 1 before it is used.
        let (caller, address) =
            unsafe { (read_volatile(record), read_volatile(record.wrapping_add(1))) };
        if address == 0 {
            break;
        }
        trace.addresses[trace.length] = address;
        trace.length += 1;
        // Callers' frames lie above: this ends.
        lowest = frame + RECORD_BYTES;
        frame = caller;
    }
    trace
}
