//! Which functions have called which, up to here.

use core::fmt;

use crate::symbols::DisplayName;

/// How many calls are told at most.
const DEPTH: usize = 32;

/// The calls that have led here, as the addresses to which they return, the innermost first.
///
/// It follows the frame records that functions leave on the stack (*Procedure Call Standard for the
/// Arm 64-bit Architecture*, 6.4.6). `cargo microkit` has the compiler write them in every profile
/// but `release`; what was compiled without them ends the list, or is left out. So it is there in
/// programs with debug assertions, or with the feature `backtrace`; in others it is empty, and takes
/// no room.
///
/// Shown, it is one line, `backtrace of NAME: 0x… 0x…`, which `cargo microkit run` turns into
/// functions and places.
#[derive(Debug, Clone, Default)]
pub struct Backtrace {
    addresses: [usize; DEPTH],
    length: usize,
}

impl Backtrace {
    /// Those that have led to this call.
    #[inline(always)]
    pub fn here() -> Self {
        #[cfg(all(target_os = "none", any(debug_assertions, feature = "backtrace")))]
        return target::walk();
        #[cfg(not(all(target_os = "none", any(debug_assertions, feature = "backtrace"))))]
        return Self::default();
    }

    /// The addresses.
    #[inline(always)]
    pub fn addresses(&self) -> &[usize] {
        &self.addresses[..self.length]
    }

    /// Whether there are none.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "backtrace of {DisplayName}:")?;
        for address in self.addresses() {
            write!(f, " {address:#x}")?;
        }
        Ok(())
    }
}

#[cfg(all(target_os = "none", any(debug_assertions, feature = "backtrace")))]
mod target {
    use core::arch::asm;
    use core::ptr::{read_volatile, with_exposed_provenance};

    use microkit_abi::limits;

    use super::{Backtrace, DEPTH};
    use crate::entry::stack_top;

    /// A frame record: where the caller's is, and where it goes on.
    const RECORD_BYTES: usize = 2 * size_of::<usize>();

    #[inline(never)]
    pub(super) fn walk() -> Backtrace {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_line_with_every_address() {
        let mut trace = Backtrace::default();
        assert!(trace.is_empty());
        assert!(trace.addresses().is_empty());
        trace.addresses[..2].copy_from_slice(&[0x20_1234, 0x20_5678]);
        trace.length = 2;
        assert!(!trace.is_empty());
        crate::host::ProtectionDomain {
            name: "worker",
            ..crate::host::ProtectionDomain::current()
        }
        .set();
        let line = std::format!("{trace}");
        assert_eq!(line, "backtrace of worker: 0x201234 0x205678");
    }

    #[test]
    fn there_is_none_on_a_host() {
        assert!(Backtrace::here().is_empty());
    }
}
