//! Calls whose reply comes later: a request in shared memory, and a notification each way.
//!
//! A protected call waits in the kernel, and the whole protection domain (PD) with it. Here only the
//! task waits, and others of the client run meanwhile; and the server may answer when it can.
//!
//! The region has two halves of [`HALF`] words. Each begins with a number, which is written last and
//! counts requests, or replies; then the words follow.

use core::fmt;
use core::sync::atomic::Ordering;

use sel4_microkit::{Channel, SharedWord};

use crate::Listener;

/// Words of a request, and of a reply.
pub const WORDS_PER_MESSAGE: usize = 4;

/// Words from one half to the next: a cache line of 64 bytes.
const HALF: usize = 8;

/// A half of the region, which one end writes.
#[derive(Debug)]
struct Half {
    number: &'static SharedWord,
    words: &'static [SharedWord],
}

impl Half {
    /// Both: requests, replies.
    fn both(region: &'static [SharedWord]) -> (Self, Self) {
        assert!(
            region.len() >= 2 * HALF,
            "a split call needs {} words, but the region has {}",
            2 * HALF,
            region.len()
        );
        let half = |first: usize| Self {
            number: &region[first],
            words: &region[first + 1..][..WORDS_PER_MESSAGE],
        };
        (half(0), half(HALF))
    }

    /// Acquire: who sees the number sees the words.
    fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    fn load(&self) -> [u64; WORDS_PER_MESSAGE] {
        core::array::from_fn(|index| self.words[index].load(Ordering::Relaxed))
    }

    /// Release: the words come before the number.
    fn store(&self, number: u64, message: [u64; WORDS_PER_MESSAGE]) {
        for (word, value) in self.words.iter().zip(message) {
            word.store(value, Ordering::Relaxed);
        }
        self.number.store(number, Ordering::Release);
    }
}

/// The end that asks.
#[derive(Debug)]
pub struct SplitClient {
    server: Listener,
    requests: Half,
    replies: Half,
    asked: u64,
}

impl SplitClient {
    /// A client, over a region that begins as zeros.
    ///
    /// After one end is started anew, both must be, and the region must be zeros.
    ///
    /// **Panics:** if the region has less than 16 words.
    pub fn new(server: Listener, region: &'static [SharedWord]) -> Self {
        let (requests, replies) = Half::both(region);
        Self {
            server,
            requests,
            replies,
            asked: 0,
        }
    }

    /// Asks, and waits for the reply. What a server answers that is not sound is not known; one that
    /// never answers is waited for until this is dropped, as by `embassy_time::with_timeout`.
    ///
    /// **Cancel safety:** dropped before the request was written, it has done nothing. Dropped later,
    /// the server does what was asked, its reply is dropped, and the next call waits for that before it
    /// asks: no request is lost or done twice, and no call gets the reply of another.
    pub async fn call(&mut self, request: [u64; WORDS_PER_MESSAGE]) -> [u64; WORDS_PER_MESSAGE] {
        self.answered().await;
        self.asked += 1;
        self.requests.store(self.asked, request);
        self.server.channel().notify();
        self.answered().await;
        self.replies.load()
    }

    /// Waits until all was answered that was asked.
    async fn answered(&mut self) {
        while self.replies.number() != self.asked {
            self.server.notified().await;
        }
    }
}

/// The end that answers, in a handler or in a task.
#[derive(Debug)]
pub struct SplitServer {
    client: Channel,
    requests: Half,
    replies: Half,
    /// The number of the last request that was taken, and of the last that was answered.
    taken: u64,
    answered: u64,
}

/// No request was taken that is not answered.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct NothingAsked;

impl fmt::Display for NothingAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no request to reply to: take one first")
    }
}

impl core::error::Error for NothingAsked {}

impl SplitServer {
    /// A server, over a region that begins as zeros.
    ///
    /// **Panics:** if the region has less than 16 words.
    pub fn new(client: Channel, region: &'static [SharedWord]) -> Self {
        let (requests, replies) = Half::both(region);
        Self {
            client,
            requests,
            replies,
            taken: 0,
            answered: 0,
        }
    }

    /// Takes a request, if there is a new one and the last was answered. To be asked when the client has
    /// notified. Words that a client changes while they are read are any words.
    ///
    /// **Blocks:** never.
    pub fn take(&mut self) -> Option<[u64; WORDS_PER_MESSAGE]> {
        let number = self.requests.number();
        if self.taken != self.answered || number == self.taken {
            return None;
        }
        self.taken = number;
        Some(self.requests.load())
    }

    /// Replies to the request that was taken.
    ///
    /// **Blocks:** never. **Errors:** there is none.
    pub fn reply(&mut self, reply: [u64; WORDS_PER_MESSAGE]) -> Result<(), NothingAsked> {
        if self.taken == self.answered {
            return Err(NothingAsked);
        }
        self.answered = self.taken;
        self.replies.store(self.answered, reply);
        self.client.notify();
        Ok(())
    }
}
