//! The kernel under a system: seL4, from an SDK, or the model kernel, which needs none.

use std::fmt;
use std::path::{Path, PathBuf};

use microkit_abi::MICROKIT_VERSION;
use miette::{Result, miette};

use crate::cli::{self, Options, VariantArgs};
use crate::model;
use crate::sdk::{Sdk, tool};
use crate::variant::Variant;
use crate::whereabouts::State;

/// Which kernel.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// seL4.
    Sel4,
    /// The model kernel.
    Model,
}

/// A kernel that is there.
#[derive(Debug)]
pub(crate) enum Kernel {
    /// seL4, from this SDK.
    Sel4(Sdk),
    /// The model kernel, whose numbers are those of one SDK. Where that is there, programs are
    /// built from it all the same, so that nothing is built again for the other kernel.
    Model {
        /// The SDK.
        sdk: Option<Sdk>,
    },
}

/// What an image is made of, and where it goes.
pub(crate) struct Request<'a> {
    /// The system file.
    pub(crate) system: &'a Path,
    /// What it says.
    pub(crate) parsed: &'a microkit_sdf::System,
    /// The kernel's board and configuration.
    pub(crate) variant: &'a Variant,
    /// Where to look for what the system file names.
    pub(crate) search_paths: Vec<PathBuf>,
    /// Where the image goes.
    pub(crate) image: &'a Path,
    /// Where the report goes.
    pub(crate) report: &'a Path,
    /// What else was asked for.
    pub(crate) options: &'a Options,
}

impl Kernel {
    /// The kernel that was asked for. `auto` is seL4 where there is an SDK, else the model kernel.
    pub(crate) fn choose(options: &Options) -> Result<Self> {
        let flag = options.sdk.sdk.as_deref();
        match options.kernel {
            cli::Kernel::Sel4 => Sdk::require(flag).map(Self::Sel4),
            cli::Kernel::Model => Ok(Self::model(Sdk::locate(flag)?)),
            cli::Kernel::Auto => Ok(match Sdk::locate(flag)? {
                Some(sdk) => Self::Sel4(sdk),
                None => Self::Model { sdk: None },
            }),
        }
    }

    /// The model kernel, beside this SDK.
    pub(crate) fn model(sdk: Option<Sdk>) -> Self {
        Self::Model {
            sdk: sdk.filter(|sdk| sdk.version() == MICROKIT_VERSION),
        }
    }

    /// What system files for a board and configuration are checked against.
    ///
    /// **Errors:** the SDK does not have that board or configuration, or it does not fit the runtime.
    pub(crate) fn facts(&self, board: &str, config: &str) -> Result<microkit_sdf::Kernel> {
        match self {
            Self::Sel4(sdk) => sdk.kernel(board, config),
            Self::Model { .. } => {
                let known = microkit_sdf::Kernel::QEMU_VIRT_AARCH64;
                // Of another, only its SDK knows.
                Ok(microkit_sdf::Kernel {
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

    /// Which it is.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Sel4(_) => Kind::Sel4,
            Self::Model { .. } => Kind::Model,
        }
    }

    /// The SDK whose numbers programs are built with.
    pub(crate) fn sdk(&self) -> Option<&Sdk> {
        match self {
            Self::Sel4(sdk) => Some(sdk),
            Self::Model { sdk } => sdk.as_ref(),
        }
    }

    /// What to build for this kernel.
    ///
    /// **Errors:** there is no such kernel for the board and configuration.
    pub(crate) fn variant(&self, args: &VariantArgs, options: &Options) -> Result<Variant> {
        self.check(&options.board, &args.config)?;
        Ok(Variant {
            kernel: self.kind(),
            board: options.board.clone(),
            config: args.config.clone(),
            profile: args.profile().to_owned(),
        })
    }

    /// Checks that there is such a kernel for a board and configuration.
    pub(crate) fn check(&self, board: &str, config: &str) -> Result<()> {
        match self {
            Self::Sel4(sdk) => sdk.check_kernel(board, config),
            Self::Model { .. } if (board, config) == (model::BOARD, model::CONFIG) => Ok(()),
            Self::Model { sdk } => {
                let help = match sdk {
                    Some(_) => "say `--kernel sel4`".to_owned(),
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

    /// Makes the image and the report, each whole or not at all.
    pub(crate) fn pack(&self, request: &Request<'_>) -> Result<()> {
        match self {
            Self::Sel4(sdk) => tool::pack(sdk, request),
            Self::Model { .. } => model::pack(request),
        }
    }
}

impl Kernel {
    /// Where the kernel of an image that was packed has what it knows of its threads.
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

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sel4 => "sel4",
            Self::Model => "model",
        })
    }
}
