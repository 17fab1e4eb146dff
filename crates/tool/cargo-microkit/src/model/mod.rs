//! Packs a system with the model kernel into a boot image.
//!
//! The kernel's [`source`] is part of this program. [`kernel`] runs Cargo once to build the kernel,
//! in an [environment](isolated) without the user's settings.

mod isolated;
mod kernel;
mod source;

use std::fs;

use boot_spec::snapshot::SYMBOL;
use microkit_image::Platform;
use microkit_sdf::SearchPaths;
use miette::Result;
use object::{Object, ObjectSymbol};

use crate::cli::Options;
use crate::files;
use crate::kernel::Request;

/// The board of the model kernel.
pub(crate) const BOARD: &str = "qemu_virt_aarch64";

/// The kernel configuration that the model kernel emulates.
pub(crate) const CONFIG: &str = "debug";

/// Writes the image and the report.
///
/// # Errors
///
/// Reports every error in the system with its line.
pub(crate) fn pack(request: &Request<'_>) -> Result<()> {
    let search_paths = SearchPaths(request.search_paths.clone());
    let platform = Platform::QEMU_VIRT_AARCH64;
    let plan = microkit_image::plan(request.parsed, &platform, &search_paths)?;
    let kernel = kernel::elf_file(request.options)?;
    let kernel_elf =
        fs::read(&kernel).map_err(|e| files::cannot("read the model kernel", &kernel, &e))?;
    let image = microkit_image::pack(&plan, &kernel_elf)?;
    files::write(request.report, plan.report())?;
    files::write(request.image, &image)
}

/// Returns the address of the kernel's snapshot in memory. This program reads the snapshot while
/// the kernel runs.
pub(crate) fn snapshot(options: &Options) -> Option<u64> {
    let bytes = fs::read(kernel::elf_file(options).ok()?).ok()?;
    let file = object::File::parse(&*bytes).ok()?;
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok(SYMBOL))?;
    Some(symbol.address())
}
