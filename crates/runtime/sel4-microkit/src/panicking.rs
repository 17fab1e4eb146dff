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
pub use target::PanicInfo;

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
    STATE.with(|state| {
        assert!(
            state.hook.get().is_none(),
            "the panic hook is set only once"
        );
        state.hook.set(Some(hook));
        #[cfg(target_os = "none")]
        state.call_hook.set(Some(target::call_hook));
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
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let nested = STATE.with(|state| state.panicking.replace(true));
    if nested {
        // The hook, or the printing of the message, has panicked: say no more.
        trap();
    }
    match STATE.with(|state| state.hook.get().zip(state.call_hook.get())) {
        Some((hook, call_hook)) => call_hook(hook, info),
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
        state.call_hook.set(None);
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

#[cfg(target_os = "none")]
mod target {
    use core::fmt::{self, Write};
    use core::panic::Location;

    use super::PanicHook;

    /// A panic's message and place.
    #[derive(Debug)]
    pub struct PanicInfo<'a> {
        info: &'a core::panic::PanicInfo<'a>,
        /// The message, if it may have been lent by the IPC buffer.
        kept: Option<&'a Text>,
    }

    impl PanicInfo<'_> {
        /// The message.
        pub fn message(&self) -> impl fmt::Display + '_ {
            Message(self)
        }

        /// The place, which is always known.
        pub fn location(&self) -> Option<&Location<'_>> {
            self.info.location()
        }
    }

    impl fmt::Display for PanicInfo<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("panicked at ")?;
            if let Some(location) = self.location() {
                write!(f, "{location}:")?;
            }
            write!(f, "\n{}", self.message())
        }
    }

    struct Message<'a>(&'a PanicInfo<'a>);

    impl fmt::Display for Message<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0.kept {
                Some(text) => f.write_str(text.as_str()),
                None => fmt::Display::fmt(&self.0.info.message(), f),
            }
        }
    }

    /// Calls the hook. Only programs that set one have this, and the formatting that it needs.
    pub(super) fn call_hook(hook: PanicHook, info: &core::panic::PanicInfo<'_>) {
        if sel4::is_ipc_buffer_borrowed() {
            call_hook_in_a_borrow(hook, info);
        } else {
            hook(&PanicInfo { info, kept: None });
        }
    }

    #[cold]
    #[inline(never)]
    fn call_hook_in_a_borrow(hook: PanicHook, info: &core::panic::PanicInfo<'_>) {
        let mut text = Text::new();
        // What does not fit is left out.
        let _ = write!(text, "{}", info.message());
        // SAFETY: 1. Panics do not unwind on this target, and the handler never returns: no code
        //    that has borrowed the buffer runs again.
        // 2. The message, which may be of what was borrowed, was copied. A hook is `'static`, so it
        //    has nothing else of it.
        unsafe { sel4::abandon_borrows() };
        let kept = Some(&text);
        hook(&PanicInfo { info, kept });
    }

    const TEXT_BYTES: usize = 512;

    /// The beginning of a message.
    #[derive(Debug)]
    struct Text {
        bytes: [u8; TEXT_BYTES],
        length: usize,
    }

    impl Text {
        fn new() -> Self {
            Self {
                bytes: [0; TEXT_BYTES],
                length: 0,
            }
        }

        fn as_str(&self) -> &str {
            core::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
        }
    }

    impl Write for Text {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let mut length = text.len().min(TEXT_BYTES - self.length);
            while !text.is_char_boundary(length) {
                length -= 1;
            }
            self.bytes[self.length..][..length].copy_from_slice(&text.as_bytes()[..length]);
            self.length += length;
            match length == text.len() {
                true => Ok(()),
                false => Err(fmt::Error),
            }
        }
    }
}

struct State {
    hook: Cell<Option<PanicHook>>,
    #[cfg(target_os = "none")]
    call_hook: Cell<Option<CallHook>>,
    #[cfg(target_os = "none")]
    panicking: Cell<bool>,
}

#[cfg(target_os = "none")]
type CallHook = fn(PanicHook, &core::panic::PanicInfo<'_>);

sel4::static_of_the_thread! {
    static STATE: State = State {
        hook: Cell::new(None),
        #[cfg(target_os = "none")]
        call_hook: Cell::new(None),
        #[cfg(target_os = "none")]
        panicking: Cell::new(false),
    };
}
