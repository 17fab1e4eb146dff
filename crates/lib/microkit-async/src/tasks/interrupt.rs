//! Waiting for interrupts.

use sel4_microkit::{Channel, IrqAckError};

use crate::{AlreadyListened, Listener};

/// The one who waits for an interrupt.
///
/// seL4 masks an interrupt from when it comes until it is acknowledged.
#[derive(Debug)]
pub struct Interrupt {
    listener: Listener,
}

impl Interrupt {
    /// Waits for the interrupt that `channel` is.
    ///
    /// **Needs:** an `<irq>` with this `id`.
    /// **Errors:** somebody listens to it already.
    pub fn new(channel: Channel) -> Result<Self, AlreadyListened> {
        Listener::new(channel).map(|listener| Self { listener })
    }

    /// Waits until it comes. It does not come again before it is [acknowledged](Self::acknowledge).
    ///
    /// **Cancel safety:** it is taken in the moment in which this returns. Dropped before, it has taken
    /// nothing.
    pub async fn raised(&mut self) {
        self.listener.notified().await;
    }

    /// Lets it come again, when its cause is gone.
    ///
    /// **Blocks:** never.
    /// **Errors:** as [`Channel::irq_ack`]. **Panics:** if the channel is no interrupt.
    pub fn acknowledge(&self) -> Result<(), IrqAckError> {
        self.listener.channel().irq_ack()
    }
}
