//! A variant of a system: the kernel, board, configuration and profile of a build.

use std::fmt;

use microkit_abi::MICROKIT_VERSION;

use crate::kernel::KernelKind;
use crate::sdk::Sdk;

/// A kernel with its board and configuration, and a profile of the Rust programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variant {
    /// The kernel.
    pub(crate) kernel: KernelKind,
    /// The SDK's name for the board, for example `qemu_virt_aarch64`.
    pub(crate) board: String,
    /// The SDK's name for the kernel configuration, for example `debug`.
    pub(crate) config: String,
    /// Cargo's name for the profile, for example `dev`.
    pub(crate) profile: String,
}

impl Variant {
    /// Returns the mark that the ELF file of a program for this kernel must have.
    pub(crate) fn kernel_mark(&self) -> String {
        format!("{}/{}", self.board, self.config)
    }

    /// Returns the name of the directory for all builds with this kernel and the version of `sdk`.
    pub(crate) fn kernel_directory(&self, sdk: Option<&Sdk>) -> String {
        let Self { board, config, .. } = self;
        match sdk
            .map(Sdk::version)
            .filter(|version| *version != MICROKIT_VERSION)
        {
            Some(version) => format!("{board}-{config}-{version}"),
            None => format!("{board}-{config}"),
        }
    }

    /// Returns whether seL4's loader, kernel and monitor write to the serial port, before and
    /// between the output of the PDs.
    pub(crate) fn kernel_prints(&self) -> bool {
        self.kernel == KernelKind::Sel4 && self.config.ends_with("debug")
    }

    /// Returns whether the kernel runs on several cores.
    pub(crate) fn is_multi_core(&self) -> bool {
        self.config.starts_with("smp-")
    }
}

/// Formats a variant for the reports of tests: `sel4 debug, dev`.
impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, {}", self.kernel, self.config, self.profile)
    }
}
