//! Backtraces: the return addresses of the active function calls.

use core::fmt;

use crate::platform;
use crate::symbols::DisplayName;

/// The largest number of calls in a backtrace.
pub(crate) const DEPTH: usize = 32;

/// A backtrace: the return addresses of the active function calls, the innermost first.
///
/// The addresses come from the frame records on the stack (*Procedure Call Standard for the Arm
/// 64-bit Architecture*, 6.4.6). `cargo microkit` makes the compiler write frame records in every
/// profile except `release`. A function compiled without frame records is missing from the list, or
/// ends the list. Backtraces require debug assertions or the feature `backtrace`. Otherwise the
/// list is empty.
///
/// `Display` prints one line, `backtrace of NAME: 0x… 0x…`. `cargo microkit run` translates the
/// addresses into functions and source locations.
///
/// ```
/// use sel4_microkit::{Backtrace, debug_println, panicking};
///
/// panicking::set_hook(&|info| {
///     debug_println!("{info}\n{}", Backtrace::here());
/// });
/// ```
#[derive(Debug, Clone, Default)]
pub struct Backtrace {
    pub(crate) addresses: [usize; DEPTH],
    pub(crate) length: usize,
}

impl Backtrace {
    /// Returns the backtrace of the calling function.
    #[inline(always)]
    pub fn here() -> Self {
        if cfg!(any(debug_assertions, feature = "backtrace")) {
            platform::walk_stack()
        } else {
            Self::default()
        }
    }

    /// Returns the return addresses, the innermost first.
    #[inline(always)]
    pub fn addresses(&self) -> &[usize] {
        &self.addresses[..self.length]
    }

    /// Returns whether the backtrace is empty.
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
