//! The SDK's own tool, which makes the boot image: this program only calls it.

use std::process::{Command, Stdio};

use miette::{Result, miette};

use crate::files;
use crate::kernel::Request;
use crate::sdk::Sdk;
use crate::terminal;

/// Makes the image and the report, both of them whole or not at all.
///
/// **Errors:** the tool refuses the system; its message is passed on. The image of before stays.
pub(crate) fn pack(sdk: &Sdk, request: &Request<'_>) -> Result<()> {
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
        .args(&request.search_paths);
    command.args([
        "--board",
        &request.variant.board,
        "--config",
        &request.variant.config,
    ]);
    command
        .arg("-o")
        .arg(&image)
        .arg("-r")
        .arg(&report)
        .stdin(Stdio::null());
    if request.options.verbose {
        terminal::running(&command);
    }
    let output = command.output().map_err(|e| {
        miette!(
            help = "is the SDK one for this machine? `bin/microkit --help` must work",
            "the tool of the Microkit SDK, `{}`, cannot be started: {e}",
            sdk.tool().display()
        )
    })?;
    if request.options.verbose {
        terminal::aside(String::from_utf8_lossy(&output.stdout).trim_end());
    }
    // The tool's messages point at the report.
    if report.is_file() {
        files::place(&report, request.report)?;
    }
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        let ended = output.status;
        return Err(miette!(
            help = format!(
                "the message is that of the SDK's tool; change `{}` as it says",
                request.system.display()
            ),
            "Microkit refused the system file `{}` ({ended}):\n{}",
            request.system.display(),
            message.trim_end()
        ));
    }
    files::place(&image, request.image)
}
