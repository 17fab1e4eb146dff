//! The Microkit SDK: where it is, and whether this program can use it.
//!
//! Its version decides nothing. What it says of its kernels in its own files ([`facts`]) does.

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

/// The SDK's own tool, from its root.
const TOOL: &str = "bin/microkit";

/// A Microkit SDK.
#[derive(Debug)]
pub(crate) struct Sdk {
    directory: PathBuf,
    /// What errors call it: its directory, or where its copy comes from.
    shown: PathBuf,
    version: String,
    origin: Origin,
}

/// Who said where the SDK is.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `--sdk`.
    Flag,
    /// The environment.
    Environment,
    /// `sdk add`.
    Kept,
}

impl Sdk {
    /// The SDK that `flag` names, else `MICROKIT_SDK`, else a kept one; `None` if there is none of
    /// these.
    ///
    /// A note says if its version was not tested.
    ///
    /// **Errors:** the first of them that is there cannot be used. The next is not tried: what was
    /// named was meant.
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
                    "Microkit SDK {version} has not been tested with this cargo-microkit, only \
                     {tried}; its own files decide whether it fits"
                ));
            });
        }
        Ok(Some(sdk))
    }

    /// The same, for whom there must be one.
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

    /// The SDK in `directory`.
    ///
    /// **Errors:** there is none, or it is not whole.
    pub(crate) fn open(directory: &Path, origin: Origin) -> Result<Self> {
        // Absolute, because Cargo and the programs that it starts run elsewhere.
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

    /// Checks that its tool runs on this machine, and that each of its kernels for AArch64 has what
    /// the runtime needs.
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

    /// What system files for a board and configuration are checked against.
    ///
    /// **Errors:** the SDK has no such kernel, or one that the runtime cannot work with.
    pub(crate) fn kernel(&self, board: &str, config: &str) -> Result<microkit_sdf::Kernel> {
        self.check_kernel(board, config)?;
        facts::kernel(&self.board_directory(board, config)).ok_or_else(|| {
            miette!(
                help = how_to_get(),
                "the Microkit SDK {} in `{}` is not whole: its file `platform_gen.json` for board \
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
                "choose another SDK by `--sdk VERSION_OR_DIR`, such as {MICROKIT_VERSION}, or take \
                 a cargo-microkit and `sel4-microkit` that are made for this one"
            ),
            "the Microkit SDK {} in `{}` differs, for board `{board}`, configuration `{config}`, \
             from what this runtime needs:{wrong}",
            self.version,
            self.shown.display()
        ))
    }

    /// Checks that the SDK can build for a board and configuration, and the runtime run there.
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

    /// Where the headers and libraries for a board and configuration lie.
    pub(crate) fn board_directory(&self, board: &str, config: &str) -> PathBuf {
        self.directory.join("board").join(board).join(config)
    }

    /// The boards that the SDK is for, sorted.
    pub(crate) fn boards(&self) -> Vec<String> {
        directories(&self.directory.join("board"))
    }

    /// The configurations that the SDK has for a board, sorted.
    pub(crate) fn configs(&self, board: &str) -> Vec<String> {
        directories(&self.directory.join("board").join(board))
    }

    /// Its root.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// As its file VERSION gives it.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Whether its version is one that this project's tests run on.
    pub(crate) fn is_tested(&self) -> bool {
        version::TESTED.contains(&&*self.version)
    }

    /// Who said where it is.
    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    fn tool(&self) -> PathBuf {
        self.directory.join(TOOL)
    }
}

/// The version of the SDK in `directory`, which errors call `shown`.
fn version_of_whole(directory: &Path, shown: &str) -> Result<String> {
    let version = std::fs::read_to_string(directory.join("VERSION")).map_err(|e| {
        miette!(
            help = "an SDK is a directory with the file VERSION and the program bin/microkit",
            "there is no Microkit SDK in {shown}: its file VERSION cannot be read: {e}"
        )
    })?;
    let version = version.trim();
    if !version::is_sound(version) {
        return Err(miette!(
            help = how_to_get(),
            "the Microkit SDK in {shown} is damaged: its file VERSION has {version:?}, which is not \
             a version"
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
        "the Microkit SDK in {shown} is not whole: it lacks {what}"
    ))
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "from --sdk",
            Self::Environment => "from MICROKIT_SDK",
            Self::Kept => "kept by `cargo microkit sdk add`",
        })
    }
}

/// Why [`Sdk::locate`] has found none, in a sentence.
pub(crate) fn why_none() -> &'static str {
    "MICROKIT_SDK is not set and none is kept"
}

/// The versions of the SDKs that are kept, for a help.
fn which_are_kept(wrong: &str) -> Result<String> {
    let versions: Vec<_> = store::list()?
        .into_iter()
        .map(|kept| kept.version)
        .collect();
    Ok(format!("of kept SDKs, {}", advice(wrong, &versions)))
}

/// What to do for an SDK.
pub(crate) fn how_to_get() -> String {
    format!(
        "download microkit-sdk-{MICROKIT_VERSION} for this machine from \
         https://github.com/seL4/microkit/releases and type \
         `cargo microkit sdk add FILE.tar.gz`, or set MICROKIT_SDK to where it lies"
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
