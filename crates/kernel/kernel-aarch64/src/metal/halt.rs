//! Halts the kernel: prints the reason, and waits forever.

use super::console::Console;
use super::snapshot;
use boot_spec::snapshot::Phase;
use core::arch::asm;
use core::fmt::{self, Write};
use core::panic::PanicInfo;
use kernel_aarch64::report::ERROR;

/// Sets the phase [`Phase::Halted`] in the snapshot, and waits forever.
pub(super) fn halt() -> ! {
    snapshot::set_phase(Phase::Halted);
    stop()
}

/// Waits forever.
pub(super) fn stop() -> ! {
    loop {
        wait_for_interrupt();
    }
}

/// Waits until an interrupt is pending at this core, even if the interrupt is masked.
pub(super) fn wait_for_interrupt() {
    // SAFETY: 1. The barrier and the wait change neither memory nor registers. Earlier writes are
    // complete when the wait begins (Arm ARM, *Wait for Interrupt*).
    unsafe { asm!("dsb sy", "wfi", options(nostack, preserves_flags)) }
}

/// Prints the reason why the kernel cannot continue, and halts.
pub(super) fn refuse(reason: impl fmt::Display) -> ! {
    // SAFETY: 1. This function does not return, so no earlier `Console` is used again.
    let mut console = unsafe { Console::new() };
    let _ = writeln!(console, "{ERROR}{reason}; the kernel halts");
    halt()
}

/// Reports a panic and halts. A panic is a bug in the kernel.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let message = info.message();
    match info.location() {
        Some(place) => refuse(format_args!("the kernel panicked at {place}: {message}")),
        None => refuse(format_args!("the kernel panicked: {message}")),
    }
}

/// Reports an exception in the kernel and halts. Such an exception is a bug in the kernel. The
/// vectors jump to this function with a separate stack.
pub(super) extern "C" fn kernel_exception(esr: u64, far: u64, elr: u64) -> ! {
    refuse(format_args!(
        "the kernel failed at {elr:#x} (ESR_EL2 {esr:#x}, FAR_EL2 {far:#x})"
    ))
}
