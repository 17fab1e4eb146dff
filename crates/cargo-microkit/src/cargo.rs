//! Cargo builds the programs that are Rust, in as few calls as their features allow.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::Message;
use miette::{Result, miette};

use crate::cli::Options;
use crate::features;
use crate::profile;
use crate::project::{Bin, Project, cargo_program};
use crate::sdk::Sdk;
use crate::terminal;
use crate::variant::Variant;

/// The target that PDs are built for.
pub(crate) const TARGET: &str = "aarch64-unknown-none";

/// The profile whose programs are not to pay for backtraces.
const RELEASE: &str = "release";

/// Has functions leave the frame records that a backtrace follows.
const FRAME_POINTERS: &str = r#"build.rustflags=["-Cforce-frame-pointers=yes"]"#;

/// The ELF files of the binaries that Cargo could build.
pub(crate) struct Built {
    files: BTreeMap<Bin, PathBuf>,
    has_failed: bool,
}

impl Built {
    /// No binary at all, for systems that have none.
    pub(crate) fn nothing() -> Self {
        Self {
            files: BTreeMap::new(),
            has_failed: false,
        }
    }

    /// The ELF file of a binary.
    ///
    /// **Errors:** Cargo could not build it, and has said why on standard error.
    pub(crate) fn file(&self, bin: &Bin) -> Result<&Path> {
        match self.files.get(bin) {
            Some(file) => Ok(file),
            None if self.has_failed => Err(miette!(
                help = "Cargo's own messages stand above",
                "Cargo could not build the binary `{}` for {TARGET}",
                bin.name
            )),
            None => Err(miette!(
                help = "has it `required-features`? Give them with `--features`",
                "Cargo did not build the binary `{}`",
                bin.name
            )),
        }
    }
}

/// Builds `bins` for the kernel of `variant`. Those that do not build hold up no others.
///
/// With `--features`, all are built in one call: Cargo then looks for each feature in all of them.
pub(crate) fn build(
    project: &Project,
    bins: &BTreeSet<Bin>,
    sdk: Option<&Sdk>,
    variant: &Variant,
    options: &Options,
) -> Result<Built> {
    if bins.is_empty() {
        return Ok(Built::nothing());
    }
    provide_target(project.directory(), options)?;
    let groups = match options.features.is_empty() {
        true => features::groups(project, bins),
        false => vec![bins.clone()],
    };
    let mut built = Built::nothing();
    for group in groups {
        let more = build_group(project, &group, sdk, variant, options)?;
        built.files.extend(more.files);
        built.has_failed |= more.has_failed;
    }
    Ok(built)
}

/// Builds programs in one call of Cargo.
fn build_group(
    project: &Project,
    bins: &BTreeSet<Bin>,
    sdk: Option<&Sdk>,
    variant: &Variant,
    options: &Options,
) -> Result<Built> {
    let target_directory = project
        .target_directory()
        .join("microkit")
        .join(variant.kernel_directory());
    let mut command = Command::new(cargo_program());
    command.args([
        "build",
        "--keep-going",
        "--message-format",
        "json-render-diagnostics",
    ]);
    command.args(["--target", TARGET, "--profile", &variant.profile]);
    command.arg("--target-dir").arg(target_directory);
    command.args(profile::arguments(&variant.profile, project.root()));
    if variant.profile != RELEASE {
        // Joined to what the user's configuration has there.
        command.args(["--config", FRAME_POINTERS]);
    }
    for feature in &options.features {
        command.args(["--features", feature]);
    }
    for package_id in bins
        .iter()
        .map(|bin| &bin.package_id)
        .collect::<BTreeSet<_>>()
    {
        command.args(["--package", package_id]);
    }
    for bin in bins {
        command.args(["--bin", &bin.name]);
    }
    match sdk {
        Some(sdk) => command.env("MICROKIT_SDK", sdk.directory()),
        None => command.env_remove("MICROKIT_SDK"),
    };
    command
        .env("MICROKIT_BOARD", &variant.board)
        .env("MICROKIT_CONFIG", &variant.config);
    command
        .current_dir(project.directory())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    if options.verbose {
        terminal::running(&command);
    }

    let lost = |e: std::io::Error| {
        miette!(
            help = "install Rust from https://rustup.rs",
            "Cargo could not be run: {e}"
        )
    };
    let mut child = command.spawn().map_err(lost)?;
    let mut files = BTreeMap::new();
    if let Some(output) = child.stdout.take() {
        for message in Message::parse_stream(BufReader::new(output)) {
            if let Message::CompilerArtifact(artifact) = message.map_err(lost)?
                && artifact.target.is_bin()
                && let Some(file) = artifact.executable
            {
                let package_id = artifact.package_id.repr;
                files.insert(
                    Bin {
                        package_id,
                        name: artifact.target.name,
                    },
                    file.into(),
                );
            }
        }
    }
    let status = child.wait().map_err(lost)?;
    Ok(Built {
        files,
        has_failed: !status.success(),
    })
}

/// Sees to it that Rust has the standard library for [`TARGET`].
fn provide_target(directory: &Path, options: &Options) -> Result<()> {
    if has_target(directory)? {
        return Ok(());
    }
    let command = format!("rustup target add {TARGET}");
    if which::which("rustup").is_err() {
        return Err(miette!(
            help = format!("install Rust from https://rustup.rs, then type `{command}`"),
            "Rust lacks the target {TARGET}, and there is no rustup to add it with"
        ));
    }
    if options.no_install {
        return Err(miette!(
            help = format!("type `{command}`, or leave out `--no-install`"),
            "Rust lacks the target {TARGET}"
        ));
    }
    terminal::status(
        "Installing",
        format_args!("the Rust target {TARGET} (`{command}`)"),
    );
    let status = Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(directory)
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(miette!(
            help = format!("see why above, and type `{command}`"),
            "the Rust target {TARGET} could not be installed"
        )),
    }
}

/// Whether the Rust that is used in `directory` has the standard library for [`TARGET`].
///
/// **Errors:** there is no Rust.
pub(crate) fn has_target(directory: &Path) -> Result<bool> {
    let output = Command::new(rustc_program())
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(directory)
        .output()
        .map_err(|e| {
            miette!(
                help = "install Rust from https://rustup.rs",
                "rustc could not be run: {e}"
            )
        })?;
    let libraries = String::from_utf8_lossy(&output.stdout);
    Ok(output.status.success() && Path::new(libraries.trim()).is_dir())
}

/// The Rust compiler that Cargo would use.
pub(crate) fn rustc_program() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}
