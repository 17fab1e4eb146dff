//! The lines of several clients, each put together from calls and given on when it is complete, so
//! that they do not mix.

use heapless::Vec;
use sel4_microkit::{Channel, MessageInfo, get_mr};

use crate::BYTES_PER_CALL;

/// Clients that can be served: channels 0 to 7.
const CLIENTS: usize = 8;

/// Bytes of a line that are kept until it is complete; a longer one is given on in parts.
const LINE_BYTES: usize = 128;

/// What clients have printed of lines that are not complete.
#[derive(Default)]
pub struct Lines([Vec<u8, LINE_BYTES>; CLIENTS]);

impl Lines {
    /// Takes what the message registers hold of a call on `channel`, and gives what is to be printed
    /// to `print`, a piece of a line at a time.
    ///
    /// The label is how many bytes the four words carry. A client that says more, or that there is
    /// no room for, is ignored.
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
