//! The client: sends a request and decodes the reply.

use sel4_microkit::{Channel, MessageInfo, with_msg_regs, with_msg_regs_mut};

use crate::error::label;
use crate::{CallError, Message, Refusal};

/// The number of message registers that travel in CPU registers.
const IN_REGISTERS: usize = 4;

/// A reply: the message info and the first `R` words.
pub struct Reply<const R: usize> {
    info: MessageInfo,
    words: [u64; R],
}

/// Sends a request of `N` words and reads `R` words of the reply.
///
/// If request and reply each have at most four words, all words travel in CPU registers.
#[inline]
#[track_caller]
pub fn call<const N: usize, const R: usize>(
    channel: Channel,
    method: u64,
    request: [u64; N],
) -> Reply<R> {
    let request_info = MessageInfo::new(method, N);
    if N > IN_REGISTERS {
        with_msg_regs_mut(|regs| regs[..N].copy_from_slice(&request));
        let info = channel.pp_call(request_info);
        let words = with_msg_regs(|regs| core::array::from_fn(|index| regs[index]));
        return Reply { info, words };
    }
    let (info, first) = channel.pp_call_with_mrs(request_info, &request[..]);
    let mut words = [0; R];
    if R > IN_REGISTERS {
        with_msg_regs(|regs| words.copy_from_slice(&regs[..R]));
    }
    for (word, value) in words.iter_mut().zip(first) {
        *word = value;
    }
    Reply { info, words }
}

/// Asks the server for its version, and compares the answer with `version`.
///
/// # Errors
///
/// Returns an error if the versions differ, or if the peer does not serve a protocol.
#[track_caller]
pub fn connect(channel: Channel, version: u64) -> Result<(), CallError> {
    match call::<1, 1>(channel, 0, [version]).result::<u64, _>()? {
        server if server == version => Ok(()),
        _ => Err(CallError::Refused(Refusal::OtherVersion)),
    }
}

impl<const R: usize> Reply<R> {
    /// Decodes the reply of a method that returns a `T`.
    #[inline]
    pub fn result<T: Message<Kind>, Kind>(self) -> Result<T, CallError> {
        match self.info.label() {
            label::RESULT => self.value(),
            other => Err(refused(other)),
        }
    }

    /// Decodes the reply of a method that returns a `Result<T, E>`.
    #[inline]
    pub fn fallible<T: Message<Kind>, E: Message<OfError>, Kind, OfError>(
        self,
    ) -> Result<T, CallError<E>> {
        match self.info.label() {
            label::RESULT => self.value(),
            label::METHOD_ERROR => Err(self.value().map_or_else(|error| error, CallError::Method)),
            other => Err(refused(other)),
        }
    }

    #[inline]
    fn value<T: Message<Kind>, Kind, E>(&self) -> Result<T, CallError<E>> {
        if self.info.count() != T::WORDS {
            return Err(CallError::BadReply);
        }
        let words = self.words.get(..T::WORDS).ok_or(CallError::BadReply)?;
        T::take(words).map_err(|_| CallError::BadReply)
    }
}

#[cold]
fn refused<E>(label: u64) -> CallError<E> {
    match Refusal::from_label(label) {
        Some(refusal) => CallError::Refused(refusal),
        None => CallError::BadReply,
    }
}
