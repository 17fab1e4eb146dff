//! The ends of everything: the kernel says why, and waits forever.

use super::console::Console;
use core::arch::asm;
use core::fmt::Write;
use core::panic::PanicInfo;
use kernel_aarch64::report::ERROR;

/// Waits forever.
pub(super) fn halt() -> ! {
    loop {
        wait_for_interrupt();
    }
}

/// Waits until an interrupt is pending at this core, whether or not it is masked.
pub(super) fn wait_for_interrupt() {
    // SAFETY: 1. The barrier and the wait touch neither memory nor registers; what is written
    // before is written when the wait begins (Arm ARM, *Wait for Interrupt*).
    unsafe { asm!("dsb sy", "wfi", options(nostack, preserves_flags)) }
}

/// An image that is no system.
pub(super) fn refuse(reason: impl core::fmt::Display) -> ! {
    // SAFETY: 1. Whoever used the console before does not come back.
    let mut console = unsafe { Console::new() };
    let _ = writeln!(console, "{ERROR}{reason}; the kernel halts");
    halt()
}

/// A mistake in the kernel.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // SAFETY: 1. Whoever used the console before does not come back.
    let mut console = unsafe { Console::new() };
    let message = info.message();
    let _ = match info.location() {
        Some(place) => writeln!(
            console,
            "{ERROR}the kernel panicked at {place}: {message}; it halts"
        ),
        None => writeln!(console, "{ERROR}the kernel panicked: {message}; it halts"),
    };
    halt()
}

/// An exception of the kernel itself, which is a mistake in it. The vectors come here, on a stack
/// of its own.
pub(super) extern "C" fn kernel_exception(esr: u64, far: u64, elr: u64) -> ! {
    panic!("exception at {elr:#x} (ESR_EL2 {esr:#x}, FAR_EL2 {far:#x})");
}
