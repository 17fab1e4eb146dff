//! Actions put off to the end of an entry point, where they cost no system call of their own.

use crate::{Channel, IrqAckError};

/// A notification or an acknowledgement, put off.
///
/// A handler returns it from [`Handler::take_deferred_action`](crate::Handler::take_deferred_action),
/// and the event loop joins it with the wait for the next event.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct DeferredAction {
    channel: Channel,
    interface: DeferredActionInterface,
}

/// What can be put off.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[repr(u8)]
pub enum DeferredActionInterface {
    /// [`Channel::notify`].
    Notify = 1, // Not 0, which is left to say that there is no action.
    /// [`Channel::irq_ack`].
    IrqAck,
}

impl DeferredAction {
    /// Puts off an action on `channel`.
    pub const fn new(channel: Channel, interface: DeferredActionInterface) -> Self {
        Self { channel, interface }
    }

    /// Puts off a notification.
    pub const fn new_notify(channel: Channel) -> Self {
        Self::new(channel, DeferredActionInterface::Notify)
    }

    /// Puts off an acknowledgement.
    pub const fn new_irq_ack(channel: Channel) -> Self {
        Self::new(channel, DeferredActionInterface::IrqAck)
    }

    /// Its channel.
    pub const fn channel(&self) -> Channel {
        self.channel
    }

    /// What was put off.
    pub const fn interface(&self) -> DeferredActionInterface {
        self.interface
    }

    /// Does it now.
    ///
    /// **Errors and panics:** as [`Channel::notify`] and [`Channel::irq_ack`].
    #[track_caller]
    pub fn execute_now(self) -> Result<(), IrqAckError> {
        match self.interface {
            DeferredActionInterface::Notify => {
                self.channel.notify();
                Ok(())
            }
            DeferredActionInterface::IrqAck => self.channel.irq_ack(),
        }
    }

    /// The message that does it, and whom to send it to.
    #[inline]
    pub(crate) fn prepare(self) -> Prepared {
        let (cap, label) = match self.interface {
            DeferredActionInterface::Notify => (self.channel.notification().upcast(), 0),
            DeferredActionInterface::IrqAck => (
                self.channel.irq_handler().upcast(),
                sel4::sys::invocation::IRQAckIRQ,
            ),
        };
        Prepared {
            cap,
            info: sel4::MessageInfo::new(label, 0, 0, 0),
        }
    }
}

/// A message to be sent with the wait for the next event.
pub(crate) struct Prepared {
    pub(crate) cap: sel4::cap::Unspecified,
    pub(crate) info: sel4::MessageInfo,
}

/// A place for one action, to be kept in a handler.
///
/// Putting off a second one does the first at once: none is ever lost.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DeferredActionSlot {
    inner: Option<DeferredAction>,
}

impl DeferredActionSlot {
    /// An empty place.
    pub const fn new() -> Self {
        Self { inner: None }
    }

    /// Takes the action that was put off.
    #[inline]
    pub const fn take(&mut self) -> Option<DeferredAction> {
        // Writes only if there is one: an event loop asks after each event.
        match self.inner {
            None => None,
            Some(action) => {
                self.inner = None;
                Some(action)
            }
        }
    }

    /// Puts off an action. If there was one already, that one is done now.
    ///
    /// **Errors and panics:** those of the one that is done now.
    #[track_caller]
    pub fn defer(&mut self, action: DeferredAction) -> Result<(), IrqAckError> {
        match self.inner.replace(action) {
            Some(earlier) => earlier.execute_now(),
            None => Ok(()),
        }
    }

    /// Puts off a notification.
    ///
    /// **Errors and panics:** as [`defer`](Self::defer).
    #[track_caller]
    pub fn defer_notify(&mut self, channel: Channel) -> Result<(), IrqAckError> {
        self.defer(DeferredAction::new_notify(channel))
    }

    /// Puts off an acknowledgement.
    ///
    /// **Errors and panics:** as [`defer`](Self::defer).
    #[track_caller]
    pub fn defer_irq_ack(&mut self, channel: Channel) -> Result<(), IrqAckError> {
        self.defer(DeferredAction::new_irq_ack(channel))
    }
}
