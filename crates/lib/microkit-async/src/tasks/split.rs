//! Split calls: a request and a deferred reply in shared memory, with a notification in each
//! direction.
//!
//! A protected procedure call blocks the whole protection domain (PD) in the kernel. A split call
//! blocks only the calling task. The other tasks of the client continue to run.
//!
//! The region has two halves of [`HALF`] words. The client writes the first half, and the server
//! writes the second half. The first word of each half counts the requests or the replies. The
//! other words hold the message, and are written before the first word.

use core::fmt;
use core::sync::atomic::Ordering;

use sel4_microkit::{Channel, SharedWord};

use crate::Listener;

/// The number of words in a request, and in a reply.
pub const WORDS_PER_MESSAGE: usize = 4;

/// The distance between the two halves, in words: a cache line of 64 bytes.
const HALF: usize = 8;

/// A half of the region. Only one end of the channel writes to a half.
#[derive(Debug)]
struct Half {
    number: &'static SharedWord,
    words: &'static [SharedWord],
}

impl Half {
    /// Splits the region into the half of the requests and the half of the replies.
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

    /// Returns the number of the latest message. The load uses *acquire*, so a reader of the number
    /// also sees the words of the message.
    fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    fn load(&self) -> [u64; WORDS_PER_MESSAGE] {
        core::array::from_fn(|index| self.words[index].load(Ordering::Relaxed))
    }

    /// Stores a message. The store uses *release*, so the words become visible before the number.
    fn store(&self, number: u64, message: [u64; WORDS_PER_MESSAGE]) {
        for (word, value) in self.words.iter().zip(message) {
            word.store(value, Ordering::Relaxed);
        }
        self.number.store(number, Ordering::Release);
    }
}

/// The client's end of a split call.
///
/// # Examples
///
/// ```no_run
/// use microkit_async::{Listener, SplitClient};
/// use sel4_microkit::{Channel, SharedWord, shared_words};
///
/// async fn ask() -> u64 {
///     let server = Listener::new(Channel::new(1)).expect("there is no other listener");
///     let region = shared_words!(split, split_size, SharedWord);
///     let mut server = SplitClient::new(server, region);
///     server.call([7, 0, 0, 0]).await[0]
/// }
/// ```
#[derive(Debug)]
pub struct SplitClient {
    server: Listener,
    requests: Half,
    replies: Half,
    asked: u64,
}

impl SplitClient {
    /// Creates the client's end. The region must be zero at the start.
    ///
    /// After a restart of one end, the other end must be restarted too, and the region must be
    /// zeroed.
    ///
    /// **Rights:** a `<map>` with `rw` of the region, in both PDs.
    ///
    /// # Panics
    ///
    /// Panics if the region has fewer than 16 words.
    pub fn new(server: Listener, region: &'static [SharedWord]) -> Self {
        let (requests, replies) = Half::both(region);
        Self {
            server,
            requests,
            replies,
            asked: 0,
        }
    }

    /// Sends a request, and waits for the reply.
    ///
    /// The client cannot verify a reply, and returns a wrong reply unchanged. If the server never
    /// replies, the future waits until it is dropped, for example by `embassy_time::with_timeout`.
    ///
    /// **Cancel safety:** a future that is dropped before it writes the request has no effect. If
    /// the future is dropped later, the server still handles the request, and the reply is
    /// discarded. The next call waits for that reply before it sends its own request. So each
    /// request is sent at most once, and each call returns the reply to its own request.
    pub async fn call(&mut self, request: [u64; WORDS_PER_MESSAGE]) -> [u64; WORDS_PER_MESSAGE] {
        self.answered().await;
        self.asked += 1;
        self.requests.store(self.asked, request);
        self.server.channel().notify();
        self.answered().await;
        self.replies.load()
    }

    /// Waits for the reply to the last request.
    async fn answered(&mut self) {
        while self.replies.number() != self.asked {
            self.server.notified().await;
        }
    }
}

/// The server's end of a split call, for a handler or a task.
///
/// # Examples
///
/// ```no_run
/// use microkit_async::SplitServer;
/// use sel4_microkit::{ChannelSet, Handler, Infallible};
///
/// struct Doubles(SplitServer);
///
/// impl Handler for Doubles {
///     type Error = Infallible;
///
///     fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
///         if let Some([word, ..]) = self.0.take() {
///             self.0.reply([2 * word, 0, 0, 0]).expect("a request was taken");
///         }
///         Ok(())
///     }
/// }
/// ```
#[derive(Debug)]
pub struct SplitServer {
    client: Channel,
    requests: Half,
    replies: Half,
    /// The number of the last taken request. `answered` is the number of the last answered request.
    taken: u64,
    answered: u64,
}

/// The server has not taken a request, or has already replied.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct NothingAsked;

impl fmt::Display for NothingAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no request to reply to: take one first")
    }
}

impl core::error::Error for NothingAsked {}

impl SplitServer {
    /// Creates the server's end. The region must be zero at the start.
    ///
    /// **Rights:** a `<map>` with `rw` of the region, in both PDs.
    ///
    /// # Panics
    ///
    /// Panics if the region has fewer than 16 words.
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

    /// Takes the next request. Returns `None` if no new request has arrived, or if the last request
    /// was not answered yet. Call this method after a notification from the client. If the client
    /// changes the words during the read, the result may mix old and new words.
    ///
    /// **Blocking:** never.
    pub fn take(&mut self) -> Option<[u64; WORDS_PER_MESSAGE]> {
        let number = self.requests.number();
        if self.taken != self.answered || number == self.taken {
            return None;
        }
        self.taken = number;
        Some(self.requests.load())
    }

    /// Replies to the taken request.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`NothingAsked`] if no taken request waits for a reply.
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
