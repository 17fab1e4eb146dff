//! Debugging aids, which compile to nothing where the kernel has them not.

use core::fmt;

use sel4_sys as sys;

use crate::{Cap, CapType, InvocationContext, Word, cap};

/// Prints a byte on the kernel's console (`seL4_DebugPutChar`); nothing where the kernel does not
/// print.
pub fn debug_put_char(byte: u8) {
    sys::debug_put_char(byte);
}

/// Stops the machine (`seL4_DebugHalt`); nothing where the kernel is no debug build.
pub fn debug_halt() {
    sys::debug_halt();
}

/// Has the kernel print the system's capabilities (`seL4_DebugSnapshot`); nothing where the kernel
/// is no debug build.
pub fn debug_snapshot() {
    sys::debug_snapshot();
}

/// Writes to the kernel's console. A write never fails.
#[derive(Debug, Copy, Clone, Default)]
pub struct DebugWrite;

impl fmt::Write for DebugWrite {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(debug_put_char);
        Ok(())
    }
}

/// Prints on the kernel's console, as `print!` does. Where the kernel does not print, it compiles to
/// nothing; the arguments are checked but not evaluated.
#[macro_export]
macro_rules! debug_print {
    ($($arg:tt)*) => {
        if $crate::config::PRINTING {
            $crate::_print(::core::format_args!($($arg)*));
        }
    };
}

/// Prints a line on the kernel's console, as `println!` does, and otherwise as [`debug_print!`].
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
    // An error comes from a value's own formatting, and says that it could not be shown.
    if fmt::write(&mut DebugWrite, arguments).is_err() {
        "(a value could not be shown)\n"
            .bytes()
            .for_each(debug_put_char);
    }
}

impl<T: CapType> Cap<T> {
    /// The kernel's number for the type of this capability, 0 for none
    /// (`seL4_DebugCapIdentify`); `None` where the kernel is no debug build.
    pub fn debug_identify(self) -> Option<Word> {
        sys::debug_cap_identify(self.bits())
    }
}

impl<C: InvocationContext> cap::Tcb<C> {
    /// Names the thread in the kernel's messages (`seL4_DebugNameThread`); nothing where the
    /// kernel is no debug build. Overwrites message registers.
    ///
    /// **Panics:** if the name is longer than 959 bytes, and inside a borrow of the implicit IPC
    /// buffer.
    #[track_caller]
    pub fn debug_name(self, name: &[u8]) {
        self.invoke(|cptr, token| sys::debug_name_thread(token, cptr.bits(), name));
    }
}
