//! The `console` protection domain for tests on a host, where there is no serial port: it prints on
//! the kernel's console.

use core::fmt::Write;

use sel4::DebugWrite;
use sel4_microkit::{Channel, Handler, Infallible, MessageInfo};

use crate::lines::Lines;

/// Answers as the real one, and prints the same.
#[derive(Default)]
pub struct Console {
    lines: Lines,
}

/// What a test gives for `console.elf`.
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
