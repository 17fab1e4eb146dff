//! Finds the Microkit SDK, and checks that this program can use the SDK.
//!
//! The check reads the files that describe the SDK's kernels ([`facts`]). The SDK's version does
//! not matter.

mod facts;
mod room;
pub(crate) mod store;
pub(crate) mod tool;
mod unpack;
mod version;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Once;

use microkit_abi::MICROKIT_VERSION;
use miette::{Result, miette};

use crate::nearest::advice;
use crate::terminal;

/// The path of the SDK's own tool, relative to the root of the SDK.
const TOOL: &str = "bin/microkit";

/// A Microkit SDK.
#[derive(Debug)]
pub(crate) struct Sdk {
    directory: PathBuf,
    /// The path that errors show: the SDK's directory, or the source of its copy.
    shown: PathBuf,
    version: String,
    origin: Origin,
}

/// The setting that selected an SDK.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The option `--sdk`.
    Flag,
    /// The environment variable `MICROKIT_SDK`.
    Environment,
    /// The SDKs that `sdk add` has stored.
    Kept,
}

impl Sdk {
    /// Finds the SDK. Tries `flag` first, then `MICROKIT_SDK`, then the stored SDKs. Returns `None`
    /// if no SDK is named or stored.
    ///
    /// Shows a remark if the SDK's version was not tested.
    ///
    /// # Errors
    ///
    /// Fails if the first SDK in this order cannot be used. Does not try the next SDK, because the
    /// user meant the first SDK.
    pub(crate) fn locate(flag: Option<&Path>) -> Result<Option<Self>> {
        let variable = std::env::var_os("MICROKIT_SDK").filter(|value| !value.is_empty());
        let (directory, origin) = if let Some(named) = flag {
            (store::named(named, Origin::Flag)?, Origin::Flag)
        } else if let Some(named) = variable {
            let origin = Origin::Environment;
            (store::named(Path::new(&named), origin)?, origin)
        } else if let Some(directory) = store::preferred()? {
            (directory, Origin::Kept)
        } else {
            return Ok(None);
        };
        let sdk = Self::open(&directory, origin)?;
        static NOTE: Once = Once::new();
        if !sdk.is_tested() {
            NOTE.call_once(|| {
                let (version, tried) = (&sdk.version, version::TESTED.join(", "));
                terminal::remark(format_args!(
                    "Microkit SDK {version} has not been tested with this cargo-microkit (tested: \
                     {tried}); its files decide whether it can be used"
                ));
            });
        }
        Ok(Some(sdk))
    }

    /// Finds the SDK as [`locate`](Self::locate) does, but fails without an SDK.
    pub(crate) fn require(flag: Option<&Path>) -> Result<Self> {
        match Self::locate(flag)? {
            Some(sdk) => Ok(sdk),
            None => Err(miette!(
                help = how_to_get(),
                "no Microkit SDK was found: {}",
                why_none()
            )),
        }
    }

    /// Opens the SDK in `directory`.
    ///
    /// # Errors
    ///
    /// Fails if the directory contains no SDK or an incomplete SDK.
    pub(crate) fn open(directory: &Path, origin: Origin) -> Result<Self> {
        // The path is absolute, because Cargo and its child processes run in other folders.
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_path_buf());
        let shown = format!("`{}` ({origin})", directory.display());
        let version = version_of_whole(&directory, &shown)?;
        Ok(Self {
            shown: directory.clone(),
            directory,
            version,
            origin,
        })
    }

    /// Checks that the SDK's tool runs on this machine, and that the runtime supports each of the
    /// SDK's AArch64 kernels.
    pub(crate) fn check_whole(&self) -> Result<()> {
        tool::check(self)?;
        for board in self.boards() {
            for config in self.configs(&board) {
                if facts::is_of_runtime(&self.board_directory(&board, &config)) {
                    self.kernel(&board, &config)?;
                }
            }
        }
        Ok(())
    }

    /// Returns the limits and devices of a board and configuration, for the checks of system files.
    ///
    /// # Errors
    ///
    /// Fails if the SDK does not have that kernel, or if the runtime does not support that kernel.
    pub(crate) fn kernel(&self, board: &str, config: &str) -> Result<microkit_sdf::KernelConfig> {
        self.check_kernel(board, config)?;
        facts::kernel(&self.board_directory(board, config)).ok_or_else(|| {
            miette!(
                help = how_to_get(),
                "the Microkit SDK {} in `{}` is incomplete: its file `platform_gen.json` for board \
                 `{board}`, configuration `{config}` cannot be read",
                self.version,
                self.shown.display()
            )
        })
    }

    fn check_facts(&self, board: &str, config: &str) -> Result<()> {
        let wrong = facts::differences(&self.board_directory(board, config));
        if wrong.is_empty() {
            return Ok(());
        }
        let wrong: String = wrong.iter().map(|fact| format!("\n- {fact}")).collect();
        Err(miette!(
            help = format!(
                "choose another SDK with `--sdk VERSION_OR_DIR`, such as {MICROKIT_VERSION}, or \
                 use a cargo-microkit and `sel4-microkit` that support this one"
            ),
            "the Microkit SDK {} in `{}` does not fit this runtime for board `{board}`, \
             configuration `{config}`:{wrong}",
            self.version,
            self.shown.display()
        ))
    }

    /// Checks that the SDK has a kernel for a board and configuration, and that the runtime
    /// supports this kernel.
    pub(crate) fn check_kernel(&self, board: &str, config: &str) -> Result<()> {
        let (boards, configs) = (self.boards(), self.configs(board));
        let (kind, name, names) = if boards.iter().all(|known| known != board) {
            ("board", board, boards)
        } else if configs.iter().all(|known| known != config) {
            ("configuration", config, configs)
        } else {
            return self.check_facts(board, config);
        };
        let of_board = if kind == "board" {
            String::new()
        } else {
            format!(" of board `{board}`")
        };
        Err(miette!(
            help = advice(name, &names),
            "the Microkit SDK in `{}` has no {kind} `{name}`{of_board}",
            self.shown.display()
        ))
    }

    /// Returns the folder of the headers and libraries for a board and configuration.
    pub(crate) fn board_directory(&self, board: &str, config: &str) -> PathBuf {
        self.directory.join("board").join(board).join(config)
    }

    /// Returns the boards that the SDK supports, sorted.
    pub(crate) fn boards(&self) -> Vec<String> {
        directories(&self.directory.join("board"))
    }

    /// Returns the configurations that the SDK has for a board, sorted.
    pub(crate) fn configs(&self, board: &str) -> Vec<String> {
        directories(&self.directory.join("board").join(board))
    }

    /// Returns the root directory of the SDK.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the content of the SDK's file VERSION.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Returns whether this project's tests run on the SDK's version.
    pub(crate) fn is_tested(&self) -> bool {
        version::TESTED.contains(&&*self.version)
    }

    /// Returns the setting that selected the SDK.
    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    fn tool(&self) -> PathBuf {
        self.directory.join(TOOL)
    }
}

/// Checks that the SDK in `directory` is complete, and returns its version. Errors show the path
/// `shown`.
fn version_of_whole(directory: &Path, shown: &str) -> Result<String> {
    let version = std::fs::read_to_string(directory.join("VERSION")).map_err(|e| {
        miette!(
            help = "an SDK is a directory with the file VERSION and the program bin/microkit",
            "{shown} is not a Microkit SDK: its file VERSION cannot be read: {e}"
        )
    })?;
    let version = version.trim();
    if !version::is_sound(version) {
        return Err(miette!(
            help = how_to_get(),
            "the Microkit SDK in {shown} is damaged: its file VERSION holds {version:?}, which is \
             not a version"
        ));
    }
    let what = if !directory.join(TOOL).is_file() {
        TOOL
    } else if directories(&directory.join("board")).is_empty() {
        "a board"
    } else {
        return Ok(version.to_owned());
    };
    Err(miette!(
        help = how_to_get(),
        "the Microkit SDK in {shown} is incomplete: it lacks {what}"
    ))
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "from --sdk",
            Self::Environment => "from MICROKIT_SDK",
            Self::Kept => "stored by `cargo microkit sdk add`",
        })
    }
}

/// Returns the reason why [`Sdk::locate`] returned `None`, as a sentence.
pub(crate) fn why_none() -> &'static str {
    "MICROKIT_SDK is not set and no SDK is stored"
}

/// Returns a help text with the versions of the stored SDKs.
fn which_are_kept(wrong: &str) -> Result<String> {
    let versions: Vec<_> = store::list()?
        .into_iter()
        .map(|kept| kept.version)
        .collect();
    Ok(match versions.is_empty() {
        true => "no SDK is stored".to_owned(),
        false => advice(wrong, &versions),
    })
}

/// Returns the help for a missing SDK.
pub(crate) fn how_to_get() -> String {
    format!(
        "download microkit-sdk-{MICROKIT_VERSION} for this machine from \
         https://github.com/seL4/microkit/releases and run \
         `cargo microkit sdk add FILE.tar.gz`, or set MICROKIT_SDK to its folder"
    )
}

fn directories(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
