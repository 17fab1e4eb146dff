//! The model kernel: built from its source by Cargo, and packed with a system into a boot image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use microkit_image::Platform;
use microkit_sdf::SearchPaths;
use miette::{Result, miette};

use crate::files;
use crate::kernel::Request;
use crate::project::cargo_program;
use crate::target::Target;
use crate::terminal;

/// The board that the model kernel is for.
pub(crate) const BOARD: &str = "qemu_virt_aarch64";

/// The kernel configuration that it is like.
pub(crate) const CONFIG: &str = "debug";

/// Its package, beside this one.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../kernel-aarch64/Cargo.toml");

/// Where it is built: once for all projects, with its source.
const TARGET_DIRECTORY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/microkit/model-kernel"
);

/// Its binary.
const PROGRAM: &str = "kernel-aarch64";

/// Makes the image and the report.
///
/// **Errors:** everything that is wrong with the system, each with its line.
pub(crate) fn pack(request: &Request<'_>) -> Result<()> {
    let search_paths = SearchPaths(request.search_paths.clone());
    let platform = Platform::QEMU_VIRT_AARCH64;
    let plan = microkit_image::plan(request.parsed, &platform, &search_paths)?;
    let kernel = build(request)?;
    let kernel_elf =
        fs::read(&kernel).map_err(|e| files::cannot("read the model kernel", &kernel, &e))?;
    let image = microkit_image::pack(&plan, &kernel_elf)?;
    files::write(request.report, plan.report())?;
    files::write(request.image, &image)
}

/// Builds the kernel, if it has changed since, and returns its ELF file.
fn build(request: &Request<'_>) -> Result<PathBuf> {
    if !Path::new(SOURCE).is_file() {
        return Err(miette!(
            help = "install cargo-microkit again from a clone of its repository, and keep the \
                    clone; or use seL4, with a Microkit SDK",
            "the source of the model kernel is not where it was when cargo-microkit was built: \
             there is no `{SOURCE}`"
        ));
    }
    let target_directory = Path::new(TARGET_DIRECTORY);
    let target = Target::Fpu.name();
    let mut command = Command::new(cargo_program());
    command.args(["build", "--release", "--target", target]);
    let program = target_directory.join(target).join("release").join(PROGRAM);
    if !program.exists() {
        terminal::status("Building", "the model kernel, once");
    } else if !request.verbose {
        command.arg("--quiet");
    }
    command.args(["--manifest-path", SOURCE, "--target-dir"]);
    command.arg(target_directory).stdin(Stdio::null());
    if request.verbose {
        terminal::running(&command);
    }
    let status = command.status().map_err(|e| {
        miette!(
            help = "install Rust from https://rustup.rs",
            "Cargo could not be run: {e}"
        )
    })?;
    if !status.success() {
        return Err(miette!(
            help = "Cargo's own messages stand above",
            "Cargo could not build the model kernel"
        ));
    }
    Ok(program)
}
