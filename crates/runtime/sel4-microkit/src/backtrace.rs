//! Which functions have called which, up to here.

use core::fmt;

use crate::platform;
use crate::symbols::DisplayName;

/// How many calls are told at most.
pub(crate) const DEPTH: usize = 32;

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
    pub(crate) addresses: [usize; DEPTH],
    pub(crate) length: usize,
}

impl Backtrace {
    /// Those that have led to this call.
    #[inline(always)]
    pub fn here() -> Self {
        if cfg!(any(debug_assertions, feature = "backtrace")) {
            platform::walk_stack()
        } else {
            Self::default()
        }
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
