//! Collects the lines of several clients separately.
//!
//! A call carries part of a line. The console collects the parts of each client, and prints a line
//! when the line is complete.

use heapless::Vec;
use sel4_microkit::{Channel, MessageInfo, get_mr};

use crate::BYTES_PER_CALL;

/// The number of clients: channels 0 to 7.
const CLIENTS: usize = 8;

/// The largest number of collected bytes of a line. A longer line is printed in parts.
const LINE_BYTES: usize = 128;

/// The incomplete lines of all clients.
#[derive(Default)]
pub struct Lines([Vec<u8, LINE_BYTES>; CLIENTS]);

impl Lines {
    /// Takes the text of a call on `channel` from the message registers, and passes each complete
    /// line to `print`, in one or several pieces.
    ///
    /// The label is the number of bytes in the four words. A call with a larger label, or on a
    /// channel above 7, is ignored.
    pub fn take(&mut self, channel: Channel, msg_info: MessageInfo, mut print: impl FnMut(&[u8])) {
        let words: [u64; BYTES_PER_CALL / 8] = core::array::from_fn(get_mr);
        let bytes = words.map(u64::to_le_bytes);
        let length = usize::try_from(msg_info.label()).unwrap_or(usize::MAX);
        if let Some(text) = bytes.as_flattened().get(..length)
            && let Some(line) = self.0.get_mut(channel.index())
        {
            text.iter().for_each(|&byte| take(line, byte, &mut print));
        }
    }
}

fn take(line: &mut Vec<u8, LINE_BYTES>, byte: u8, print: &mut impl FnMut(&[u8])) {
    if byte != b'\n' && line.push(byte).is_ok() {
        return;
    }
    print(line);
    line.clear();
    if byte == b'\n' {
        print(b"\n");
    } else {
        line.push(byte).ok();
    }
}
