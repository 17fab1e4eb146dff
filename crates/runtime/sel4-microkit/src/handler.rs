//! The trait [`Handler`] that a PD implements, and the event loop.
//!
//! ```text
//! init ─▶ work? ─▶ wait ─▶ notified │ protected_with_mrs │ fault ─┐
//!                   ▲                                             │
//!                   └── reply and deferred action, in one ◀───────┤ no work
//!                   └── reply ─▶ work ─▶ deferred action ◀────────┘ has work
//! ```

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

/// Handles the events of a protection domain (PD): one method for each kind of event.
///
/// An error that a method returns stops the PD, as a panic does. The crate page has an
/// [example](crate).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle the events of a protection domain",
    label = "this must be a `Handler`",
    note = "the function with `#[protection_domain]` returns a type with `impl Handler`. For a \
            protection domain that only initialises, write `-> NullHandler`, and `NullHandler::new()` at \
            the end. For one that never returns, write `-> Never`"
)]
pub trait Handler {
    /// The error type of the methods. The runtime prints the error, and then stops the PD.
    type Error: fmt::Display;

    /// Handles notifications and IRQs.
    ///
    /// The default implementation panics. A PD that receives notifications must implement this
    /// method.
    ///
    /// # Errors
    ///
    /// An error stops the PD.
    fn notified(&mut self, channels: ChannelSet) -> Result<(), Self::Error> {
        panic!("was notified on {channels}, but its handler has no `notified`")
    }

    /// Handles a call of the protected procedure.
    ///
    /// The message registers hold the arguments. The method writes the results into the message
    /// registers, and returns the description of the results.
    ///
    /// While this method runs, the caller is blocked. If the program faults in this method, the
    /// caller waits forever, unless the parent restarts the program and
    /// [`restart_reply`](Self::restart_reply) returns a reply.
    ///
    /// The default implementation panics. A PD that other PDs call must implement this method.
    ///
    /// # Errors
    ///
    /// An error stops the PD.
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

    /// Handles a call as [`protected`](Self::protected), with the first four words in CPU
    /// registers.
    ///
    /// `words` has the first four words of the message. The returned array has the first four words
    /// of the reply. The message registers hold the other words of the message and of the reply,
    /// from the fifth word on.
    ///
    /// The event loop calls this method. A handler with short messages implements the method to
    /// answer in CPU registers alone. [`protected_in_memory`] handles longer messages:
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
    ///         if msg_info.count() > 4 {
    ///             return protected_in_memory(self, channel, msg_info, [a, b, c, d]);
    ///         }
    ///         Ok((MessageInfo::new(0, 1), [a + b, 0, 0, 0]))
    ///     }
    /// }
    /// ```
    ///
    /// The default implementation calls [`protected_in_memory`], and so calls
    /// [`protected`](Self::protected).
    ///
    /// # Errors
    ///
    /// An error stops the PD.
    fn protected_with_mrs(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
        words: FastWords,
    ) -> Result<(MessageInfo, FastWords), Self::Error> {
        protected_in_memory(self, channel, msg_info, words)
    }

    /// Handles a fault of a child. [`MessageInfo::fault`] reads the fault.
    ///
    /// `None` leaves the child stopped. A returned message is the reply (seL4 manual, *Faults*).
    /// [`MessageInfo::fault_retry`] makes the child retry. A reply with words sets registers of the
    /// child. The event loop panics on a reply with words that [`MessageInfo::fault_reply`] has not
    /// made.
    ///
    /// A fault of a virtual CPU arrives as a fault of the child with the same identifier.
    /// [`VCpu::from`](crate::VCpu) converts the child.
    ///
    /// The default implementation panics. A PD with children must implement this method.
    ///
    /// # Errors
    ///
    /// An error stops the PD.
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

    /// Returns the action that the last entry point has deferred. The event loop joins the action
    /// with the wait for the next event.
    ///
    /// The event loop calls this method once after the initialisation, and once after each event. A
    /// [`DeferredActionSlot`](crate::DeferredActionSlot) in the handler stores the action.
    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        None
    }

    /// Returns whether [`work`](Self::work) must be called. The event loop calls `has_work` after
    /// the initialisation, and after each event.
    fn has_work(&self) -> bool {
        false
    }

    /// Runs deferred work after the reply is sent and before the next wait.
    ///
    /// Work that the initialisation defers runs before the first wait. A PD with deferred work must
    /// not be passive, because a passive PD has no scheduling context after its reply.
    ///
    /// # Errors
    ///
    /// An error stops the PD.
    fn work(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Returns the reply to a call that an earlier incarnation has received and not answered.
    ///
    /// [`restart_reply!`](crate::restart_reply!) makes the reply. The event loop calls this method
    /// once, after the initialisation, and sends the reply with its first wait.
    ///
    /// A server that faults or is stopped in [`protected`](Self::protected) leaves its caller
    /// blocked. After a restart, that caller receives this reply. The caller cannot know whether
    /// the call had an effect, so the reply needs a label that no other reply has. If no caller is
    /// blocked, the kernel drops the reply.
    ///
    /// The default returns `None`. The restarted server then waits without a reply, and the kernel
    /// makes the blocked caller inactive. An inactive caller runs again only if its own parent
    /// restarts it. A wait in the initialisation (with [`ipc`]) also makes the blocked caller
    /// inactive. A server that is not passive can call [`ipc::reply_without_words`] before that
    /// wait.
    fn restart_reply(&self) -> Option<RestartReply> {
        None
    }
}

/// The first four words of a message. The kernel transfers these words in CPU registers.
pub type FastWords = [MessageRegisterValue; sel4::NUM_FAST_MESSAGE_REGISTERS];

/// Implements [`Handler::protected_with_mrs`] with [`Handler::protected`].
///
/// This function stores the words into the message registers, calls the handler, and then loads the
/// reply's words.
///
/// # Errors
///
/// Returns the error of the handler.
///
/// # Panics
///
/// Panics inside a borrow of the message registers.
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

/// Runs the event loop.
///
/// Only [`run_main`](crate::_private::run_main) calls this function, and calls it only once. If a
/// handler ran an inner event loop, the outer loop would reply to an event that the inner loop has
/// received (K-2).
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

/// Replies if the event was a call or a fault, runs deferred work, and waits for the next event.
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
/// returns that context. So the reply and the wait must be one system call. After a separate reply,
/// the server would have no scheduling context, and would never reach its wait.
#[cold]
#[inline(never)]
fn reply_after_restart(reply: RestartReply, deferred: Option<Prepared>) -> Received {
    // K-2: the reply has no words. The blocked thread may also be a child with an unanswered fault.
    reply_and_wait(reply.message(), FastWords::default(), deferred)
}

/// Acknowledges every IRQ. seL4 masks an IRQ until it is acknowledged. An IRQ that arrives before
/// the PD can receive IRQs would otherwise stay masked forever.
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

/// Runs the deferred action, if any, and waits for an event.
#[inline(always)]
fn wait(deferred: Option<Prepared>) -> Received {
    match deferred {
        None => ipc::recv_with_mrs(),
        Some(action) => ipc::nb_send_recv_with_mrs(&action),
    }
}

/// Runs the deferred action, if any, replies, and waits for an event.
#[inline(always)]
fn reply_and_wait(reply: MessageInfo, words: FastWords, deferred: Option<Prepared>) -> Received {
    // No single system call can send, reply and receive.
    if let Some(action) = deferred {
        ipc::send(&action);
    }
    ipc::reply_recv_with_mrs(reply, words)
}

/// Reads the first four message registers.
#[inline(always)]
fn load() -> FastWords {
    with_msg_regs(|registers| core::array::from_fn(|index| registers[index]))
}

/// Writes the first four message registers.
#[inline(always)]
fn store(words: FastWords) {
    with_msg_regs_mut(|registers| registers[..words.len()].copy_from_slice(&words));
}

/// Panics, because the words of this reply to a fault would become registers of the child (K-2).
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

/// A handler for a PD that only initialises and receives no events.
///
/// The handler panics on every event.
#[derive(Debug, Default)]
pub struct NullHandler(());

impl NullHandler {
    /// Makes the handler.
    pub const fn new() -> Self {
        Self(())
    }
}

impl Handler for NullHandler {
    type Error = Infallible;
}

/// Uninhabited: the handler of a PD whose initialisation never returns.
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
