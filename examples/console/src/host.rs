//! The `console` protection domain for tests on a host, where there is no serial port: it prints on
//! the kernel's console.

use core::fmt::Write;

use heapless::Vec;
use sel4::DebugWrite;
use sel4_microkit::{Channel, Handler, Infallible, MessageInfo, get_mr};

use crate::BYTES_PER_CALL;

/// Clients that can be served, as by the real one.
const CLIENTS: usize = 8;

/// Bytes of a line that are kept until it is complete, as in the real one.
const LINE_BYTES: usize = 128;

/// Answers as the real one, and prints the same.
#[derive(Default)]
pub struct Console {
    lines: [Vec<u8, LINE_BYTES>; CLIENTS],
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
        let words: [u64; BYTES_PER_CALL / 8] = core::array::from_fn(get_mr);
        let bytes = words.map(u64::to_le_bytes);
        let length = usize::try_from(msg_info.label()).unwrap_or(usize::MAX);
        if let Some(text) = bytes.as_flattened().get(..length)
            && let Some(line) = self.lines.get_mut(channel.index())
        {
            text.iter().for_each(|&byte| take(line, byte));
        }
        Ok(MessageInfo::new(0, 0))
    }
}

fn take(line: &mut Vec<u8, LINE_BYTES>, byte: u8) {
    if byte != b'\n' && line.push(byte).is_ok() {
        return;
    }
    for chunk in line.utf8_chunks() {
        DebugWrite.write_str(chunk.valid()).ok();
    }
    line.clear();
    if byte == b'\n' {
        DebugWrite.write_str("\n").ok();
    } else {
        line.push(byte).ok();
    }
}
