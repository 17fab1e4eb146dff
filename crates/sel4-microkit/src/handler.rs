//! The event loop, and what a protection domain implements to be called by it.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::fmt;

pub use core::convert::Infallible;

use crate::defer::{DeferredAction, Prepared};
use crate::ipc::{self, ChannelSet, Event};
use crate::{Channel, Child, MessageInfo, pd_is_passive, symbols};

/// A protection domain: what it does when something happens.
///
/// An error that a method returns stops the protection domain, as a panic does.
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

    /// A child has faulted: [`MessageInfo::fault`] reads how. Returning `None` leaves it stopped;
    /// a message is the reply (seL4 manual, *Faults*), such as [`MessageInfo::fault_reply`] makes.
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

    /// The event loop.
    #[doc(hidden)]
    fn run(&mut self) -> Result<Never, Self::Error> {
        run(self)
    }
}

fn run<H: Handler + ?Sized>(handler: &mut H) -> Result<Never, H::Error> {
    // Interrupts that came before the PD could take them would not come again: seL4 masks an
    // interrupt until it is acknowledged.
    for channel in symbols::irq_channels() {
        if let Err(error) = channel.irq_ack() {
            panic!("channel {}: {error}", channel.index());
        }
    }

    let mut reply = None;
    let mut deferred = handler.take_deferred_action().map(DeferredAction::prepare);
    if pd_is_passive() {
        send_now(&mut deferred);
        deferred = Some(ipc::forfeit_scheduling_context());
    }
    loop {
        let event = match (reply.take(), deferred.take()) {
            (None, None) => ipc::recv(),
            (None, Some(action)) => ipc::nb_send_recv(&action),
            (Some(message), None) => ipc::reply_recv(message),
            // There is no system call that sends, replies and receives.
            (Some(message), Some(action)) => {
                ipc::send(&action);
                ipc::reply_recv(message)
            }
        };
        match event {
            Event::Notified(channels) => handler.notified(channels)?,
            Event::Protected(channel, info) => reply = Some(handler.protected(channel, info)?),
            Event::Fault(child, info) => reply = handler.fault(child, info)?,
        }
        deferred = handler.take_deferred_action().map(DeferredAction::prepare);
    }
}

fn send_now(deferred: &mut Option<Prepared>) {
    if let Some(action) = deferred.take() {
        ipc::send(&action);
    }
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

    fn run(&mut self) -> Result<Never, Self::Error> {
        (**self).run()
    }
}
