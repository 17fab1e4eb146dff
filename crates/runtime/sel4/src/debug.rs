//! Debug system calls. A call that the kernel does not support compiles to nothing.

use core::fmt;

use sel4_sys as sys;

use crate::{Cap, CapType, InvocationContext, Word, cap};

/// Prints a byte on the kernel's console (`seL4_DebugPutChar`).
///
/// Does nothing if the kernel is built without printing.
pub fn debug_put_char(byte: u8) {
    sys::debug_put_char(byte);
}

/// Halts the machine (`seL4_DebugHalt`).
///
/// Does nothing if the kernel is not a debug build.
pub fn debug_halt() {
    sys::debug_halt();
}

/// Prints the capabilities of the system on the kernel's console (`seL4_DebugSnapshot`).
///
/// Does nothing if the kernel is not a debug build.
pub fn debug_snapshot() {
    sys::debug_snapshot();
}

/// A writer to the kernel's console. A write never fails.
#[derive(Debug, Copy, Clone, Default)]
pub struct DebugWrite;

impl fmt::Write for DebugWrite {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(debug_put_char);
        Ok(())
    }
}

/// Prints on the kernel's console, with the syntax of `print!`.
///
/// If the kernel is built without printing, the macro compiles to nothing. The arguments are then
/// type-checked but not evaluated.
///
/// ```no_run
/// sel4::debug_print!("{} of {}", 1, 2);
/// sel4::debug_println!(" done");
/// ```
#[macro_export]
macro_rules! debug_print {
    ($($arg:tt)*) => {
        if $crate::config::PRINTING {
            $crate::_print(::core::format_args!($($arg)*));
        }
    };
}

/// Prints a line on the kernel's console, with the syntax of `println!`. See [`debug_print!`].
#[macro_export]
macro_rules! debug_println {
    () => {
        $crate::debug_print!("\n")
    };
    ($($arg:tt)*) => {
        $crate::debug_print!("{}\n", ::core::format_args!($($arg)*))
    };
}

#[doc(hidden)]
pub fn _print(arguments: fmt::Arguments<'_>) {
    // Writes to the console never fail, so the error comes from formatting a value.
    if fmt::write(&mut DebugWrite, arguments).is_err() {
        "(a value could not be shown)\n"
            .bytes()
            .for_each(debug_put_char);
    }
}

impl<T: CapType> Cap<T> {
    /// Returns the kernel's number for the type of this capability (`seL4_DebugCapIdentify`).
    ///
    /// The number is 0 for an empty slot. Returns `None` if the kernel is not a debug build.
    pub fn debug_identify(self) -> Option<Word> {
        sys::debug_cap_identify(self.bits())
    }
}

impl<C: InvocationContext> cap::Tcb<C> {
    /// Names the thread in the kernel's messages (`seL4_DebugNameThread`).
    ///
    /// The call overwrites message registers. Does nothing if the kernel is not a debug build.
    ///
    /// # Panics
    ///
    /// Panics if the name is longer than 959 bytes, or if the implicit IPC buffer is borrowed.
    #[track_caller]
    pub fn debug_name(self, name: &[u8]) {
        self.invoke(|cptr, token| sys::debug_name_thread(token, cptr.bits(), name));
    }
}
