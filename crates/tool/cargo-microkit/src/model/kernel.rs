//! Builds the model kernel's ELF file once for each version of the kernel's source, and caches the
//! file.

use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{Result, miette};

use crate::cargo;
use crate::cli::Options;
use crate::files::{self, Lock};
use crate::target::Target;
use crate::terminal;

use super::isolated::{Environment, cargo_home};
use super::source;

/// The name of the kernel's package and of its binary.
const PROGRAM: &str = "kernel-aarch64";

/// The kernel's target. The kernel saves and restores the floating-point registers of the programs.
/// So the target is not `Target::NoFpu`.
const TARGET: Target = Target::Fpu;

/// Returns the kernel's ELF file. Builds the file first if it is not in the cache.
///
/// **Blocking:** waits while another process builds the file.
pub(super) fn elf_file(options: &Options) -> Result<PathBuf> {
    let folder = crate::home::cache()?.join("model-kernel");
    let kept = folder.join(format!("{}.elf", source::NAME));
    if kept.is_file() {
        return Ok(kept);
    }
    files::make_directory(&folder)?;
    let _lock = Lock::take(&folder.join("lock"))?;
    if !kept.is_file() {
        terminal::status("Building", "the model kernel, once");
        build(&folder, &kept, options)?;
    }
    Ok(kept)
}

/// Builds the kernel in a temporary folder below `folder`.
fn build(folder: &Path, to: &Path, options: &Options) -> Result<()> {
    let temporary = tempfile::Builder::new()
        .prefix(".building-")
        .tempdir_in(folder)
        .map_err(|e| files::cannot("make a directory in", folder, &e))?;
    let [source, target, home] =
        ["source", "target", "cargo"].map(|name| temporary.path().join(name));
    source::unpack(&source)?;
    cargo_home(&home)?;
    let environment = Environment::new(&home)?;
    cargo::provide_target(TARGET, |program| environment.command(program), options)?;

    let mut command = environment.command("cargo");
    command.args([
        "build",
        "--release",
        "--package",
        PROGRAM,
        "--target",
        TARGET.name(),
    ]);
    command
        .arg("--manifest-path")
        .arg(source.join("Cargo.toml"));
    command.arg("--target-dir").arg(&target);
    if !options.verbose {
        command.arg("--quiet");
    }
    run(
        &mut command,
        options,
        "Cargo could not build the model kernel",
    )?;
    let built = target.join(TARGET.name()).join("release").join(PROGRAM);
    files::place(&built, to)
}

/// Runs a command and shows its messages.
fn run(command: &mut Command, options: &Options, failed: &str) -> Result<()> {
    if options.verbose {
        terminal::running(command);
    }
    let status = command.status().map_err(|e| cannot_start(command, &e))?;
    if status.success() {
        return Ok(());
    }
    Err(miette!(
        help = "see the messages above; your own settings of Cargo and Rust are not used",
        "{failed}"
    ))
}

fn cannot_start(command: &Command, error: &std::io::Error) -> miette::Report {
    let program = command.get_program().to_string_lossy();
    miette!(
        help = "install Rust from https://rustup.rs",
        "`{program}`, which builds the model kernel, cannot be started: {error}"
    )
}
