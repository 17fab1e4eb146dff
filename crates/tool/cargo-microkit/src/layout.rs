//! Checks a system's memory layout, for either packer. Without this check, the SDK's tool would
//! report a layout error with a shorter message, or not report the error.

use std::path::PathBuf;

use microkit_image::{PlanErrorKind, Platform};
use microkit_sdf::{KernelConfig, SearchPaths, System};
use miette::Result;

use crate::model::BOARD;

/// Checks that the programs and regions of `system` fit into memory on seL4.
///
/// # Errors
///
/// Reports every layout error of the model kernel's packer that also applies to seL4. Each error
/// shows its line in the system file.
pub(crate) fn check(
    system: &System,
    board: &str,
    search_paths: &[PathBuf],
    facts: &KernelConfig,
) -> Result<()> {
    let qemu = Platform::QEMU_VIRT_AARCH64;
    let platform = match board == BOARD {
        true => qemu,
        // For another board, only the SDK's tool has the other limits, and checks these limits.
        false => Platform {
            kernel_devices: &[],
            kernel_irqs: &[],
            last_irq: u32::MAX,
            physical_end: u64::MAX,
            ..qemu
        },
    };
    let platform = Platform {
        user_top: facts.user_top,
        ..platform
    };
    let files = SearchPaths(search_paths.to_vec());
    let errors = microkit_image::plan(system, &platform, &files).err();
    match errors.and_then(|errors| errors.filtered(PlanErrorKind::holds_on_sel4)) {
        Some(errors) => Err(errors.into()),
        None => Ok(()),
    }
}
