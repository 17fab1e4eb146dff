//! The server's side: the arguments of a request, and the reply.

use sel4_microkit::{MessageInfo, with_msg_regs, with_msg_regs_mut};

use crate::error::label;
use crate::{Message, Refusal};

/// The words of a request that must have `N`.
#[inline]
#[track_caller]
pub fn arguments<const N: usize>(msg_info: &MessageInfo) -> Result<[u64; N], Refusal> {
    if msg_info.count() != N {
        return Err(Refusal::WrongLength);
    }
    if N == 0 {
        return Ok([0; N]);
    }
    Ok(with_msg_regs(|regs| {
        core::array::from_fn(|index| regs[index])
    }))
}

/// Leaves a result in the message registers, and describes it.
#[inline]
#[track_caller]
pub fn reply<T: Message<Kind>, Kind>(value: &T) -> MessageInfo {
    leave(label::RESULT, value)
}

/// Leaves the result or error of a method that returns a `Result`, and describes it.
#[inline]
#[track_caller]
pub fn reply_result<T: Message<Kind>, E: Message<OfError>, Kind, OfError>(
    result: &Result<T, E>,
) -> MessageInfo {
    match result {
        Ok(value) => leave(label::RESULT, value),
        Err(error) => leave(label::METHOD_ERROR, error),
    }
}

/// Answers a request to connect from a client of the version in it.
#[cold]
#[track_caller]
pub fn greet(msg_info: &MessageInfo, version: u64) -> Result<MessageInfo, Refusal> {
    match arguments::<1>(msg_info)? {
        [client] if client == version => Ok(reply(&version)),
        _ => Err(Refusal::OtherVersion),
    }
}

/// Ends a dispatch.
#[inline]
pub fn finish(reply: Result<MessageInfo, Refusal>) -> MessageInfo {
    match reply {
        Ok(info) => info,
        Err(refusal) => MessageInfo::new(refusal.label(), 0),
    }
}

/// Refuses a request for a method that there is not.
#[cold]
pub const fn refuse() -> Result<MessageInfo, Refusal> {
    Err(Refusal::UnknownMethod)
}

#[inline]
#[track_caller]
fn leave<T: Message<Kind>, Kind>(label: u64, value: &T) -> MessageInfo {
    if T::WORDS > 0 {
        with_msg_regs_mut(|regs| value.put(&mut regs[..T::WORDS]));
    }
    MessageInfo::new(label, T::WORDS)
}
