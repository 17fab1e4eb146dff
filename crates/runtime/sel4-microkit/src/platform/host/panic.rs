//! Panics of a PD on a host. A panic unwinds to the end of the PD's program. The runtime then
//! prints the same message as on the target.
//!
//! ```text
//! run ─▶ run_main ─▶ panic ─▶ hook of watch_panics: keeps PanicInfo
//!   ▲                  │ unwinds
//!   └──────────────────┘ then: the PD's hook, or the message on the debug console
//! ```

use core::cell::{Cell, RefCell};
use core::fmt;
use core::marker::PhantomData;
use std::boxed::Box;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind};
use std::string::{String, ToString};
use std::sync::Once;

use crate::Handler;
use crate::panicking::PanicHook;

/// Runs a PD until it stops, and prints the reason for the stop.
///
/// Call [`watch_panics`] first. Unlike on the target, destructors run when the PD panics. The
/// embedder must ignore the system calls of these destructors.
///
/// ```
/// use sel4_microkit::host::{run, watch_panics};
/// use sel4_microkit::{NullHandler, panicking};
/// use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
///
/// static PANICKED: AtomicBool = AtomicBool::new(false);
///
/// watch_panics();
/// run(|| -> NullHandler {
///     panicking::set_hook(&|_| PANICKED.store(true, Relaxed));
///     panic!("enough");
/// });
/// assert!(PANICKED.load(Relaxed));
/// ```
///
/// # Panics
///
/// Resumes a panic that the PD has not caused, for instance a panic with which the embedder ends
/// the PD.
pub fn run<H: Handler>(init: impl FnOnce() -> H) {
    let is_running = IS_RUNNING.replace(true);
    let end = catch_unwind(AssertUnwindSafe(|| -> () {
        crate::entry::run_main(init);
    }));
    if let Err(payload) = end {
        match PANIC.take() {
            Some(info) => {
                // If the hook panics, nothing more is printed.
                let said = catch_unwind(AssertUnwindSafe(|| say(&info)));
                if let Err(payload) = said
                    && PANIC.take().is_none()
                {
                    IS_RUNNING.set(is_running);
                    resume_unwind(payload);
                }
            }
            None if payload.is::<Stopped>() => {}
            // The embedder ends the PD with this panic.
            None => {
                IS_RUNNING.set(is_running);
                resume_unwind(payload);
            }
        }
    }
    IS_RUNNING.set(is_running);
}

/// Installs a panic hook that stores the messages of panics inside [`run`], instead of printing
/// them to standard error.
///
/// Panics outside of `run` are printed as before. A second call of `watch_panics` does nothing.
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

/// The panic payload of a PD that has already printed the reason for its stop.
struct Stopped;

/// Unwinds to [`run`] without another message.
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

/// Calls the PD's hook, or prints the panic message, as the target's panic handler does.
fn say(info: &PanicInfo<'_>) {
    match panic_hook() {
        Some(hook) => hook(info),
        None => crate::debug_println!("{}: {info}", crate::symbols::DisplayName),
    }
}

/// The message and the source location of a panic, as `core::panic::PanicInfo` on the target.
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

    /// Returns the message.
    pub fn message(&self) -> impl fmt::Display + '_ {
        &self.message
    }

    /// Returns the source location. The result is never `None`.
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

/// A source location, as `core::panic::Location`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanicLocation {
    file: String,
    line: u32,
    column: u32,
}

impl PanicLocation {
    /// Returns the path of the source file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the line.
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// Returns the column.
    pub const fn column(&self) -> u32 {
        self.column
    }
}

impl fmt::Display for PanicLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The panic state of a PD that is not running.
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
    /// Whether a PD runs in this thread.
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
    static HOOK: Cell<Option<PanicHook>> = const { Cell::new(None) };
    /// The panic of the PD in this thread, until its message is printed.
    static PANIC: RefCell<Option<PanicInfo<'static>>> = const { RefCell::new(None) };
}
