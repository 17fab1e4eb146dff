//! The server: decodes the arguments of a request and encodes the reply.

use sel4_microkit::{FastWords, MessageInfo, with_msg_regs, with_msg_regs_mut};

use crate::error::label;
use crate::{Message, Refusal};

/// The place of the first four words of a request and of its reply: CPU registers or the IPC
/// buffer. The other words are always in the IPC buffer.
pub trait Place: Copy {
    /// The value that the handler returns to the event loop.
    type Reply;

    /// Reads the `N` words of a request.
    #[track_caller]
    fn words<const N: usize>(self) -> [u64; N];

    /// Writes the value and returns the reply with `label`.
    #[track_caller]
    fn leave<T: Message<Kind>, Kind>(self, label: u64, value: &T) -> Self::Reply;

    /// Returns a reply with `label` and without words.
    fn empty(self, label: u64) -> Self::Reply;
}

/// The IPC buffer, for [`Handler::protected`](sel4_microkit::Handler::protected).
#[derive(Debug, Copy, Clone)]
pub struct InMemory;

/// CPU registers, for [`Handler::protected_with_mrs`](sel4_microkit::Handler::protected_with_mrs).
#[derive(Debug, Copy, Clone)]
pub struct InRegisters(pub FastWords);

impl Place for InMemory {
    type Reply = MessageInfo;

    #[inline]
    fn words<const N: usize>(self) -> [u64; N] {
        if N == 0 {
            return [0; N];
        }
        with_msg_regs(|regs| core::array::from_fn(|index| regs[index]))
    }

    #[inline]
    fn leave<T: Message<Kind>, Kind>(self, label: u64, value: &T) -> MessageInfo {
        if T::WORDS > 0 {
            with_msg_regs_mut(|regs| value.put(&mut regs[..T::WORDS]));
        }
        MessageInfo::new(label, T::WORDS)
    }

    #[inline]
    fn empty(self, label: u64) -> MessageInfo {
        MessageInfo::new(label, 0)
    }
}

impl Place for InRegisters {
    type Reply = (MessageInfo, FastWords);

    #[inline]
    fn words<const N: usize>(self) -> [u64; N] {
        let Self(first) = self;
        let mut words = [0; N];
        if N > first.len() {
            with_msg_regs(|regs| words.copy_from_slice(&regs[..N]));
        }
        for (word, value) in words.iter_mut().zip(first) {
            *word = value;
        }
        words
    }

    #[inline]
    fn leave<T: Message<Kind>, Kind>(self, label: u64, value: &T) -> Self::Reply {
        let mut first = FastWords::default();
        if T::WORDS > first.len() {
            with_msg_regs_mut(|regs| {
                value.put(&mut regs[..T::WORDS]);
                first = core::array::from_fn(|index| regs[index]);
            });
        } else {
            value.put(&mut first[..T::WORDS]);
        }
        (MessageInfo::new(label, T::WORDS), first)
    }

    #[inline]
    fn empty(self, label: u64) -> Self::Reply {
        (MessageInfo::new(label, 0), FastWords::default())
    }
}

/// Reads the `N` words of a request.
///
/// # Errors
///
/// Returns [`Refusal::WrongLength`] if the request has another number of words.
#[inline]
#[track_caller]
pub fn arguments<const N: usize>(
    msg_info: &MessageInfo,
    place: impl Place,
) -> Result<[u64; N], Refusal> {
    match msg_info.count() {
        count if count == N => Ok(place.words()),
        _ => Err(Refusal::WrongLength),
    }
}

/// Writes a result and returns the reply.
#[inline]
#[track_caller]
pub fn reply<T: Message<Kind>, Kind, P: Place>(value: &T, place: P) -> P::Reply {
    place.leave(label::RESULT, value)
}

/// Writes the result or the error of a method that returns a `Result`, and returns the reply.
#[inline]
#[track_caller]
pub fn reply_result<T: Message<Kind>, E: Message<OfError>, Kind, OfError, P: Place>(
    result: &Result<T, E>,
    place: P,
) -> P::Reply {
    match result {
        Ok(value) => place.leave(label::RESULT, value),
        Err(error) => place.leave(label::METHOD_ERROR, error),
    }
}

/// Answers a request to connect. The request carries the client's version.
///
/// # Errors
///
/// Returns a refusal unless the request is one word, equal to `version`.
#[cold]
#[track_caller]
pub fn greet<P: Place>(
    msg_info: &MessageInfo,
    version: u64,
    place: P,
) -> Result<P::Reply, Refusal> {
    match arguments::<1>(msg_info, place)? {
        [client] if client == version => Ok(reply(&version, place)),
        _ => Err(Refusal::OtherVersion),
    }
}

/// Turns a refusal into a reply without words.
#[inline]
pub fn finish<P: Place>(reply: Result<P::Reply, Refusal>, place: P) -> P::Reply {
    match reply {
        Ok(reply) => reply,
        Err(refusal) => place.empty(refusal.label()),
    }
}

/// Refuses a request with an unknown label.
///
/// # Errors
///
/// Always returns [`Refusal::UnknownMethod`].
#[cold]
pub const fn refuse<R>() -> Result<R, Refusal> {
    Err(Refusal::UnknownMethod)
}
