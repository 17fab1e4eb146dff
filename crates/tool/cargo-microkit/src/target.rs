//! Compilation targets: AArch64, with or without floating-point and vector registers.

use std::fmt;

/// A Rust target for PDs. Both targets are built into rustc, and rustup installs their core
/// libraries.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// The target with floating-point registers.
    Fpu,
    /// The target without floating-point registers. Each PD that runs the program has
    /// `fpu="false"`. For such a PD, the kernel does not save these registers, and an access to a
    /// register is a fault.
    NoFpu,
}

impl Target {
    /// Returns rustc's name for the target.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Target::Fpu => "aarch64-unknown-none",
            Target::NoFpu => "aarch64-unknown-none-softfloat",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
