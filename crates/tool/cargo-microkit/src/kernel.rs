//! The kernel for a system: seL4 from an SDK, or the model kernel without an SDK.

use std::fmt;
use std::path::{Path, PathBuf};

use microkit_abi::MICROKIT_VERSION;
use miette::{Result, miette};

use crate::cli::{self, Options, VariantArgs};
use crate::model;
use crate::sdk::{Sdk, tool};
use crate::variant::Variant;
use crate::whereabouts::State;

/// A kind of kernel.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum KernelKind {
    /// seL4.
    Sel4,
    /// The model kernel.
    Model,
}

/// An available kernel.
#[derive(Debug)]
pub(crate) enum Kernel {
    /// seL4, from an SDK.
    Sel4(Sdk),
    /// The model kernel. Its capability slots and limits are those of one SDK version. If an SDK
    /// of that version is available, programs are built with this SDK and do not need a second
    /// build for seL4.
    Model {
        /// The SDK with the version of the model kernel.
        sdk: Option<Sdk>,
    },
}

/// The arguments of [`Kernel::pack`].
pub(crate) struct Request<'a> {
    /// The system file.
    pub(crate) system: &'a Path,
    /// The content of the system file.
    pub(crate) parsed: &'a microkit_sdf::System,
    /// The kernel's board and configuration.
    pub(crate) variant: &'a Variant,
    /// The folders to search for files that the system file names.
    pub(crate) search_paths: Vec<PathBuf>,
    /// The path of the image.
    pub(crate) image: &'a Path,
    /// The path of the report.
    pub(crate) report: &'a Path,
    /// The other options.
    pub(crate) options: &'a Options,
}

impl Kernel {
    /// Selects the kernel. `auto` selects seL4 if there is an SDK, and the model kernel otherwise.
    pub(crate) fn choose(options: &Options) -> Result<Self> {
        let flag = options.sdk.sdk.as_deref();
        match options.kernel {
            cli::KernelArg::Sel4 => Sdk::require(flag).map(Self::Sel4),
            cli::KernelArg::Model => Ok(Self::model(Sdk::locate(flag)?)),
            cli::KernelArg::Auto => Ok(match Sdk::locate(flag)? {
                Some(sdk) => Self::Sel4(sdk),
                None => Self::Model { sdk: None },
            }),
        }
    }

    /// Returns the model kernel. Uses `sdk` for builds if the version of `sdk` is the model
    /// kernel's version.
    pub(crate) fn model(sdk: Option<Sdk>) -> Self {
        Self::Model {
            sdk: sdk.filter(|sdk| sdk.version() == MICROKIT_VERSION),
        }
    }

    /// Returns the limits and devices of a board and configuration, for the checks of system files.
    ///
    /// # Errors
    ///
    /// Fails if the SDK does not have that board or configuration, or if the runtime does not
    /// support the kernel.
    pub(crate) fn facts(&self, board: &str, config: &str) -> Result<microkit_sdf::KernelConfig> {
        match self {
            Self::Sel4(sdk) => sdk.kernel(board, config),
            Self::Model { .. } => {
                let known = microkit_sdf::KernelConfig::QEMU_VIRT_AARCH64;
                // For another board, only the SDK contains the RAM addresses.
                Ok(microkit_sdf::KernelConfig {
                    ram: known.ram.filter(|_| board == model::BOARD),
                    cores: match config.starts_with("smp-") {
                        true => u8::MAX,
                        false => known.cores,
                    },
                    ..known
                })
            }
        }
    }

    /// Returns the kind of this kernel.
    pub(crate) fn kind(&self) -> KernelKind {
        match self {
            Self::Sel4(_) => KernelKind::Sel4,
            Self::Model { .. } => KernelKind::Model,
        }
    }

    /// Returns the SDK for building programs, or `None` without an SDK.
    pub(crate) fn sdk(&self) -> Option<&Sdk> {
        match self {
            Self::Sel4(sdk) => Some(sdk),
            Self::Model { sdk } => sdk.as_ref(),
        }
    }

    /// Returns the variant to build for this kernel.
    ///
    /// # Errors
    ///
    /// Fails if this kernel does not exist for the board and configuration.
    pub(crate) fn variant(&self, args: &VariantArgs, options: &Options) -> Result<Variant> {
        self.check(&options.board, &args.config)?;
        Ok(Variant {
            kernel: self.kind(),
            board: options.board.clone(),
            config: args.config.clone(),
            profile: args.profile().to_owned(),
        })
    }

    /// Checks that this kernel exists for a board and configuration.
    pub(crate) fn check(&self, board: &str, config: &str) -> Result<()> {
        match self {
            Self::Sel4(sdk) => sdk.check_kernel(board, config),
            Self::Model { .. } if (board, config) == (model::BOARD, model::CONFIG) => Ok(()),
            Self::Model { sdk } => {
                let help = match sdk {
                    Some(_) => "use `--kernel sel4`".to_owned(),
                    None => format!("for others, {}", crate::sdk::how_to_get()),
                };
                Err(miette!(
                    help = help,
                    "the model kernel is for board `{}`, configuration `{}`, not for `{board}`, \
                     `{config}`",
                    model::BOARD,
                    model::CONFIG
                ))
            }
        }
    }

    /// Writes the image and the report. A failure never leaves a partial file.
    pub(crate) fn pack(&self, request: &Request<'_>) -> Result<()> {
        match self {
            Self::Sel4(sdk) => tool::pack(sdk, request),
            Self::Model { .. } => model::pack(request),
        }
    }
}

impl Kernel {
    /// Returns the method of reading thread states from the memory of a running kernel.
    pub(crate) fn state(&self, variant: &Variant, options: &Options) -> State {
        match self {
            Self::Sel4(sdk) => State::Sel4 {
                elf: sdk
                    .board_directory(&variant.board, &variant.config)
                    .join("elf/sel4.elf"),
                config: variant.config.clone(),
            },
            Self::Model { .. } => model::snapshot(options).map_or(State::Unknown, State::Model),
        }
    }
}

impl fmt::Display for KernelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sel4 => "sel4",
            Self::Model => "model",
        })
    }
}
