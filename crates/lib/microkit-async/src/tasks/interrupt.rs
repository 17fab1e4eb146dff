//! Listeners for interrupts.

use sel4_microkit::{Channel, IrqAckError};

use crate::{AlreadyListened, Listener};

/// Waits for an interrupt (IRQ).
///
/// seL4 masks an IRQ from its arrival until the IRQ is acknowledged.
///
/// # Examples
///
/// ```no_run
/// use microkit_async::Interrupt;
/// use sel4_microkit::Channel;
///
/// async fn drive() {
///     let mut irq = Interrupt::new(Channel::new(0)).expect("there is no other listener");
///     loop {
///         irq.raised().await;
///         // … handle the device, which clears the cause …
///         irq.acknowledge().expect("the channel is an IRQ");
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Interrupt {
    listener: Listener,
}

impl Interrupt {
    /// Creates the listener of the IRQ with the identifier `channel`.
    ///
    /// **Rights:** an `<irq>` with this `id`.
    ///
    /// # Errors
    ///
    /// Returns [`AlreadyListened`] if the channel already has a listener.
    pub fn new(channel: Channel) -> Result<Self, AlreadyListened> {
        Listener::new(channel).map(|listener| Self { listener })
    }

    /// Waits until the IRQ arrives. After that, the IRQ stays masked until the program
    /// [acknowledges](Self::acknowledge) the IRQ.
    ///
    /// **Cancel safety:** a future that is dropped before it returns has not taken a notification.
    pub async fn raised(&mut self) {
        self.listener.notified().await;
    }

    /// Acknowledges the IRQ, so that seL4 unmasks the IRQ. First clear the cause in the device.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Channel::irq_ack`].
    ///
    /// # Panics
    ///
    /// Panics if the channel is not an IRQ.
    pub fn acknowledge(&self) -> Result<(), IrqAckError> {
        self.listener.channel().irq_ack()
    }
}
