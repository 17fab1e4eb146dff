//! Which of the many builds of one system is meant.

use std::fmt;

use microkit_abi::MICROKIT_VERSION;

use crate::kernel::Kind;
use crate::sdk::Sdk;

/// A kernel, with its board and configuration, and a profile of the Rust code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variant {
    /// Whose board and configuration these are.
    pub(crate) kernel: Kind,
    /// As the SDK names it, for example `qemu_virt_aarch64`.
    pub(crate) board: String,
    /// As the SDK names it, for example `debug`.
    pub(crate) config: String,
    /// As Cargo names it, for example `dev`.
    pub(crate) profile: String,
}

impl Variant {
    /// What a PD that was built for this kernel says of itself in its ELF file.
    pub(crate) fn kernel_mark(&self) -> String {
        format!("{}/{}", self.board, self.config)
    }

    /// The name of the directory for everything that is built for this kernel of an SDK.
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

    /// Whether seL4's loader, kernel and monitor write to the serial line, before the PDs and among
    /// them.
    pub(crate) fn kernel_prints(&self) -> bool {
        self.kernel == Kind::Sel4 && self.config.ends_with("debug")
    }

    /// Whether the kernel runs on several cores.
    pub(crate) fn is_multi_core(&self) -> bool {
        self.config.starts_with("smp-")
    }
}

/// The form in the reports of tests: `sel4 debug, dev`.
impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, {}", self.kernel, self.config, self.profile)
    }
}
