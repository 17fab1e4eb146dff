//! Runs the SDK's own tool. The tool makes the boot image.

use std::io::ErrorKind;
use std::process::{Command, Output, Stdio};

use miette::{Report, Result, miette};
use object::{Architecture, Object, read::File};

use crate::files;
use crate::kernel::Request;
use crate::layout;
use crate::readable::readable;
use crate::sdk::{Sdk, TOOL, how_to_get, room};
use crate::terminal;

/// Checks that the tool runs on this machine.
pub(super) fn check(sdk: &Sdk) -> Result<()> {
    let output = output(sdk, Command::new(sdk.tool()).arg("--help"))?;
    let is_tool = String::from_utf8_lossy(&output.stdout).contains("--board");
    if output.status.success() && is_tool {
        return Ok(());
    }
    let said = match output.status.success() {
        true => "it is a different program".into(),
        false => String::from_utf8_lossy(&output.stderr),
    };
    Err(miette!(
        help = how_to_get(),
        "the tool of the Microkit SDK, `{}`, does not work on this machine ({}): {}",
        sdk.shown.join(TOOL).display(),
        output.status,
        said.lines().next().map(readable).unwrap_or_default()
    ))
}

/// Writes the image and the report. A failure never leaves a partial file.
///
/// # Errors
///
/// Fails if the system cannot be laid out. The error shows each reason with its line, as for the
/// model kernel. Fails if the tool rejects the system. The error shows the tool's message. A
/// failure does not change an existing image.
pub(crate) fn pack(sdk: &Sdk, request: &Request<'_>) -> Result<()> {
    let board = &request.variant.board;
    let facts = sdk.kernel(board, &request.variant.config)?;
    layout::check(request.parsed, board, &request.search_paths, &facts)?;
    room::check(sdk, request)?;

    let temporary = tempfile::tempdir()
        .map_err(|e| files::cannot("make a directory in", &std::env::temp_dir(), &e))?;
    let (image, report) = (
        temporary.path().join("image"),
        temporary.path().join("report"),
    );
    let mut command = Command::new(sdk.tool());
    command
        .arg(request.system)
        .arg("--search-path")
        .args(&request.search_paths)
        .args(["--board", board, "--config", &request.variant.config])
        .arg("-o")
        .arg(&image)
        .arg("-r")
        .arg(&report);
    if request.options.verbose {
        terminal::running(&command);
    }
    let output = output(sdk, &mut command)?;
    if request.options.verbose {
        terminal::aside(String::from_utf8_lossy(&output.stdout).trim_end());
    }
    // The tool's messages refer to the report, so the report is also written after an error.
    if report.is_file() {
        files::place(&report, request.report)?;
    }
    match output.status.success() {
        true if image.is_file() => files::place(&image, request.image),
        true => Err(miette!(
            help = how_to_get(),
            "the tool of the Microkit SDK, `{}`, reported no error but made no image",
            sdk.shown.join(TOOL).display()
        )),
        false => Err(refusal(request, &output)),
    }
}

/// Returns the error for a tool that rejected a system, or that crashed.
fn refusal(request: &Request<'_>, output: &Output) -> Report {
    let (message, ended) = (String::from_utf8_lossy(&output.stderr), output.status);
    let (message, system) = (message.trim_end(), request.system.display());
    let panic = message.find("panicked at");
    if panic.is_some() || ended.code().is_none() || message.is_empty() {
        // The tool's backtrace would not help the user, so the backtrace is removed.
        let message = message[panic.unwrap_or(0)..]
            .split("\nstack backtrace:")
            .next();
        return miette!(
            help = "this is a bug or a limit of that tool, and not an error that it found in the \
                    system file; changing what is unusual there or in the programs may avoid it",
            "the tool of the Microkit SDK failed on `{system}` ({ended}): {}{}",
            panic.map_or("", |_| "it "),
            message.unwrap_or_default().trim_end()
        );
    }
    miette!(
        help = format!("the message is from the SDK's tool; correct `{system}` accordingly"),
        "Microkit refused the system file `{system}` ({ended}):\n{message}"
    )
}

/// Runs the tool. If the tool cannot be started, the error states the reason.
fn output(sdk: &Sdk, command: &mut Command) -> Result<Output> {
    // The tool looks for its SDK in the variable `MICROKIT_SDK` first. The user's value may name
    // another SDK.
    command.env("MICROKIT_SDK", sdk.directory());
    command.stdin(Stdio::null()).output().map_err(|error| {
        let why = match error.kind() {
            ErrorKind::PermissionDenied => "this file is not executable".to_owned(),
            _ => machine(sdk).unwrap_or_else(|| error.to_string()),
        };
        miette!(
            help = how_to_get(),
            "the tool of the Microkit SDK, `{}`, cannot be started: {why}",
            sdk.shown.join(TOOL).display()
        )
    })
}

/// Returns the machine type of the tool, if it differs from this machine.
fn machine(sdk: &Sdk) -> Option<String> {
    let bytes = std::fs::read(sdk.tool()).ok()?;
    let this = std::env::consts::ARCH;
    let other = match File::parse(&*bytes) {
        Ok(file) => match file.architecture() {
            Architecture::X86_64 => "x86_64",
            Architecture::Aarch64 => "aarch64",
            _ => "another machine",
        },
        // A Mach-O file begins with these bytes.
        Err(_) if bytes.starts_with(&[0xcf, 0xfa, 0xed, 0xfe]) => "macOS",
        Err(_) => return None,
    };
    (other != this).then(|| format!("it is for {other}, and this machine is {this}"))
}
