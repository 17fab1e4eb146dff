//! QEMU: the program, the emulated machine, and the running guest.

mod devices;
mod guest;
mod machine;
mod monitor;
mod paths;

pub(crate) use devices::Devices;
pub(crate) use guest::{Guest, Heard, Typist};
pub(crate) use machine::Machine;
pub(crate) use monitor::{Monitor, is_controlled, without_monitor};

use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{Result, miette};

use crate::terminal;

const PROGRAM: &str = "qemu-system-aarch64";
const APT_PACKAGE: &str = "qemu-system-arm";

/// The help for a missing QEMU.
pub(crate) const HOW_TO_GET: &str = "run `sudo apt-get install qemu-system-arm` on Debian or \
    Ubuntu, or `brew install qemu` on macOS, or see https://www.qemu.org/download; or name \
    another QEMU with `--qemu PATH`";

/// Finds the QEMU program at the path `named`, or otherwise on the PATH.
///
/// # Errors
///
/// Fails if the QEMU program does not exist.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf> {
    let program = named.unwrap_or(Path::new(PROGRAM));
    which::which(program).map_err(|_| match named {
        Some(path) => {
            miette!(
                help = HOW_TO_GET,
                "`{}` is not a program, so it cannot be the QEMU to use",
                path.display()
            )
        }
        None => {
            miette!(
                help = HOW_TO_GET,
                "QEMU is not installed: `{PROGRAM}` was not found on the PATH"
            )
        }
    })
}

/// Finds QEMU as [`find`] does. Installs a missing QEMU if the installation is allowed, possible,
/// and needs no password.
///
/// # Errors
///
/// Fails if QEMU is missing, and the installation fails or is not possible.
pub(crate) fn provide(named: Option<&Path>, may_install: bool) -> Result<PathBuf> {
    let missing = match find(named) {
        Ok(program) => return Ok(program),
        Err(missing) => missing,
    };
    let is_root = rustix::process::geteuid().is_root();
    if named.is_some() || !may_install || !is_root || which::which("apt-get").is_err() {
        return Err(missing);
    }
    terminal::status(
        "Installing",
        format_args!("QEMU (`apt-get install -y {APT_PACKAGE}`)"),
    );
    for arguments in [&["update"][..], &["install", "-y", APT_PACKAGE]] {
        // The output goes to standard error, because standard output is for results.
        let status = Command::new("apt-get")
            .args(arguments)
            .stdout(std::io::stderr())
            .status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(miette!(
                help = HOW_TO_GET,
                "QEMU is not installed, and `apt-get {}` failed",
                arguments.join(" ")
            ));
        }
    }
    find(None)
}
