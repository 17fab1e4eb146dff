//! Deferred actions: notifications and acknowledgements that are sent in the system call of the
//! next wait.

use crate::{Channel, IrqAckError};

/// A notification or an acknowledgement that is deferred to the end of the entry point.
///
/// [`Handler::take_deferred_action`](crate::Handler::take_deferred_action) returns the action, and
/// the event loop joins the action with the wait for the next event.
///
/// ```
/// use sel4_microkit::{
///     Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, IrqAckError,
/// };
///
/// const IRQ: Channel = Channel::new(0);
///
/// #[derive(Default)]
/// struct Driver {
///     deferred: DeferredActionSlot,
/// }
///
/// impl Handler for Driver {
///     type Error = IrqAckError;
///
///     fn notified(&mut self, channels: ChannelSet) -> Result<(), IrqAckError> {
///         if channels.contains(IRQ) {
///             self.deferred.defer_irq_ack(IRQ)?;
///         }
///         Ok(())
///     }
///
///     fn take_deferred_action(&mut self) -> Option<DeferredAction> {
///         self.deferred.take()
///     }
/// }
/// ```
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct DeferredAction {
    channel: Channel,
    interface: DeferredActionInterface,
}

/// The kind of a deferred action.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[repr(u8)]
pub enum DeferredActionInterface {
    /// Calls [`Channel::notify`].
    Notify = 1, // Not 0: a zero byte means that the slot is empty.
    /// Calls [`Channel::irq_ack`].
    IrqAck,
}

impl DeferredAction {
    /// Makes a deferred action on `channel`.
    pub const fn new(channel: Channel, interface: DeferredActionInterface) -> Self {
        Self { channel, interface }
    }

    /// Makes a deferred notification.
    pub const fn new_notify(channel: Channel) -> Self {
        Self::new(channel, DeferredActionInterface::Notify)
    }

    /// Makes a deferred acknowledgement.
    pub const fn new_irq_ack(channel: Channel) -> Self {
        Self::new(channel, DeferredActionInterface::IrqAck)
    }

    /// Returns the channel.
    pub const fn channel(&self) -> Channel {
        self.channel
    }

    /// Returns the kind.
    pub const fn interface(&self) -> DeferredActionInterface {
        self.interface
    }

    /// Runs the action now.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Channel::irq_ack`].
    ///
    /// # Panics
    ///
    /// Panics in the same cases as [`Channel::notify`] and [`Channel::irq_ack`].
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

    /// Returns the message that runs the action, and the capability through which to send this
    /// message.
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

/// A message that is sent with the wait for the next event.
pub(crate) struct Prepared {
    pub(crate) cap: sel4::cap::Unspecified,
    pub(crate) info: sel4::MessageInfo,
}

/// Stores one deferred action in a handler.
///
/// If a second action is deferred, the first action runs at once, so no action is lost.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DeferredActionSlot {
    inner: Option<DeferredAction>,
}

impl DeferredActionSlot {
    /// Makes an empty slot.
    pub const fn new() -> Self {
        Self { inner: None }
    }

    /// Takes the action out of the slot.
    #[inline]
    pub const fn take(&mut self) -> Option<DeferredAction> {
        // The event loop calls `take` after each event, so `take` writes only if the slot has an
        // action.
        match self.inner {
            None => None,
            Some(action) => {
                self.inner = None;
                Some(action)
            }
        }
    }

    /// Defers an action. If the slot already has an action, the earlier action runs now.
    ///
    /// # Errors
    ///
    /// Returns the error of an earlier action that runs now.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as [`DeferredAction::execute_now`], if an earlier action runs now.
    #[track_caller]
    pub fn defer(&mut self, action: DeferredAction) -> Result<(), IrqAckError> {
        match self.inner.replace(action) {
            Some(earlier) => earlier.execute_now(),
            None => Ok(()),
        }
    }

    /// Defers a notification, as [`defer`](Self::defer) does.
    ///
    /// # Errors
    ///
    /// Returns the error of an earlier action that runs now.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as [`DeferredAction::execute_now`], if an earlier action runs now.
    #[track_caller]
    pub fn defer_notify(&mut self, channel: Channel) -> Result<(), IrqAckError> {
        self.defer(DeferredAction::new_notify(channel))
    }

    /// Defers an acknowledgement, as [`defer`](Self::defer) does.
    ///
    /// # Errors
    ///
    /// Returns the error of an earlier action that runs now.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as [`DeferredAction::execute_now`], if an earlier action runs now.
    #[track_caller]
    pub fn defer_irq_ack(&mut self, channel: Channel) -> Result<(), IrqAckError> {
        self.defer(DeferredAction::new_irq_ack(channel))
    }
}
