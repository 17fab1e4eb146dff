//! The panic handler, and the fault that stops the PD.

use core::cell::Cell;
use core::fmt::{self, Write};
use core::panic::Location;

use crate::panicking::PanicHook;

struct State {
    hook: Cell<Option<PanicHook>>,
    call_hook: Cell<Option<CallHook>>,
    panicking: Cell<bool>,
}

type CallHook = fn(PanicHook, &core::panic::PanicInfo<'_>);

sel4::static_of_the_thread! {
    static STATE: State = State {
        hook: Cell::new(None),
        call_hook: Cell::new(None),
        panicking: Cell::new(false),
    };
}

/// Returns the hook of this PD.
pub(crate) fn panic_hook() -> Option<PanicHook> {
    STATE.with(|state| state.hook.get())
}

/// Sets the hook of this PD.
pub(crate) fn set_panic_hook(hook: PanicHook) {
    STATE.with(|state| {
        state.hook.set(Some(hook));
        // The call uses a pointer, so that only programs that set a hook contain `call_hook`.
        state.call_hook.set(Some(call_hook));
    });
}

/// Calls the PD's hook, or prints the panic message. Then stops the PD.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let nested = STATE.with(|state| state.panicking.replace(true));
    if nested {
        // The hook, or the printing of the message, has panicked: print nothing more.
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

/// Resets the panic state of an earlier incarnation.
pub(super) fn start() {
    STATE.with(|state| {
        state.hook.set(None);
        state.call_hook.set(None);
        state.panicking.set(false);
    });
}

/// Stops the PD with a fault.
pub(crate) fn trap() -> ! {
    // SAFETY: `udf` is permanently undefined (Arm ARM, *UDF*). The exception enters the kernel, and
    // the kernel sends the fault to the fault handler. The instruction has no other effect. The
    // next instruction runs only if the handler changes registers.
    unsafe { core::arch::asm!("udf #0", options(noreturn)) }
}

/// The message and the source location of a panic.
#[derive(Debug)]
pub struct PanicInfo<'a> {
    info: &'a core::panic::PanicInfo<'a>,
    /// A copy of the message, if the message may refer to a borrow of the IPC buffer.
    kept: Option<&'a Text>,
}

impl PanicInfo<'_> {
    /// Returns the message.
    pub fn message(&self) -> impl fmt::Display + '_ {
        Message(self)
    }

    /// Returns the source location. The result is never `None`.
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

/// Calls the hook. Only programs that set a hook contain this function and its formatting code.
fn call_hook(hook: PanicHook, info: &core::panic::PanicInfo<'_>) {
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
    // The rest of a longer message is dropped.
    let _ = write!(text, "{}", info.message());
    // SAFETY: 1. Panics do not unwind on this target, and the handler never returns: no code that
    //    has borrowed the buffer runs again.
    // 2. The message was copied, because the message may refer to borrowed memory (invariant M11).
    //    A hook is `'static`, so the hook has no other reference to borrowed memory.
    unsafe { sel4::abandon_borrows() };
    let kept = Some(&text);
    hook(&PanicInfo { info, kept });
}

const TEXT_BYTES: usize = 512;

/// The first bytes of a panic message.
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
