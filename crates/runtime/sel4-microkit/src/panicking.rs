//! What happens when a protection domain panics: it says so, and stops.
//!
//! The message names the protection domain and the place. Then the PD faults on purpose, so that
//! its parent, or Microkit's monitor, learns of it.

use core::fmt;
use core::panic::UnwindSafe;

use crate::platform;

pub use platform::PanicInfo;

/// What is called with a panic's message and place.
pub type PanicHook = &'static (dyn Fn(&PanicInfo<'_>) + Send + Sync);

/// Sets what is called when the protection domain panics, instead of printing on the kernel's
/// debug console. When it returns, the PD stops. [`Backtrace::here`](crate::Backtrace::here) tells
/// it how the PD came there.
///
/// It may notify, and make calls in registers
/// ([`Channel::pp_call_with_mrs`](crate::Channel::pp_call_with_mrs)). If the panic came inside a
/// borrow of the message registers, anything else that uses them panics again, and the PD stops
/// without more words. In that case the hook gets at most the first 512 bytes of the message.
///
/// # Panics
///
/// If one was set before.
pub fn set_hook(hook: PanicHook) {
    assert!(
        platform::panic_hook().is_none(),
        "the panic hook is set only once"
    );
    platform::set_panic_hook(hook);
}

/// Runs `f`.
///
/// A panic does not unwind: it stops the protection domain, and nothing after it runs. So this
/// returns `Ok`, or not at all. It is here for programs that were written for a runtime that
/// unwinds.
#[allow(clippy::result_unit_err)] // rust-sel4's signature; there is no error.
pub fn catch_unwind<R>(f: impl FnOnce() -> R + UnwindSafe) -> Result<R, ()> {
    Ok(f())
}

/// Says why the protection domain stops, and stops it.
pub(crate) fn stop(why: fmt::Arguments<'_>) -> ! {
    crate::debug_println!("{}: {why}", crate::symbols::DisplayName);
    platform::trap()
}
