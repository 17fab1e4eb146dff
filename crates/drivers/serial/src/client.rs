//! The clients, and whose line it is.

use heapless::{Deque, Vec};
use microkit_serial::LINE_BYTES;
use microkit_shared_memory::{Broken, ByteConsumer};
use sel4_microkit::{Channel, SharedWord};

/// Who prints.
pub(crate) struct Clients<const N: usize> {
    clients: [Option<Client>; N],
    /// Whose turn it is.
    next: usize,
    /// The line that goes out, with its end.
    line: Deque<u8, { LINE_BYTES + 2 }>,
}

struct Client {
    channel: Channel,
    output: ByteConsumer,
    /// The line that is not whole yet.
    line: Vec<u8, LINE_BYTES>,
    /// Whether the last line was one too long, without its end.
    is_cut: bool,
}

impl<const N: usize> Clients<N> {
    /// Nobody yet.
    pub(crate) const fn new() -> Self {
        Self {
            clients: [const { None }; N],
            next: 0,
            line: Deque::new(),
        }
    }

    /// Adds a client in one of the `N` places.
    pub(crate) fn add(&mut self, place: usize, channel: Channel, output: &'static [SharedWord]) {
        self.clients[place] = Some(Client {
            channel,
            output: ByteConsumer::new(output),
            line: Vec::new(),
            is_cut: false,
        });
    }

    /// The next byte to print. When a line has ended, the next client that has a whole one is
    /// asked for it.
    pub(crate) fn next_byte(&mut self) -> Option<u8> {
        if self.line.is_empty() {
            let first = self.next;
            let whole = (0..N)
                .map(|turn| (first + turn) % N)
                .find(|&index| self.has_line(index));
            if let Some((index, Some(client))) =
                whole.map(|index| (index, &mut self.clients[index]))
            {
                // There is room: it is empty, and has two bytes more than a client's line.
                self.line.extend(client.line.iter().chain(b"\r\n").copied());
                client.line.clear();
                self.next = (index + 1) % N;
            }
        }
        self.line.pop_front()
    }

    /// Whether a client has a whole line, as far as that is kept together. One that breaks its
    /// queue is heard no more.
    fn has_line(&mut self, index: usize) -> bool {
        let Some(client) = &mut self.clients[index] else {
            return false;
        };
        let has_line = client.read_line();
        if has_line.is_err() {
            self.clients[index] = None;
        }
        has_line == Ok(true)
    }
}

impl Client {
    /// Takes what there is of a line, and says whether it is whole, or as long as a line can be.
    fn read_line(&mut self) -> Result<bool, Broken> {
        let mut is_whole = false;
        while !is_whole && let Some(byte) = self.output.take_byte()? {
            if byte == b'\n' {
                // The end of what was cut is no line of its own.
                is_whole = !(self.is_cut && self.line.is_empty());
                self.is_cut = false;
            } else {
                self.line.push(byte).ok();
                is_whole = self.line.is_full();
                self.is_cut = is_whole;
            }
        }
        if self.output.was_asked_for_room() {
            self.channel.notify();
        }
        Ok(is_whole)
    }
}
