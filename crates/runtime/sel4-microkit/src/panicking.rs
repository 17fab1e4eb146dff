//! Panics of a PD: it prints why, and stops.
//!
//! The message names the PD and the place. Then the PD faults on purpose, which its parent, or
//! Microkit's monitor, receives.

use core::fmt;
use core::panic::UnwindSafe;

use crate::platform;

pub use platform::PanicInfo;

/// The function that a panic calls, with its message and place.
pub type PanicHook = &'static (dyn Fn(&PanicInfo<'_>) + Send + Sync);

/// Sets the function that a panic calls, in place of printing on the kernel's debug console.
///
/// When the hook returns, the PD stops. [`Backtrace::here`](crate::Backtrace::here) tells the hook
/// which functions led to the panic.
///
/// The hook may notify, and make calls in registers
/// ([`Channel::pp_call_with_mrs`](crate::Channel::pp_call_with_mrs)). If the panic came inside a
/// borrow of the message registers, any other use of them panics again, and the PD stops without
/// another word. In that case the hook gets at most the first 512 bytes of the message.
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
/// Panics if a hook was set before.
pub fn set_hook(hook: PanicHook) {
    assert!(
        platform::panic_hook().is_none(),
        "the panic hook is set only once"
    );
    platform::set_panic_hook(hook);
}

/// Runs `f`.
///
/// A panic does not unwind: it stops the PD. So this function returns `Ok` or does not return. It
/// exists for programs that were written for a runtime that unwinds.
///
/// # Errors
///
/// Returns no error.
#[allow(clippy::result_unit_err)] // rust-sel4's signature.
pub fn catch_unwind<R>(f: impl FnOnce() -> R + UnwindSafe) -> Result<R, ()> {
    Ok(f())
}

/// Prints why the PD stops, and stops it.
pub(crate) fn stop(why: fmt::Arguments<'_>) -> ! {
    crate::debug_println!("{}: {why}", crate::symbols::DisplayName);
    platform::trap()
}
