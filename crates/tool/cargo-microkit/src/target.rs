//! What programs are compiled for: AArch64, with its floating-point and vector registers or without.

use std::fmt;

/// A target of Rust that PDs are built for. Both are built in, and come from rustup.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// The program may use floating-point registers, and so the compiler does.
    Fpu,
    /// Each PD that runs the program has `fpu="false"`: the kernel does not keep those registers
    /// for it, and using one is a fault.
    NoFpu,
}

impl Target {
    /// As rustc calls it.
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
