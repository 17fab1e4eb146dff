//! Panics of a PD: the PD prints the panic message, and stops.
//!
//! The message names the PD and the source location. Then the PD faults on purpose. Its parent, or
//! Microkit's monitor, receives the fault.

use core::fmt;
use core::panic::UnwindSafe;

use crate::platform;

pub use platform::PanicInfo;

/// A function that a panic calls, with the message and the source location of the panic.
pub type PanicHook = &'static (dyn Fn(&PanicInfo<'_>) + Send + Sync);

/// Sets the function that a panic calls, in place of printing on the kernel's debug console.
///
/// When the hook returns, the PD stops. [`Backtrace::here`](crate::Backtrace::here) returns the
/// function calls that led to the panic.
///
/// The hook may notify, and may call with
/// [`Channel::pp_call_with_mrs`](crate::Channel::pp_call_with_mrs). After a panic inside a borrow
/// of the message registers, any other use of the message registers panics again. The PD then stops
/// without further output. After a panic inside a borrow, the hook gets at most the first 512 bytes
/// of the message.
///
/// ```no_run
/// use sel4_microkit::{debug_println, panicking};
///
/// panicking::set_hook(&|info| {
///     debug_println!("the driver stops: {}", info.message());
/// });
/// ```
///
/// # Panics
///
/// Panics if a hook is already set.
pub fn set_hook(hook: PanicHook) {
    assert!(
        platform::panic_hook().is_none(),
        "the panic hook is set only once"
    );
    platform::set_panic_hook(hook);
}

/// Runs `f`.
///
/// A panic stops the PD without unwinding, so this function returns `Ok` or does not return.
/// Programs that were written for a runtime with unwinding can call this function.
///
/// # Errors
///
/// Never returns an error.
#[allow(clippy::result_unit_err)] // The signature is from rust-sel4.
pub fn catch_unwind<R>(f: impl FnOnce() -> R + UnwindSafe) -> Result<R, ()> {
    Ok(f())
}

/// Prints the reason for the stop, and stops the PD.
pub(crate) fn stop(why: fmt::Arguments<'_>) -> ! {
    crate::debug_println!("{}: {why}", crate::symbols::DisplayName);
    platform::trap()
}
