//! `doctor`: lists the installed tools, and shows how to install the missing tools.

use std::process::Command;

use cargo_metadata::semver::Version;
use miette::{Result, miette};

use crate::cargo;
use crate::cli::DoctorArgs;
use crate::command::{Outcome, current_directory};
use crate::model;
use crate::qemu;
use crate::sdk::{self, Sdk};
use crate::target::Target;
use crate::terminal;

/// Prints one line for each needed tool, and a help line below each missing tool.
pub(super) fn doctor(args: &DoctorArgs) -> Result<Outcome> {
    let checks = [
        ("rustc", rustc()),
        ("target", target()),
        ("QEMU", qemu_version(args)),
        ("SDK", microkit_sdk(args)),
    ];
    let mut outcome = Outcome::Done;
    for (name, check) in checks {
        match check {
            Ok(found) => terminal::line(format_args!("ok       {name}: {found}")),
            Err(report) => {
                outcome = Outcome::Failed;
                terminal::line(format_args!("missing  {name}: {report}"));
                if let Some(help) = report.help() {
                    terminal::line(format_args!("         {help}"));
                }
            }
        }
    }
    Ok(outcome)
}

fn rustc() -> Result<String> {
    const NEEDED: &str = env!("CARGO_PKG_RUST_VERSION");
    let help = "install Rust from https://rustup.rs, or run `rustup update`";
    let said = first_line(Command::new(cargo::rustc_program()).arg("--version"))
        .ok_or_else(|| miette!(help = help, "rustc could not be run"))?;
    let number = said.split_whitespace().nth(1).unwrap_or_default();
    let is_new_enough = match (
        Version::parse(number),
        Version::parse(&format!("{NEEDED}.0")),
    ) {
        (Ok(found), Ok(needed)) => (found.major, found.minor) >= (needed.major, needed.minor),
        _ => false,
    };
    if is_new_enough {
        Ok(said)
    } else {
        Err(miette!(
            help = help,
            "version {NEEDED} or newer is required, and this is `{said}`"
        ))
    }
}

fn target() -> Result<String> {
    let target = Target::Fpu;
    if cargo::has_target(target, cargo::rust_in(&current_directory()?, "rustc"))? {
        return Ok(target.to_string());
    }
    Err(miette!(
        help = format!("run `rustup target add {target}`"),
        "Rust lacks {target}"
    ))
}

fn qemu_version(args: &DoctorArgs) -> Result<String> {
    let program = qemu::find(args.program.qemu.as_deref())?;
    match first_line(Command::new(&program).arg("--version")) {
        Some(version) => Ok(format!("{version}, {}", program.display())),
        None => Err(miette!(
            help = qemu::HOW_TO_GET,
            "`{} --version` does not work",
            program.display()
        )),
    }
}

fn microkit_sdk(args: &DoctorArgs) -> Result<String> {
    let Some(sdk) = Sdk::locate(args.sdk.sdk.as_deref())? else {
        return Ok(format!(
            "none, so systems run on the model kernel; for seL4, {}",
            sdk::how_to_get()
        ));
    };
    sdk.check_whole()?;
    let chosen = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (board, config) = (chosen("MICROKIT_BOARD"), chosen("MICROKIT_CONFIG"));
    if board.is_some() || config.is_some() {
        // The defaults are the same as in the other commands.
        let board = board.unwrap_or_else(|| model::BOARD.to_owned());
        let config = config.unwrap_or_else(|| model::CONFIG.to_owned());
        sdk.check_kernel(&board, &config)?;
    }
    let boards: Vec<_> = sdk
        .boards()
        .iter()
        .map(|board| format!("`{board}` ({})", sdk.configs(board).join(", ")))
        .collect();
    let directory = sdk.directory().display();
    let untested = if sdk.is_tested() { "" } else { " (not tested)" };
    Ok(format!(
        "Microkit {}{untested}, {directory}, {}; boards: {}",
        sdk.version(),
        sdk.origin(),
        boards.join(", ")
    ))
}

/// Returns the first line that a successful command prints.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(str::to_owned)
}
