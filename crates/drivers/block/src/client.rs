//! Stores the state of a client: its buffers and its unreported completed requests.

use core::sync::atomic::{AtomicU64, Ordering};
use heapless::Vec;
use microkit_block::{BUFFER_WORDS, BUFFERS, reply, request};
use sel4_microkit::{Channel, MessageInfo, set_mr};

const WORD_BYTES: usize = size_of::<u64>();

pub(crate) struct Client {
    channel: Channel,
    words: &'static [AtomicU64],
    /// Whether each buffer is in use, from the start of its request until the completion is
    /// reported.
    in_use: [bool; BUFFERS],
    flush: Flush,
    /// The completions that are not reported yet. Each entry has the buffer or
    /// [`FLUSHED`](request::FLUSHED), and the result.
    completed: Vec<(u64, u64), { BUFFERS + 1 }>,
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Flush {
    None,
    Wanted,
    /// The flush is completed, but not reported yet.
    Done,
}

impl Client {
    /// Creates a client with the buffers in `words`.
    ///
    /// # Panics
    ///
    /// Panics if the region is too small.
    pub(crate) fn new(channel: Channel, words: &'static [AtomicU64]) -> Self {
        assert!(
            words.len() >= BUFFERS * BUFFER_WORDS,
            "the region of channel {} has {} words: {BUFFERS} buffers of {BUFFER_WORDS} are needed",
            channel.index(),
            words.len()
        );
        Self {
            channel,
            words,
            in_use: [false; BUFFERS],
            flush: Flush::None,
            completed: Vec::new(),
        }
    }

    pub(crate) fn is_in_use(&self, buffer: usize) -> bool {
        self.in_use[buffer]
    }

    pub(crate) fn use_buffer(&mut self, buffer: usize) {
        self.in_use[buffer] = true;
    }

    /// Copies the first bytes of a buffer into `data`.
    pub(crate) fn read_buffer(&self, buffer: usize, data: &mut [u8]) {
        let words = &self.words[buffer * BUFFER_WORDS..][..BUFFER_WORDS];
        for (bytes, word) in data.chunks_exact_mut(WORD_BYTES).zip(words) {
            bytes.copy_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
        }
    }

    /// Records the completion of a request. For a read, copies the data into the buffer.
    pub(crate) fn completed(&mut self, buffer: usize, result: Result<&[u8], u64>) {
        let words = &self.words[buffer * BUFFER_WORDS..][..BUFFER_WORDS];
        let reply = match result {
            Ok(data) => {
                let (chunks, _) = data.as_chunks();
                for (bytes, word) in chunks.iter().zip(words) {
                    word.store(u64::from_le_bytes(*bytes), Ordering::Relaxed);
                }
                reply::DONE
            }
            Err(reply) => reply,
        };
        self.push(buffer as u64, reply);
    }

    /// Records that the client wants a flush, and returns the reply.
    pub(crate) fn want_flush(&mut self) -> u64 {
        if self.flush != Flush::None {
            return reply::BUSY;
        }
        self.flush = Flush::Wanted;
        reply::DONE
    }

    pub(crate) fn wants_flush(&self) -> bool {
        self.flush == Flush::Wanted
    }

    pub(crate) fn flushed(&mut self, result: Result<(), u64>) {
        self.flush = Flush::Done;
        self.push(request::FLUSHED, result.err().unwrap_or(reply::DONE));
    }

    pub(crate) fn notify(&self) {
        self.channel.notify();
    }

    /// Replies with the completed requests, and frees their buffers.
    pub(crate) fn report_completed(&mut self) -> MessageInfo {
        let mut count = 0;
        for (what, reply) in core::mem::take(&mut self.completed) {
            for word in [what, reply] {
                set_mr(count, word);
                count += 1;
            }
            match self.in_use.get_mut(what as usize) {
                Some(in_use) => *in_use = false,
                None => self.flush = Flush::None,
            }
        }
        MessageInfo::new(reply::DONE, count)
    }

    fn push(&mut self, what: u64, reply: u64) {
        // `completed` has room, because each buffer and the flush have at most one entry. They get
        // no new request before the completion is reported.
        self.completed.push((what, reply)).ok();
    }
}
