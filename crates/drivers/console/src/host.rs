//! The PD `console` for tests on a host. A host has no serial port, so the PD prints on the debug
//! console of the model kernel.

use core::fmt::Write;

use sel4::DebugWrite;
use sel4_microkit::{Channel, Handler, Infallible, MessageInfo};

use crate::lines::Lines;

/// Answers and prints like the PD on the target.
#[derive(Default)]
pub struct Console {
    lines: Lines,
}

/// Creates the handler for `console.elf` in a test.
///
/// # Examples
///
/// ```
/// let handler = microkit_console::host::protection_domain();
/// # let _ = handler;
/// ```
pub fn protection_domain() -> Console {
    Console::default()
}

impl Handler for Console {
    type Error = Infallible;

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        self.lines.take(channel, msg_info, |piece| {
            for chunk in piece.utf8_chunks() {
                DebugWrite.write_str(chunk.valid()).ok();
            }
        });
        Ok(MessageInfo::new(0, 0))
    }
}
