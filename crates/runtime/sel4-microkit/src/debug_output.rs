//! The kernel's debug console, for libraries that write to `embedded-io`.

use core::convert::Infallible;

use embedded_io::{ErrorType, Write};

/// Writes to the kernel's debug console, as [`debug_print!`](crate::debug_print) does. Where the
/// kernel does not print, what is written goes nowhere.
///
/// **Blocks:** never; each byte is a system call.
#[derive(Debug, Copy, Clone, Default)]
pub struct DebugOutput;

impl ErrorType for DebugOutput {
    type Error = Infallible;
}

impl Write for DebugOutput {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        if sel4::config::PRINTING {
            bytes.iter().copied().for_each(sel4::debug_put_char);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
