//! Panics of a protection domain on a host: they unwind to the end of its program, where it says
//! what it would say on the target.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::marker::PhantomData;
use std::boxed::Box;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind};
use std::string::{String, ToString};
use std::sync::Once;

use crate::Handler;
use crate::panicking::PanicHook;

/// Runs a protection domain until it stops, and says why it does.
///
/// Unlike on the target, destructors run when it panics; the kernel is to answer the system calls
/// that they make with nothing.
///
/// **Needs:** [`watch_panics`].
pub fn run<H: Handler>(init: impl FnOnce() -> H) {
    let is_running = IS_RUNNING.replace(true);
    let end = catch_unwind(AssertUnwindSafe(|| -> () {
        crate::entry::run_main(init);
    }));
    if let Err(payload) = end {
        match PANIC.take() {
            Some(info) => {
                // A hook that panics itself says no more.
                let said = catch_unwind(AssertUnwindSafe(|| say(&info)));
                if let Err(payload) = said
                    && PANIC.take().is_none()
                {
                    IS_RUNNING.set(is_running);
                    resume_unwind(payload);
                }
            }
            None if payload.is::<Stopped>() => {}
            // Whoever runs it ends it.
            None => {
                IS_RUNNING.set(is_running);
                resume_unwind(payload);
            }
        }
    }
    IS_RUNNING.set(is_running);
}

/// Has panics of protection domains that [`run`] be kept for it, instead of printed on standard
/// error; all others are printed as before.
pub fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if IS_RUNNING.get() {
                PANIC.set(Some(PanicInfo::of(info)));
            } else {
                before(info);
            }
        }));
    });
}

/// The payload of a protection domain that has said why it stops.
struct Stopped;

/// Unwinds to [`run`], without a word.
pub(crate) fn trap() -> ! {
    resume_unwind(Box::new(Stopped))
}

/// Returns the hook of the PD that runs in this thread.
pub(crate) fn panic_hook() -> Option<PanicHook> {
    HOOK.get()
}

/// Sets the hook of the PD that runs in this thread.
pub(crate) fn set_panic_hook(hook: PanicHook) {
    HOOK.set(Some(hook));
}

/// Prints why the PD stops, or calls its hook, as the target's panic handler does.
fn say(info: &PanicInfo<'_>) {
    match panic_hook() {
        Some(hook) => hook(info),
        None => crate::debug_println!("{}: {info}", crate::symbols::DisplayName),
    }
}

/// A panic's message and place, as `core::panic::PanicInfo` on the target.
#[derive(Debug)]
pub struct PanicInfo<'a> {
    message: String,
    location: Option<PanicLocation>,
    _as_on_the_target: PhantomData<&'a ()>,
}

impl PanicInfo<'_> {
    fn of(info: &PanicHookInfo<'_>) -> Self {
        Self {
            message: message(info).to_string(),
            location: info.location().map(|location| PanicLocation {
                file: location.file().to_string(),
                line: location.line(),
                column: location.column(),
            }),
            _as_on_the_target: PhantomData,
        }
    }

    /// The message.
    pub fn message(&self) -> impl fmt::Display + '_ {
        &self.message
    }

    /// The place, which is always known.
    pub fn location(&self) -> Option<&PanicLocation> {
        self.location.as_ref()
    }
}

impl fmt::Display for PanicInfo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("panicked at ")?;
        if let Some(location) = &self.location {
            write!(f, "{location}:")?;
        }
        write!(f, "\n{}", self.message)
    }
}

fn message<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default()
}

/// A place in the source, as `core::panic::Location`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanicLocation {
    file: String,
    line: u32,
    column: u32,
}

impl PanicLocation {
    /// The file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line.
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// The column.
    pub const fn column(&self) -> u32 {
        self.column
    }
}

impl fmt::Display for PanicLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// That of a protection domain which does not run now.
#[derive(Default)]
pub(super) struct PanicState {
    is_running: Cell<bool>,
    hook: Cell<Option<PanicHook>>,
    panic: RefCell<Option<PanicInfo<'static>>>,
}

impl PanicState {
    pub(super) fn exchange(&self) {
        IS_RUNNING.with(|is_running| is_running.swap(&self.is_running));
        HOOK.with(|hook| hook.swap(&self.hook));
        PANIC.with(|panic| panic.swap(&self.panic));
    }
}

std::thread_local! {
    /// A protection domain runs in this thread.
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
    static HOOK: Cell<Option<PanicHook>> = const { Cell::new(None) };
    /// Its panic, until it is said.
    static PANIC: RefCell<Option<PanicInfo<'static>>> = const { RefCell::new(None) };
}
