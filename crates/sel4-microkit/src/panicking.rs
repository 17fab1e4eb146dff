//! What happens when a protection domain panics: it says so, and stops.
//!
//! The message names the protection domain and the place. Then the PD faults on purpose, so that
//! its parent, or Microkit's monitor, learns of it.

use core::cell::Cell;
use core::fmt;
use core::panic::UnwindSafe;

#[cfg(not(target_os = "none"))]
pub use crate::host::PanicInfo;
#[cfg(target_os = "none")]
pub use core::panic::PanicInfo;

/// What is called with a panic's message and place.
pub type PanicHook = &'static (dyn Fn(&PanicInfo<'_>) + Send + Sync);

/// Sets what is called when the protection domain panics, instead of printing on the kernel's
/// debug console. When it returns, the PD stops. [`Backtrace::here`](crate::Backtrace::here) tells
/// it how the PD came there.
///
/// It may notify, and make calls in registers
/// ([`Channel::pp_call_with_mrs`](crate::Channel::pp_call_with_mrs)) to servers that reply with at
/// most four words. If the panic came inside a borrow of the message registers, anything else that
/// uses them panics again, and the PD stops without more words.
///
/// # Panics
///
/// If one was set before.
pub fn set_hook(hook: PanicHook) {
    STATE.with(|state| {
        assert!(
            state.hook.get().is_none(),
            "the panic hook is set only once"
        );
        state.hook.set(Some(hook));
    });
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
    trap()
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let nested = STATE.with(|state| state.panicking.replace(true));
    if nested {
        // The hook, or the printing of the message, has panicked: say no more.
        trap();
    }
    // SAFETY: 1. Panics do not unwind on this target, and this handler never returns: no code that
    //    has borrowed the buffer runs again.
    // 2. `set_hook` asks that of what the hook calls. If it were not so, the kernel would write
    //    into a view that nobody will look at again.
    unsafe { sel4::abandon_borrows() };
    match STATE.with(|state| state.hook.get()) {
        Some(hook) => hook(info),
        None => {
            crate::debug_println!("{}: {info}", crate::symbols::DisplayName);
            let trace = crate::Backtrace::here();
            if !trace.is_empty() {
                crate::debug_println!("{trace}");
            }
        }
    }
    trap()
}

/// Forgets what an earlier life of the thread has left.
#[cfg(target_os = "none")]
pub(crate) fn start() {
    STATE.with(|state| {
        state.hook.set(None);
        state.panicking.set(false);
    });
}

/// Faults on purpose.
#[cfg(target_os = "none")]
pub(crate) fn trap() -> ! {
    // SAFETY: `udf` is permanently undefined (Arm ARM, *UDF*): the kernel gets an exception and
    // tells the fault handler; the instruction has no other effect, and the next is never run
    // unless the handler has set registers to.
    unsafe { core::arch::asm!("udf #0", options(noreturn)) }
}

/// Unwinds to [`host::run`](crate::host::run), without a word.
#[cfg(not(target_os = "none"))]
fn trap() -> ! {
    std::panic::resume_unwind(std::boxed::Box::new(crate::host::Stopped))
}

/// Says why the protection domain stops, as the target's panic handler does.
#[cfg(not(target_os = "none"))]
pub(crate) fn say(info: &PanicInfo<'_>) {
    match STATE.with(|state| state.hook.get()) {
        Some(hook) => hook(info),
        None => crate::debug_println!("{}: {info}", crate::symbols::DisplayName),
    }
}

/// Exchanges this thread's hook with that of a program that does not run now.
#[cfg(not(target_os = "none"))]
pub(crate) fn exchange_hook(hook: &Cell<Option<PanicHook>>) {
    STATE.with(|state| state.hook.swap(hook));
}

struct State {
    hook: Cell<Option<PanicHook>>,
    #[cfg(target_os = "none")]
    panicking: Cell<bool>,
}

sel4::static_of_the_thread! {
    static STATE: State = State {
        hook: Cell::new(None),
        #[cfg(target_os = "none")]
        panicking: Cell::new(false),
    };
}
