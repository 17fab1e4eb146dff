//! The model kernel's ELF file: built once for each version of its source, and kept.

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

/// Its package, and its binary.
const PROGRAM: &str = "kernel-aarch64";

/// It uses no floating-point registers of its own, but keeps those of the programs.
const TARGET: Target = Target::Fpu;

/// Returns the kernel's ELF file, built if it is not there yet.
///
/// **Blocks:** until another process that builds it has finished.
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

/// Builds the kernel in a folder of its own below `folder`, which is deleted afterwards.
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

/// Runs a command, whose messages are shown.
fn run(command: &mut Command, options: &Options, failed: &str) -> Result<()> {
    if options.verbose {
        terminal::running(command);
    }
    let status = command.status().map_err(|e| cannot_start(command, &e))?;
    if status.success() {
        return Ok(());
    }
    Err(miette!(
        help = "the messages above say why; none of your own settings of Cargo and Rust are used",
        "{failed}"
    ))
}

fn cannot_start(command: &Command, error: &std::io::Error) -> miette::Report {
    let program = command.get_program().to_string_lossy();
    miette!(
        help = "install Rust from https://rustup.rs",
        "`{program}`, to build the model kernel with, cannot be started: {error}"
    )
}
