//! The event loop, and what a protection domain implements to be called by it.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::fmt;

pub use core::convert::Infallible;

use crate::defer::{DeferredAction, Prepared};
use crate::ipc::{self, ChannelSet, Event, Received};
use crate::{
    Channel, Child, IrqAckError, MessageInfo, MessageRegisterValue, RestartReply, pd_is_passive,
    symbols, with_msg_regs, with_msg_regs_mut,
};

/// A protection domain: what it does when something happens.
///
/// An error that a method returns stops the protection domain, as a panic does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle the events of a protection domain",
    label = "this must be a `Handler`",
    note = "the function with `#[protection_domain]` returns a type with `impl Handler`. For a \
            protection domain that only initialises, write `-> NullHandler`, and `NullHandler::new()` at \
            the end. For one that never returns, write `-> Never`"
)]
pub trait Handler {
    /// What can go wrong.
    type Error: fmt::Display;

    /// Channels were notified, or interrupts have come.
    ///
    /// Not implemented, it panics: the system file gives the PD a channel that it knows nothing
    /// of.
    fn notified(&mut self, channels: ChannelSet) -> Result<(), Self::Error> {
        panic!("was notified on {channels}, but its handler has no `notified`")
    }

    /// The protected procedure was called. The arguments are in the message registers; the
    /// results are to be left there, and described by what is returned.
    ///
    /// While this runs, the caller is blocked. If the program faults here, the caller waits
    /// forever, unless the parent restarts the program and [`restart_reply`](Self::restart_reply)
    /// replies.
    ///
    /// Not implemented, it panics: the system file lets another PD call.
    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Self::Error> {
        panic!(
            "was called on channel {} with {msg_info:?}, but its handler has no `protected`",
            channel.index()
        )
    }

    /// The protected procedure was called, as for [`protected`](Self::protected), but with the
    /// first four words of the message in `words` and not in the message registers; so are those of
    /// the reply in what is returned. Words after the fourth are in the message registers, either
    /// way.
    ///
    /// This is what the event loop calls. A handler whose messages are short implements it to answer
    /// in CPU registers, without touching memory, and passes what is longer on:
    ///
    /// ```
    /// use sel4_microkit::{
    ///     Channel, FastWords, Handler, Infallible, MessageInfo, protected_in_memory,
    /// };
    ///
    /// struct Adder;
    ///
    /// impl Handler for Adder {
    ///     type Error = Infallible;
    ///
    ///     fn protected_with_mrs(
    ///         &mut self,
    ///         channel: Channel,
    ///         msg_info: MessageInfo,
    ///         [a, b, c, d]: FastWords,
    ///     ) -> Result<(MessageInfo, FastWords), Infallible> {
    ///         Ok((MessageInfo::new(0, 1), [a + b, 0, 0, 0]))
    ///     }
    /// }
    /// ```
    ///
    /// Not implemented, it is [`protected_in_memory`]: it calls [`protected`](Self::protected).
    fn protected_with_mrs(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
        words: FastWords,
    ) -> Result<(MessageInfo, FastWords), Self::Error> {
        protected_in_memory(self, channel, msg_info, words)
    }

    /// A child has faulted: [`MessageInfo::fault`] reads how. Returning `None` leaves it stopped;
    /// a message is the reply (seL4 manual, *Faults*). [`MessageInfo::fault_retry`] lets the child
    /// try again. A reply with words, which set the child's registers, panics unless
    /// [`MessageInfo::fault_reply`] has made it.
    ///
    /// A virtual CPU faults as the child with its identifier: [`VCpu::from`](crate::VCpu) is it.
    ///
    /// Not implemented, it panics: the system file gives the PD a child.
    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, Self::Error> {
        panic!(
            "child {} faulted with {msg_info:?}, but its parent's handler has no `fault`",
            child.index()
        )
    }

    /// Gives the event loop an action that this entry point has put off, to be joined with the
    /// wait for the next event. It is called once after the initialisation, and after each event.
    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        None
    }

    /// Whether there is something to be done by [`work`](Self::work). It is asked after the
    /// initialisation, and after each event.
    fn has_work(&self) -> bool {
        false
    }

    /// Does what an event has left to be done, once who called has its reply, before the next event
    /// is waited for; and what the initialisation has left.
    ///
    /// **Needs:** a protection domain that is not passive: a passive one has no time left when it has
    /// replied.
    fn work(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Returns the reply to a call that an earlier incarnation of this program has received and not
    /// answered: [`restart_reply!`](crate::restart_reply!) makes one. The event loop asks once,
    /// after the initialisation, and sends it with its first wait.
    ///
    /// A server that faults in [`protected`](Self::protected), or is stopped there, leaves its
    /// caller blocked. When its parent restarts it, this reply returns to that caller. Whether the
    /// call had an effect, the caller does not know, so a label that no other reply has must say
    /// what happened. If no caller is blocked the kernel drops the reply.
    ///
    /// The default returns `None`. The restarted server then waits without a reply, and the kernel
    /// makes the blocked caller inactive: it never runs again, unless its own parent restarts it.
    /// The same happens if the initialisation itself waits for an event (in [`ipc`](crate::ipc)). A
    /// server that is not passive can call
    /// [`ipc::reply_without_words`](crate::ipc::reply_without_words) before that.
    fn restart_reply(&self) -> Option<RestartReply> {
        None
    }
}

/// The words of a message that travel in CPU registers: its first four.
pub type FastWords = [MessageRegisterValue; sel4::NUM_FAST_MESSAGE_REGISTERS];

/// Has [`Handler::protected`] answer what [`Handler::protected_with_mrs`] was given: puts the words
/// into the message registers before, and takes them from there after.
///
/// **Errors:** those of the handler.
/// **Panics:** inside a borrow of the message registers.
#[inline]
pub fn protected_in_memory<H: Handler + ?Sized>(
    handler: &mut H,
    channel: Channel,
    msg_info: MessageInfo,
    words: FastWords,
) -> Result<(MessageInfo, FastWords), H::Error> {
    store(words);
    let reply = handler.protected(channel, msg_info)?;
    Ok((reply, load()))
}

/// The event loop.
///
/// Only [`run_main`](crate::_private::run_main) runs it, and only once. If a handler ran it within
/// itself, the outer loop would reply to an event that the inner one has received (K-2).
pub(crate) fn run<H: Handler + ?Sized>(handler: &mut H) -> Result<Never, H::Error> {
    acknowledge_all();
    if handler.has_work() {
        handler.work()?;
    }
    let mut deferred = deferred_by(handler);
    if pd_is_passive() {
        if let Some(action) = deferred {
            ipc::send(&action);
        }
        deferred = Some(ipc::forfeit_scheduling_context());
    }
    let mut received = match handler.restart_reply() {
        None => wait(deferred),
        Some(reply) => reply_after_restart(reply, deferred),
    };
    loop {
        let words = received.msg;
        let reply = match Event::new(received.info, received.badge) {
            Event::Protected(channel, info) => {
                Some(handler.protected_with_mrs(channel, info, words)?)
            }
            Event::Notified(channels) => {
                handler.notified(channels)?;
                None
            }
            Event::Fault(child, info) => {
                store(words);
                handler.fault(child, info)?.map(|reply| {
                    if reply.may_set_registers() {
                        would_set_registers(child);
                    }
                    (reply, load())
                })
            }
        };
        received = next(handler, reply)?;
    }
}

/// Replies, if there is somebody to reply to, does what is left to be done, and waits for an event.
#[inline(always)]
fn next<H: Handler + ?Sized>(
    handler: &mut H,
    reply: Option<(MessageInfo, FastWords)>,
) -> Result<Received, H::Error> {
    if handler.has_work() {
        if let Some((reply, words)) = reply {
            store(words);
            ipc::send_reply(reply);
        }
        handler.work()?;
        return Ok(wait(deferred_by(handler)));
    }
    let deferred = deferred_by(handler);
    Ok(match reply {
        Some((reply, words)) => reply_and_wait(reply, words, deferred),
        None => wait(deferred),
    })
}

/// Replies to the caller that an earlier incarnation has left blocked, and waits for an event.
///
/// A passive server that died in a call runs on its caller's scheduling context until this reply
/// returns it. So the reply and the wait are one system call: after a reply by itself the server
/// would not run on to its wait.
#[cold]
#[inline(never)]
fn reply_after_restart(reply: RestartReply, deferred: Option<Prepared>) -> Received {
    // K-2: no words. What is blocked may also be a child whose fault was not answered.
    reply_and_wait(reply.message(), FastWords::default(), deferred)
}

/// Interrupts that came before the PD could take them would not come again: seL4 masks an interrupt
/// until it is acknowledged.
#[inline(never)]
fn acknowledge_all() {
    for channel in symbols::irq_channels() {
        if let Err(error) = channel.irq_ack() {
            not_acknowledged(channel, error);
        }
    }
}

#[inline(always)]
fn deferred_by<H: Handler + ?Sized>(handler: &mut H) -> Option<Prepared> {
    handler.take_deferred_action().map(DeferredAction::prepare)
}

/// Does what was put off, and waits for an event.
#[inline(always)]
fn wait(deferred: Option<Prepared>) -> Received {
    match deferred {
        None => ipc::recv_with_mrs(),
        Some(action) => ipc::nb_send_recv_with_mrs(&action),
    }
}

/// Does what was put off, replies, and waits for an event.
#[inline(always)]
fn reply_and_wait(reply: MessageInfo, words: FastWords, deferred: Option<Prepared>) -> Received {
    // There is no system call that sends, replies and receives.
    if let Some(action) = deferred {
        ipc::send(&action);
    }
    ipc::reply_recv_with_mrs(reply, words)
}

/// The first four message registers.
#[inline(always)]
fn load() -> FastWords {
    with_msg_regs(|registers| core::array::from_fn(|index| registers[index]))
}

/// Sets the first four message registers.
#[inline(always)]
fn store(words: FastWords) {
    with_msg_regs_mut(|registers| registers[..words.len()].copy_from_slice(&words));
}

/// What K-2 rests on: words of a reply to a fault are registers of the child.
#[cold]
#[inline(never)]
fn would_set_registers(child: Child) -> ! {
    panic!(
        "the reply to the fault of child {} has words, which would become its registers: reply \
         with MessageInfo::fault_retry(), or with MessageInfo::fault_reply(), which is unsafe",
        child.index()
    )
}

#[cold]
#[inline(never)]
fn not_acknowledged(channel: Channel, error: IrqAckError) -> ! {
    panic!("channel {}: {error}", channel.index())
}

/// A handler that does nothing, for a protection domain that only initialises.
///
/// An event panics.
#[derive(Debug, Default)]
pub struct NullHandler(());

impl NullHandler {
    /// Makes one.
    pub const fn new() -> Self {
        Self(())
    }
}

impl Handler for NullHandler {
    type Error = Infallible;
}

/// What is never there: the handler of a protection domain that never returns from its
/// initialisation.
#[derive(Debug)]
pub enum Never {}

impl Handler for Never {
    type Error = Infallible;
}

#[cfg(feature = "alloc")]
impl<T: Handler + ?Sized> Handler for Box<T> {
    type Error = T::Error;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Self::Error> {
        (**self).notified(channels)
    }

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Self::Error> {
        (**self).protected(channel, msg_info)
    }

    fn protected_with_mrs(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
        words: FastWords,
    ) -> Result<(MessageInfo, FastWords), Self::Error> {
        (**self).protected_with_mrs(channel, msg_info, words)
    }

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, Self::Error> {
        (**self).fault(child, msg_info)
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        (**self).take_deferred_action()
    }

    fn has_work(&self) -> bool {
        (**self).has_work()
    }

    fn work(&mut self) -> Result<(), Self::Error> {
        (**self).work()
    }

    fn restart_reply(&self) -> Option<RestartReply> {
        (**self).restart_reply()
    }
}
