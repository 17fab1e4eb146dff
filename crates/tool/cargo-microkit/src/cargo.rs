//! Runs Cargo to build the Rust programs, in as few calls as their features allow.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cargo_metadata::Message;
use miette::{Result, miette};
use tempfile::TempDir;

use crate::calls;
use crate::cli::Options;
use crate::features::{self, CargoCall};
use crate::files::{self, Lock};
use crate::forgotten;
use crate::profile;
use crate::project::{Bin, Project, cargo_program};
use crate::sdk::Sdk;
use crate::target::Target;
use crate::terminal;
use crate::variant::Variant;

/// The profile without frame pointers, because its programs must not pay for backtraces.
const RELEASE: &str = "release";

/// The Cargo setting for frame records. A backtrace reads the chain of these records.
const FRAME_POINTERS: &str = r#"build.rustflags=["-Cforce-frame-pointers=yes"]"#;

/// A binary and its target. Two systems may require the same binary for different targets.
pub(crate) type Wanted = (Target, Bin);

/// The ELF files of the binaries that Cargo built successfully.
///
/// The files are private copies for this process, because another process may build the same
/// binaries with other features at any time.
pub(crate) struct Built {
    files: BTreeMap<Wanted, PathBuf>,
    has_failed: bool,
    /// The advice for binaries whose source lacks a required line.
    advice: BTreeMap<Bin, &'static str>,
    _copies: Option<TempDir>,
}

impl Built {
    /// Returns an empty result, for systems without Rust programs.
    pub(crate) fn nothing() -> Self {
        Self {
            files: BTreeMap::new(),
            has_failed: false,
            advice: BTreeMap::new(),
            _copies: None,
        }
    }

    /// Copies the binaries that Cargo built for `target` into `folder`.
    fn add_copies(&mut self, made: Made, target: Target, folder: &Path) -> Result<()> {
        files::make_directory(folder)?;
        self.has_failed |= made.has_failed;
        self.advice.extend(made.advice);
        for (bin, file) in made.files {
            let copy = folder.join(&bin.name);
            copy_program(&file, &copy)?;
            self.files.insert((target, bin), copy);
        }
        Ok(())
    }

    /// Returns the ELF file of a binary.
    ///
    /// # Errors
    ///
    /// Fails if Cargo could not build the binary. Cargo has already printed the reason on standard
    /// error.
    pub(crate) fn file(&self, wanted: &Wanted) -> Result<&Path> {
        let (target, bin) = wanted;
        match self.files.get(wanted) {
            Some(file) => Ok(file),
            None if self.has_failed => Err(miette!(
                help = *self
                    .advice
                    .get(bin)
                    .unwrap_or(&"see Cargo's messages above"),
                "Cargo could not build the binary `{}` for {target}",
                bin.name
            )),
            None => Err(miette!(
                help = "if it has `required-features`, enable them with `--features`",
                "Cargo did not build the binary `{}`",
                bin.name
            )),
        }
    }
}

/// Copies a program and its dependency file. Cargo lists the program's sources in that file.
pub(crate) fn copy_program(from: &Path, to: &Path) -> Result<()> {
    files::place(from, to)?;
    let sources = from.with_extension("d");
    if sources.is_file() {
        files::place(&sources, &to.with_extension("d"))?;
    }
    Ok(())
}

/// The result of one call of Cargo. The files are in Cargo's target directory.
struct Made {
    files: BTreeMap<Bin, PathBuf>,
    has_failed: bool,
    advice: BTreeMap<Bin, &'static str>,
}

/// Builds the binaries of `wanted` for the kernel of `variant`. If one binary fails to build, Cargo
/// still builds the other binaries.
///
/// # Errors
///
/// Fails if a chosen feature exists in no program, or if Cargo cannot be run.
pub(crate) fn build(
    project: &Project,
    wanted: &BTreeSet<Wanted>,
    sdk: Option<&Sdk>,
    variant: &Variant,
    options: &Options,
) -> Result<Built> {
    let mut built = Built::nothing();
    if wanted.is_empty() {
        return Ok(built);
    }
    let directory = target_directory(project, variant, sdk);
    files::make_directory(&directory)?;
    // The lock is held until the binaries are copied, so that no other process rebuilds the
    // binaries during the copy.
    let _lock = Lock::take(&directory.join(".cargo-microkit-lock"))?;
    let bins: BTreeSet<Bin> = wanted.iter().map(|(_, bin)| bin.clone()).collect();
    let calls = calls::all(project, &bins, options, &directory.join("dependencies"))?;
    let copies = tempfile::tempdir()
        .map_err(|e| files::cannot("make a directory in", &env::temp_dir(), &e))?;
    for target in [Target::Fpu, Target::NoFpu] {
        let calls = calls.iter().filter_map(|(call, features)| {
            let mut call = call.clone();
            call.bins
                .retain(|bin| wanted.contains(&(target, bin.clone())));
            (!call.bins.is_empty()).then(|| (call, features.clone()))
        });
        let groups = features::groups(calls);
        if groups.is_empty() {
            continue;
        }
        provide_target(
            target,
            |program| rust_in(project.directory(), program),
            options,
        )?;
        for (number, group) in groups.iter().enumerate() {
            let made = build_group(project, group, target, sdk, variant, options)?;
            let folder = copies.path().join(target.name()).join(number.to_string());
            built.add_copies(made, target, &folder)?;
        }
    }
    built._copies = Some(copies);
    Ok(built)
}

/// Returns Cargo's target directory for a kernel.
fn target_directory(project: &Project, variant: &Variant, sdk: Option<&Sdk>) -> PathBuf {
    project
        .target_directory()
        .join("microkit")
        .join(variant.kernel_directory(sdk))
}

/// Builds programs in one call of Cargo.
fn build_group(
    project: &Project,
    call: &CargoCall,
    target: Target,
    sdk: Option<&Sdk>,
    variant: &Variant,
    options: &Options,
) -> Result<Made> {
    let mut command = Command::new(cargo_program());
    command.args(["build", "--keep-going", "--message-format"]);
    command.arg(match console::colors_enabled_stderr() {
        true => "json-diagnostic-rendered-ansi",
        false => "json",
    });
    command.args(["--target", target.name(), "--profile", &variant.profile]);
    command
        .arg("--target-dir")
        .arg(target_directory(project, variant, sdk));
    command.args(profile::arguments(&variant.profile, project.root()));
    if variant.profile != RELEASE {
        // Cargo appends these flags to the flags of the user's configuration.
        command.args(["--config", FRAME_POINTERS]);
    }
    command.arg("--manifest-path").arg(&call.manifest);
    for feature in &call.chosen {
        command.args(["--features", feature]);
    }
    for package in &call.packages {
        command.args(["--package", package]);
    }
    for bin in &call.bins {
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
    let mut made = Made {
        files: BTreeMap::new(),
        has_failed: false,
        advice: BTreeMap::new(),
    };
    if let Some(output) = child.stdout.take() {
        for message in Message::parse_stream(BufReader::new(output)) {
            match message.map_err(lost)? {
                Message::CompilerArtifact(artifact) if artifact.target.is_bin() => {
                    let bin = call.bin(&artifact.package_id.repr, &artifact.target.name);
                    if let (Some(bin), Some(file)) = (bin, artifact.executable) {
                        made.files.insert(bin.clone(), file.into());
                    }
                }
                Message::CompilerMessage(message) => {
                    let text = message.message.rendered.unwrap_or_default();
                    terminal::aside(text.trim_end());
                    let plain = console::strip_ansi_codes(&text);
                    let bin = call.bin(&message.package_id.repr, &message.target.name);
                    if let (Some(bin), Some(advice)) = (bin, forgotten::advice(&plain)) {
                        made.advice.entry(bin.clone()).or_insert(advice);
                    }
                }
                _ => {}
            }
        }
    }
    let status = child.wait().map_err(lost)?;
    made.has_failed = !status.success();
    Ok(made)
}

/// Installs Rust's core library for `target` if the library is missing. `command` creates a command
/// for a program of the Rust toolchain.
///
/// # Errors
///
/// Fails if the library is missing and cannot be installed, or may not be installed.
pub(crate) fn provide_target(
    target: Target,
    command: impl Fn(&str) -> Command,
    options: &Options,
) -> Result<()> {
    if has_target(target, command("rustc"))? || builds_core(command("cargo")) {
        return Ok(());
    }
    let add = format!("rustup target add {target}");
    if which::which("rustup").is_err() {
        return Err(miette!(
            help = format!("install Rust from https://rustup.rs, then run `{add}`"),
            "Rust lacks the target {target}, and rustup, which could add it, was not found"
        ));
    }
    if options.no_install {
        return Err(miette!(
            help = format!("run `{add}`, or remove `--no-install`"),
            "Rust lacks the target {target}"
        ));
    }
    terminal::status(
        "Installing",
        format_args!("the Rust target {target} (`{add}`)"),
    );
    let status = command("rustup")
        .args(["target", "add", target.name()])
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(miette!(
            help = format!("see the messages above, and run `{add}`"),
            "the Rust target {target} could not be installed"
        )),
    }
}

/// Returns whether this `cargo` is configured to build the core library itself (`build-std`). If
/// so, the library does not need to be installed. Only nightly Cargo has and reports this setting.
fn builds_core(mut cargo: Command) -> bool {
    cargo.args(["-Zunstable-options", "config", "get", "unstable.build-std"]);
    cargo.stdin(Stdio::null());
    cargo.output().is_ok_and(|output| output.status.success())
}

/// Returns whether the toolchain of this `rustc` has the core library for `target`.
///
/// # Errors
///
/// Fails if `rustc` cannot be run.
pub(crate) fn has_target(target: Target, mut rustc: Command) -> Result<bool> {
    rustc.args(["--print", "target-libdir", "--target", target.name()]);
    let output = rustc_output(&mut rustc)?;
    let libraries = String::from_utf8_lossy(&output.stdout);
    Ok(output.status.success() && Path::new(libraries.trim()).is_dir())
}

/// Returns a command for a program of the Rust toolchain that is selected in `directory`.
pub(crate) fn rust_in(directory: &Path, program: &str) -> Command {
    let mut command = match program {
        "rustc" => Command::new(rustc_program()),
        other => Command::new(other),
    };
    command.current_dir(directory);
    command
}

/// Returns the host target of the Rust toolchain that is selected in `directory`.
///
/// # Errors
///
/// Fails if `rustc` cannot be run.
pub(crate) fn host_target(directory: &Path) -> Result<String> {
    let output = rustc_output(rust_in(directory, "rustc").args(["--version", "--verbose"]))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| {
        miette!(
            help = "install Rust from https://rustup.rs",
            "`rustc --version --verbose` does not print its host"
        )
    })
}

fn rustc_output(rustc: &mut Command) -> Result<Output> {
    rustc.output().map_err(|e| {
        miette!(
            help = "install Rust from https://rustup.rs",
            "rustc could not be run: {e}"
        )
    })
}

/// Returns the Rust compiler that Cargo would use.
pub(crate) fn rustc_program() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}
