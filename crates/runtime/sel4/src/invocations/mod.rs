//! The invocations that a protection domain can make on its capabilities (seL4 manual,
//! *API Reference*).
//!
//! An invocation is a call whose label is the number of the invocation. The label of the reply is
//! an error code. An invocation has three scopes. The first scope writes capabilities, and words
//! after the fourth, into the buffer. The second scope makes the call. The third scope reads
//! further words of the reply.
//!
//! C-3 of `docs/soundness/sel4.md` lists the safe invocations with the reasons. Helpers such as
//! `simple` are `unsafe`, because `unsafe` invocations use these helpers too.

mod breakpoints;
mod cnode;
mod irq_handler;
mod sched_context;
mod smc;
mod tcb;
mod vcpu;
mod vspace;

use sel4_sys::{self as sys, FastMessage, Received};

pub use breakpoints::{BreakOn, Breakpoint};
pub use sched_context::Time;
pub use smc::NUM_SMC_REGISTERS;
pub use tcb::TcbFlagsBuilder;

use crate::{CPtr, CPtrBits, Error, IpcBufferToken, MessageInfo, Result, Word};

/// Makes an invocation whose message and reply need only CPU registers.
///
/// This function is small enough to be inlined. A program that makes only register-only invocations
/// does not contain [`Invocation::call`].
///
/// # Safety
///
/// The invocation must not violate memory safety (C-3).
#[inline(always)]
unsafe fn make_in_registers<const WORDS: usize>(
    label: Word,
    words: [Word; WORDS],
    cptr: CPtr,
    token: &mut IpcBufferToken,
) -> Result<()> {
    const { assert!(WORDS <= sys::FAST_MESSAGE_REGISTERS) };
    let info = MessageInfo::new(label, 0, 0, WORDS);
    let reply = match WORDS {
        // SAFETY: the caller's contract.
        0 => unsafe { sys::call_empty(token, cptr.bits(), info) },
        _ => {
            let fast = core::array::from_fn(|index| words.get(index).copied().unwrap_or(0));
            // SAFETY: the caller's contract.
            unsafe { sys::call(token, cptr.bits(), info, fast) }
        }
    };
    match Error::from_label(reply.info.label()) {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

/// The arguments of an invocation.
struct Invocation<'a> {
    label: Word,
    caps: &'a [CPtrBits],
    words: &'a [Word],
}

impl Invocation<'_> {
    /// Creates an invocation without arguments.
    const fn bare(label: Word) -> Self {
        Self {
            label,
            caps: &[],
            words: &[],
        }
    }

    /// Makes the call, and returns the first four words of the reply.
    ///
    /// # Safety
    ///
    /// The invocation must not violate memory safety (C-3).
    #[inline]
    unsafe fn make(&self, cptr: CPtr, token: &mut IpcBufferToken) -> Result<FastMessage> {
        // SAFETY: the caller's contract.
        unsafe { self.call(cptr, token) }.map(|reply| reply.message)
    }

    /// Makes the call, and copies as many words of the reply into `words` as fit.
    ///
    /// # Safety
    ///
    /// The invocation must not violate memory safety (C-3).
    unsafe fn make_into(
        &self,
        cptr: CPtr,
        token: &mut IpcBufferToken,
        words: &mut [Word],
    ) -> Result<()> {
        // SAFETY: the caller's contract.
        let reply = unsafe { self.call(cptr, token) }?;
        let length = reply.info.length().min(words.len());
        let fast = length.min(reply.message.len());
        token.with(|buffer| words[..length].copy_from_slice(&buffer.msg_regs()[..length]));
        words[..fast].copy_from_slice(&reply.message[..fast]);
        Ok(())
    }

    /// # Safety
    ///
    /// The invocation must not violate memory safety (C-3).
    #[inline]
    unsafe fn call(&self, cptr: CPtr, token: &mut IpcBufferToken) -> Result<Received> {
        let fast = core::array::from_fn(|index| self.words.get(index).copied().unwrap_or(0));
        if self.words.len() > fast.len() || !self.caps.is_empty() {
            token.with_mut(|buffer| {
                for (register, word) in buffer.msg_regs_mut().iter_mut().zip(self.words) {
                    *register = *word;
                }
                buffer.caps_or_badges_mut()[..self.caps.len()].copy_from_slice(self.caps);
            });
        }
        let info = MessageInfo::new(self.label, 0, self.caps.len(), self.words.len());
        // SAFETY: the caller's contract.
        let reply = unsafe { sys::call(token, cptr.bits(), info, fast) };
        match Error::from_label(reply.info.label()) {
            None => Ok(reply),
            Some(error) => Err(error),
        }
    }
}
