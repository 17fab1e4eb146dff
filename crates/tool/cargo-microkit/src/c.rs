//! Compiles programs in C with the SDK's libmicrokit.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use miette::{Diagnostic, Report, Result, miette};

use crate::c_compiler;
use crate::c_program::CProgram;
use crate::files;
use crate::sdk::{self, Sdk};
use crate::target::Target;
use crate::terminal;
use crate::variant::Variant;

/// The environment variable that error messages propose for choosing a compiler.
const VARIABLE: &str = "CC_aarch64_unknown_none";

/// The flags of Microkit's own examples, for any AArch64 core.
const FLAGS: [&str; 7] = [
    "-std=gnu11",
    "-O3",
    "-g",
    "-ffreestanding",
    "-nostdlib",
    "-mstrict-align",
    "-Wall",
];

/// The error for a missing SDK or C compiler. With this error, a test of a C program is skipped
/// instead of failed.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{what}")]
pub(crate) struct Missing {
    what: String,
    #[help]
    help: String,
}

/// Compiles `source` to the ELF file `program`. A failure never leaves a partial file.
///
/// # Errors
///
/// Returns [`Missing`] without an SDK or a compiler. Fails if the compiler fails. The compiler
/// prints its own messages.
pub(crate) fn compile(
    source: &CProgram,
    program: &Path,
    target: Target,
    sdk: Option<&Sdk>,
    variant: &Variant,
    verbose: bool,
) -> Result<()> {
    let sdk = sdk.ok_or_else(|| Missing {
        what: format!("{source} is a C program, which requires the Microkit SDK"),
        help: sdk::how_to_get(),
    })?;
    let compiler = c_compiler::compiler(target).ok_or_else(|| Missing {
        what: format!("{source} is a C program, and no C compiler for AArch64 was found"),
        help: format!(
            "install one (Debian: `apt-get install gcc-aarch64-linux-gnu`), or set {VARIABLE}"
        ),
    })?;
    let temporary = tempfile::tempdir()
        .map_err(|e| files::cannot("make a directory in", &env::temp_dir(), &e))?;
    let output = temporary.path().join("program");
    let board = sdk.board_directory(&variant.board, &variant.config);
    let mut command = Command::new(&compiler[0]);
    command.args(&compiler[1..]).args(FLAGS);
    if target == Target::NoFpu {
        command.arg("-mgeneral-regs-only");
    }
    for folder in source.include.iter().chain([&board.join("include")]) {
        command.arg("-I").arg(folder);
    }
    // For the compiler, the last flag wins: the manifest's flags override the default flags, and
    // the environment's flags override both.
    command.args(&source.flags).args(c_compiler::flags(target));
    command.args(&source.sources).arg("-o").arg(&output);
    command
        .arg("-static")
        .arg("-Wl,--build-id=none,-z,noexecstack");
    command.arg("-L").arg(board.join("lib"));
    command.arg("-lmicrokit").arg("-T");
    command.arg(board.join("lib").join("microkit.ld"));
    command.stdin(Stdio::null());
    if verbose {
        terminal::running(&command);
    }
    let status = command
        .status()
        .map_err(|e| not_started(&compiler[0], &e))?;
    if !status.success() {
        return Err(miette!(
            help = "see the compiler's messages above",
            "{source} could not be compiled"
        ));
    }
    files::place(&output, program)
}

fn not_started(compiler: &OsString, error: &std::io::Error) -> Report {
    miette!(
        help = format!("set {VARIABLE} to a C compiler for AArch64"),
        "the C compiler `{}` cannot be started: {error}",
        compiler.to_string_lossy()
    )
}
