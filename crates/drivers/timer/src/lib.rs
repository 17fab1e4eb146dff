//! The time, and time-outs, from the `timer` protection domain (PD).
//!
//! A client asks by protected calls, which are answered at once, and is notified when some of its
//! time-outs have expired: once for all that are due.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "async")]
mod alarm;

use core::fmt;
use sel4_microkit::{Channel, MessageInfo, with_msg_regs};

/// Time-outs that each client can have: those that are set, and those that have expired and that it
/// has not yet been told of.
pub const TIMEOUTS_PER_CLIENT: usize = 8;

/// What a client asks for: the label of its call. Words are those of the message.
pub mod request {
    /// The time. The reply is one word: nanoseconds.
    pub const NOW: u64 = 0;
    /// A time-out, at nanoseconds (word 0), with a tag (word 1). The reply is its identifier.
    pub const SET: u64 = 1;
    /// No more of the time-out with an identifier (word 0).
    pub const CANCEL: u64 = 2;
    /// Which have expired. The reply has three words for each: tag, deadline, order.
    pub const EXPIRED: u64 = 3;
    /// No more of any.
    pub const RESET: u64 = 4;
}

/// What the driver answers: the label of its reply.
pub mod reply {
    /// It is done.
    pub const DONE: u64 = 0;
    /// The client has as many as it can have.
    pub const FULL: u64 = 1;
    /// The client has set no such time-out, or it has expired.
    pub const NOT_SET: u64 = 2;
    /// That is no request.
    pub const UNKNOWN: u64 = 3;
}

/// The driver, as its client sees it.
#[derive(Debug)]
pub struct Timer {
    driver: Channel,
}

/// A time-out that was set.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Timeout(u64);

/// A time-out that has expired.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Expired {
    /// What the client has given it.
    pub tag: u64,
    /// When it was due, in nanoseconds.
    pub deadline_ns: u64,
    /// How many, of all clients, have expired before it since the driver started.
    pub order: u64,
}

/// Why a time-out was not set, or not cancelled.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Error {
    /// The client has [`TIMEOUTS_PER_CLIENT`].
    Full,
    /// It has expired, or was cancelled before.
    NotSet,
    /// The driver's answer is none that there is.
    Driver,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => write!(
                f,
                "this client has {TIMEOUTS_PER_CLIENT} time-outs, which is all that it can have: \
                 cancel one, or ask which have expired"
            ),
            Self::NotSet => f.write_str("no such time-out is set"),
            Self::Driver => f.write_str("the timer's driver has answered something else"),
        }
    }
}

impl core::error::Error for Error {}

/// All methods: **Blocks:** until the driver answers, which does not wait for anything.
/// **Panics:** inside a borrow of the message registers.
impl Timer {
    /// A client, to which no time-out of before belongs any more.
    ///
    /// **Needs:** a channel with `pp="true"` to the driver, whose priority is higher.
    pub fn new(driver: Channel) -> Self {
        let timer = Self { driver };
        timer.reset();
        timer
    }

    /// Nanoseconds since the machine's counter started.
    pub fn now_ns(&self) -> u64 {
        self.call(request::NOW, [0; 2]).1
    }

    /// Sets a time-out. The driver notifies when it is due, at once if that has passed; `tag` is
    /// the client's own.
    ///
    /// **Errors:** the client has as many as it can have.
    pub fn set(&self, deadline_ns: u64, tag: u64) -> Result<Timeout, Error> {
        match self.call(request::SET, [deadline_ns, tag]) {
            (reply::DONE, id) => Ok(Timeout(id)),
            (reply::FULL, _) => Err(Error::Full),
            _ => Err(Error::Driver),
        }
    }

    /// Cancels a time-out.
    ///
    /// **Errors:** it has expired, or was cancelled before.
    pub fn cancel(&self, timeout: Timeout) -> Result<(), Error> {
        match self.call(request::CANCEL, [timeout.0, 0]) {
            (reply::DONE, _) => Ok(()),
            (reply::NOT_SET, _) => Err(Error::NotSet),
            _ => Err(Error::Driver),
        }
    }

    /// Cancels all, and forgets those that have expired.
    pub fn reset(&self) {
        self.call(request::RESET, [0; 2]);
    }

    /// The time-outs that have expired since this was asked last, in the order of their deadlines,
    /// and of their being set where these are the same.
    pub fn expired(&self) -> impl Iterator<Item = Expired> + use<> {
        let info = self.driver.pp_call(MessageInfo::new(request::EXPIRED, 0));
        let mut all = [None; TIMEOUTS_PER_CLIENT];
        with_msg_regs(|words| {
            let (expired, _) = words[..info.count()].as_chunks();
            for (place, &[tag, deadline_ns, order]) in all.iter_mut().zip(expired) {
                *place = Some(Expired {
                    tag,
                    deadline_ns,
                    order,
                });
            }
        });
        all.into_iter().flatten()
    }

    /// The label of the reply, and its first word.
    fn call(&self, request: u64, words: [u64; 2]) -> (u64, u64) {
        let info = MessageInfo::new(request, words.len());
        let (info, reply) = self.driver.pp_call_with_mrs(info, words);
        (info.label(), reply[0])
    }
}
