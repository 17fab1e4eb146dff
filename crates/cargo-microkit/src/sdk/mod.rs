//! The Microkit SDK: where it is, and whether it is one that this program can use.

pub(crate) mod store;
pub(crate) mod tool;
mod unpack;

use std::fmt;
use std::path::{Path, PathBuf};

use microkit_abi::MICROKIT_VERSION;
use miette::{Result, miette};

use crate::nearest::advice;

/// A Microkit SDK of the version that this program is for.
#[derive(Debug)]
pub(crate) struct Sdk {
    directory: PathBuf,
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
    /// The SDK that `flag` names, else MICROKIT_SDK, else the kept one; `None` if there is none of
    /// these.
    ///
    /// **Errors:** the first of them that is there cannot be used. The next is not tried: what was
    /// named was meant.
    pub(crate) fn locate(flag: Option<&Path>) -> Result<Option<Self>> {
        let variable = std::env::var_os("MICROKIT_SDK").filter(|value| !value.is_empty());
        if let Some(directory) = flag {
            Self::open(directory, Origin::Flag).map(Some)
        } else if let Some(directory) = variable {
            Self::open(Path::new(&directory), Origin::Environment).map(Some)
        } else {
            match store::kept(MICROKIT_VERSION)? {
                Some(directory) => Self::open(&directory, Origin::Kept).map(Some),
                None => Ok(None),
            }
        }
    }

    /// The same, for whom there must be one.
    pub(crate) fn require(flag: Option<&Path>) -> Result<Self> {
        match Self::locate(flag)? {
            Some(sdk) => Ok(sdk),
            None => Err(miette!(
                help = how_to_get(),
                "no Microkit SDK {MICROKIT_VERSION} was found: {}",
                why_none()?
            )),
        }
    }

    /// The SDK in `directory`.
    ///
    /// **Errors:** there is none, or it is of another version, or not whole.
    pub(crate) fn open(directory: &Path, origin: Origin) -> Result<Self> {
        // Absolute, because Cargo and the programs that it starts run elsewhere.
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_path_buf());
        check(&directory, &format!("`{}` ({origin})", directory.display()))?;
        Ok(Self { directory, origin })
    }

    /// Checks that the SDK can build for a board and configuration.
    pub(crate) fn check_kernel(&self, board: &str, config: &str) -> Result<()> {
        let (boards, configs) = (self.boards(), self.configs(board));
        let (kind, name, names) = if boards.iter().all(|known| known != board) {
            ("board", board, boards)
        } else if configs.iter().all(|known| known != config) {
            ("configuration", config, configs)
        } else {
            return Ok(());
        };
        let of_board = if kind == "board" {
            String::new()
        } else {
            format!(" of board `{board}`")
        };
        Err(miette!(
            help = advice(name, &names),
            "the Microkit SDK in `{}` has no {kind} `{name}`{of_board}",
            self.directory.display()
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

    /// Who said where it is.
    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    fn tool(&self) -> PathBuf {
        tool(&self.directory)
    }
}

/// Checks that `directory`, which errors call `shown`, is an SDK of the right version.
fn check(directory: &Path, shown: &str) -> Result<()> {
    let version = std::fs::read_to_string(directory.join("VERSION")).map_err(|e| {
        miette!(
            help = "an SDK is a directory with the file VERSION and the program bin/microkit",
            "there is no Microkit SDK in {shown}: its file VERSION cannot be read: {e}"
        )
    })?;
    let version = version.trim();
    if version != MICROKIT_VERSION {
        return Err(miette!(
            help = how_to_get(),
            "the Microkit SDK in {shown} is of version {version}, but this cargo-microkit is for \
             {MICROKIT_VERSION}"
        ));
    }
    let what = if !tool(directory).is_file() {
        "bin/microkit"
    } else if directories(&directory.join("board")).is_empty() {
        "a board"
    } else {
        return Ok(());
    };
    Err(miette!(
        help = how_to_get(),
        "the Microkit SDK in {shown} is not whole: it lacks {what}"
    ))
}

fn tool(sdk: &Path) -> PathBuf {
    sdk.join("bin/microkit")
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
pub(crate) fn why_none() -> Result<String> {
    let others: Vec<_> = store::list()?
        .into_iter()
        .map(|kept| kept.version)
        .collect();
    let kept = if others.is_empty() {
        "none is kept".to_owned()
    } else {
        format!("only {} is kept", others.join(", "))
    };
    Ok(format!("MICROKIT_SDK is not set and {kept}"))
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
