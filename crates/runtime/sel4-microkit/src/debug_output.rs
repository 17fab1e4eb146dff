//! The kernel's debug console as a writer of `embedded-io`.

use core::convert::Infallible;

use embedded_io::{ErrorType, Write};

/// A writer to the kernel's debug console.
///
/// [`debug_print!`](crate::debug_print) writes to the same console. If the kernel has no debug
/// output, the writer drops the bytes.
///
/// ```no_run
/// use embedded_io::Write;
///
/// sel4_microkit::DebugOutput.write_all(b"ready\n").expect("it cannot fail");
/// ```
///
/// **Blocking:** never. Each byte is a system call.
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
