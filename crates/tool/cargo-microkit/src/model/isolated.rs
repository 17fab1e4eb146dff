//! Runs Cargo without the user's settings, so that the settings do not affect the model kernel's
//! build.
//!
//! Cargo reads these settings besides the manifest:
//!
//! | setting | here |
//! | --- | --- |
//! | environment variables | removed, except those for finding programs and for network access |
//! | `.cargo/config.toml` of a folder and of those above it | Cargo runs in the root folder |
//! | `config.toml` of the user's Cargo home | own Cargo home, with the network settings |
//! | toolchain file, `+toolchain` | rustup's default toolchain, if it is new enough |
//! | target folder | own target folder |

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

use cargo_metadata::semver::Version;
use miette::{Result, miette};
use toml::{Table, Value};

use crate::files;

/// The folder in which Cargo runs. Cargo reads the configuration of this folder and of all folders
/// above it. The root has no folder above it.
const FOLDER: &str = "/";

/// The environment variables that are kept: for finding programs, for messages to the user, and for
/// network access.
const KEPT: [&str; 17] = [
    "COLUMNS",
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "NO_COLOR",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TMPDIR",
    "USER",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// The prefixes of other variables that are kept.
const KEPT_PREFIXES: [&str; 5] = ["CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "GIT_", "NIX_"];

/// The variable that names the toolchain. rustup sets this variable for the programs that rustup
/// starts.
const TOOLCHAIN: &str = "RUSTUP_TOOLCHAIN";

/// The tables of a Cargo configuration that control network access.
const TRANSPORT: [&str; 5] = ["http", "net", "registries", "registry", "source"];

/// The keys in the tables of [`TRANSPORT`] whose values are paths.
const PATHS: [&str; 3] = ["cainfo", "directory", "local-registry"];

/// The entries of a Cargo home that several homes can share: packages, package locks, and
/// credentials.
const SHARED: [&str; 5] = [
    "registry",
    ".package-cache",
    ".package-cache-mutate",
    "credentials",
    "credentials.toml",
];

/// An environment for commands without the user's settings.
#[derive(Debug)]
pub(super) struct Environment {
    variables: Vec<(OsString, OsString)>,
}

impl Environment {
    /// Creates an environment with this Cargo home.
    ///
    /// Uses rustup's default toolchain if this toolchain is new enough, otherwise the toolchain
    /// that runs this program.
    ///
    /// # Errors
    ///
    /// Fails if neither toolchain is new enough.
    pub(super) fn new(cargo_home: &Path) -> Result<Self> {
        let mut environment = Self {
            variables: kept(env::vars_os()),
        };
        environment.set("CARGO_HOME", cargo_home.as_os_str());
        let default = environment.rustc_version();
        if is_new_enough(default.as_deref()) {
            return Ok(environment);
        }
        let current = env::var_os(TOOLCHAIN).and_then(|toolchain| {
            environment.set(TOOLCHAIN, &toolchain);
            environment.rustc_version()
        });
        if is_new_enough(current.as_deref()) {
            return Ok(environment);
        }
        let found = current.or(default);
        Err(miette!(
            help = "install Rust from https://rustup.rs, or run `rustup update`",
            "Rust {NEEDED} or newer is required to build the model kernel, and this is {}",
            found.as_deref().unwrap_or("none")
        ))
    }

    /// Returns a command for a program in this environment.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(FOLDER).stdin(Stdio::null());
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        command.envs(variables);
        command
    }

    fn set(&mut self, name: &str, value: &OsStr) {
        self.variables.push((name.into(), value.into()));
    }

    fn rustc_version(&self) -> Option<String> {
        let output = self.command("rustc").arg("--version").output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let version = text.split_whitespace().nth(1)?.to_owned();
        output.status.success().then_some(version)
    }
}

/// The oldest Rust version that this project supports.
const NEEDED: &str = env!("CARGO_PKG_RUST_VERSION");

fn is_new_enough(version: Option<&str>) -> bool {
    let parse = |text: &str| {
        let version = Version::parse(text).ok()?;
        Some((version.major, version.minor))
    };
    let found = version.and_then(parse);
    found.is_some() && found >= parse(&format!("{NEEDED}.0"))
}

/// Returns the environment variables to keep.
fn kept(all: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
    all.filter(|(name, _)| name.to_str().is_some_and(is_kept))
        .collect()
}

fn is_kept(name: &str) -> bool {
    let is_proxy = KEPT.contains(&name.to_lowercase().as_str()) && name.ends_with("PROXY");
    let is_rustup = name.starts_with("RUSTUP_") && name != TOOLCHAIN;
    let has_prefix = KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    KEPT.contains(&name) || is_proxy || is_rustup || has_prefix
}

/// Creates a Cargo home in `folder`. The new home shares downloaded packages with the user's Cargo
/// home, and has a copy of the user's network settings.
///
/// # Errors
///
/// Fails if the user's configuration cannot be read.
pub(super) fn cargo_home(folder: &Path) -> Result<()> {
    files::make_directory(folder)?;
    let Some(users) = users_cargo_home() else {
        return Ok(());
    };
    for name in SHARED {
        let original = users.join(name);
        if original.exists() {
            let link = folder.join(name);
            std::os::unix::fs::symlink(&original, &link)
                .map_err(|e| files::cannot("make the link", &link, &e))?;
        }
    }
    let Some((file, text)) = configuration(&users)? else {
        return Ok(());
    };
    let all: Table = toml::from_str(&text).map_err(|e| {
        miette!(
            help = "Cargo reads this file too: correct it",
            "`{}` is not a valid Cargo configuration: {e}",
            file.display()
        )
    })?;
    // Paths are relative to the parent of the Cargo home (Cargo book, *Configuration*).
    let base = users.parent().unwrap_or(&users);
    files::write(
        &folder.join("config.toml"),
        transport(all, base).to_string(),
    )
}

fn users_cargo_home() -> Option<PathBuf> {
    match env::var_os("CARGO_HOME").filter(|value| !value.is_empty()) {
        Some(home) => std::path::absolute(home).ok(),
        None => Some(directories::BaseDirs::new()?.home_dir().join(".cargo")),
    }
}

/// Reads the configuration in a Cargo home. Old versions of Cargo named the file `config`.
fn configuration(home: &Path) -> Result<Option<(PathBuf, String)>> {
    for name in ["config", "config.toml"] {
        let file = home.join(name);
        match fs::read_to_string(&file) {
            Ok(text) => return Ok(Some((file, text))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(files::cannot("read", &file, &e)),
        }
    }
    Ok(None)
}

/// Returns the tables that control network access, with absolute paths.
fn transport(mut all: Table, base: &Path) -> Table {
    all.retain(|name, _| TRANSPORT.contains(&name));
    all.iter_mut()
        .for_each(|(_, value)| make_paths_absolute(value, base));
    all
}

fn make_paths_absolute(value: &mut Value, base: &Path) {
    let Value::Table(table) = value else { return };
    for (key, value) in table.iter_mut() {
        match value {
            Value::String(path) if PATHS.contains(&key.as_str()) => {
                *path = base.join(&path).to_string_lossy().into_owned();
            }
            other => make_paths_absolute(other, base),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_removed_except_those_for_network_access() {
        let check = |name: &str, expect| assert_eq!(is_kept(name), expect, "{name}");
        for kept in [
            "PATH",
            "HOME",
            "https_proxy",
            "HTTPS_PROXY",
            "CARGO_HTTP_PROXY",
            "CARGO_NET_OFFLINE",
            "CARGO_REGISTRIES_MINE_INDEX",
            "RUSTUP_HOME",
        ] {
            check(kept, true);
        }
        for removed in [
            "CARGO",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_INCREMENTAL",
            "CARGO_PROFILE_RELEASE_STRIP",
            "CARGO_TARGET_AARCH64_UNKNOWN_NONE_LINKER",
            "CARGO_TARGET_DIR",
            "CARGO_UNSTABLE_BUILD_STD",
            "CC",
            "PROXY",
            "RUSTC",
            "RUSTC_BOOTSTRAP",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTC_WRAPPER",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
        ] {
            check(removed, false);
        }
    }

    #[test]
    fn only_the_settings_for_network_access_are_copied() {
        let all = "paths = ['/elsewhere']\n\
                   [build]\ntarget = 'a'\nrustc-wrapper = 'b'\n\
                   [env]\nA = 'b'\n\
                   [patch.crates-io]\n\
                   [profile.release]\nstrip = true\n\
                   [target.aarch64-unknown-none]\nrustflags = ['-Ctarget-cpu=cortex-a76']\n\
                   [unstable]\nbuild-std = true\n\
                   [http]\ncainfo = 'ours.pem'\n\
                   [net]\noffline = true\n\
                   [registries.mine]\nindex = 'sparse+https://example.org/'\n\
                   [source.crates-io]\nreplace-with = 'vendored'\n\
                   [source.vendored]\ndirectory = 'vendor'\n\
                   [source.other]\nlocal-registry = '/srv/registry'\n";
        let kept = transport(toml::from_str(all).expect("TOML"), Path::new("/home/ada"));
        let expect = "[http]\ncainfo = '/home/ada/ours.pem'\n\
                      [net]\noffline = true\n\
                      [registries.mine]\nindex = 'sparse+https://example.org/'\n\
                      [source.crates-io]\nreplace-with = 'vendored'\n\
                      [source.vendored]\ndirectory = '/home/ada/vendor'\n\
                      [source.other]\nlocal-registry = '/srv/registry'\n";
        assert_eq!(kept, toml::from_str(expect).expect("TOML"));
    }

    #[test]
    fn a_rust_is_new_enough_from_the_oldest_supported_version_on() {
        let oldest = format!("{NEEDED}.0");
        let check = |version, expect| assert_eq!(is_new_enough(version), expect, "{version:?}");
        check(Some(&*oldest), true);
        check(Some("1.999.1-nightly"), true);
        check(Some("2.0.0"), true);
        check(Some("1.80.1"), false);
        check(Some("0.999.0"), false);
        check(Some("unknown"), false);
        check(None, false);
    }
}
