//! The server's side: the arguments of a request, and the reply.

use sel4_microkit::{FastWords, MessageInfo, with_msg_regs, with_msg_regs_mut};

use crate::error::label;
use crate::{Message, Refusal};

/// Where the first four words of a request are, and those of its reply go. The others are in the
/// message registers, either way.
pub trait Place: Copy {
    /// What the event loop is to be given.
    type Reply;

    /// The words of a request, of which there are `N`.
    #[track_caller]
    fn words<const N: usize>(self) -> [u64; N];

    /// Leaves a value there.
    #[track_caller]
    fn leave<T: Message<Kind>, Kind>(self, label: u64, value: &T) -> Self::Reply;

    /// A reply of no words.
    fn empty(self, label: u64) -> Self::Reply;
}

/// In the message registers, where [`Handler::protected`](sel4_microkit::Handler::protected) has
/// them.
#[derive(Debug, Copy, Clone)]
pub struct InMemory;

/// In CPU registers, as [`Handler::protected_with_mrs`](sel4_microkit::Handler::protected_with_mrs)
/// has them.
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

/// The words of a request that must have `N`.
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

/// Leaves a result, and describes it.
#[inline]
#[track_caller]
pub fn reply<T: Message<Kind>, Kind, P: Place>(value: &T, place: P) -> P::Reply {
    place.leave(label::RESULT, value)
}

/// Leaves the result or error of a method that returns a `Result`, and describes it.
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

/// Answers a request to connect from a client of the version in it.
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

/// Ends a dispatch.
#[inline]
pub fn finish<P: Place>(reply: Result<P::Reply, Refusal>, place: P) -> P::Reply {
    match reply {
        Ok(reply) => reply,
        Err(refusal) => place.empty(refusal.label()),
    }
}

/// Refuses a request for a method that there is not.
#[cold]
pub const fn refuse<R>() -> Result<R, Refusal> {
    Err(Refusal::UnknownMethod)
}
