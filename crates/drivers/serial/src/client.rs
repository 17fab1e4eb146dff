//! The output queues of the clients, and the choice of the next line to print.

use heapless::{Deque, Vec};
use microkit_serial::LINE_BYTES;
use microkit_shared_memory::{Broken, ByteConsumer};
use sel4_microkit::{Channel, SharedWord};

/// The clients that print, each in one of `N` places. The clients take turns, one line at a time.
pub(crate) struct Clients<const N: usize> {
    clients: [Option<Client>; N],
    /// The place whose turn is next.
    next: usize,
    /// The rest of the line that is printed now, including its line end.
    line: Deque<u8, { LINE_BYTES + 2 }>,
}

struct Client {
    channel: Channel,
    output: ByteConsumer,
    /// The incomplete line.
    line: Vec<u8, LINE_BYTES>,
    /// Whether the last line was longer than [`LINE_BYTES`] and its line end has not arrived yet.
    is_cut: bool,
}

impl<const N: usize> Clients<N> {
    /// Creates the places, without clients.
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

    /// Returns the next byte to print. After the end of a line, the next client with a complete
    /// line gets its turn.
    pub(crate) fn next_byte(&mut self) -> Option<u8> {
        if self.line.is_empty() {
            let first = self.next;
            let complete = (0..N)
                .map(|turn| (first + turn) % N)
                .find(|&index| self.has_line(index));
            if let Some((index, Some(client))) =
                complete.map(|index| (index, &mut self.clients[index]))
            {
                // `self.line` has room: it is empty, and its capacity is the longest client line
                // plus the two bytes of the line end.
                self.line.extend(client.line.iter().chain(b"\r\n").copied());
                client.line.clear();
                self.next = (index + 1) % N;
            }
        }
        self.line.pop_front()
    }

    /// Returns whether a client has a complete line, or [`LINE_BYTES`] bytes of a longer line.
    /// Removes a client that has broken its queue.
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
    /// Takes bytes up to the end of a line. Returns whether the line is complete, or has the
    /// largest length.
    fn read_line(&mut self) -> Result<bool, Broken> {
        let mut is_complete = false;
        while !is_complete && let Some(byte) = self.output.take_byte()? {
            if byte == b'\n' {
                // A line end directly after the last part of a cut line ends that line, and does
                // not add an empty line.
                is_complete = !(self.is_cut && self.line.is_empty());
                self.is_cut = false;
            } else {
                self.line.push(byte).ok();
                is_complete = self.line.is_full();
                self.is_cut = is_complete;
            }
        }
        if self.output.was_asked_for_room() {
            self.channel.notify();
        }
        Ok(is_complete)
    }
}
