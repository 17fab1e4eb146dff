//! Listeners for notifications.

use core::fmt;
use core::future::poll_fn;
use core::task::Poll;

use sel4_microkit::Channel;

use super::context;

/// Waits for the notifications of a channel. A channel has at most one listener, so that two tasks
/// cannot take notifications from each other.
///
/// A notification stays pending until a task takes it. So a notification that arrives before the
/// wait, or before the listener is created, is not lost. As on seL4, several notifications merge
/// into one.
///
/// The crate page has an example.
#[derive(Debug)]
pub struct Listener {
    channel: Channel,
}

/// The channel already has a listener.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct AlreadyListened(
    /// The channel.
    pub Channel,
);

impl fmt::Display for AlreadyListened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "channel {} has a listener already: let one task listen, and wake the others from there",
            self.0.index()
        )
    }
}

impl core::error::Error for AlreadyListened {}

impl Listener {
    /// Creates the listener of `channel`. Until the listener is dropped, the handler of
    /// [`with_handler`](crate::Tasks::with_handler) does not get the channel's notifications.
    ///
    /// **Rights:** the PD's handler must be [`Tasks`](crate::Tasks).
    ///
    /// # Errors
    ///
    /// Returns [`AlreadyListened`] if the channel already has a listener.
    pub fn new(channel: Channel) -> Result<Self, AlreadyListened> {
        if context::with(|context| context.listen(channel)) {
            Ok(Self { channel })
        } else {
            Err(AlreadyListened(channel))
        }
    }

    /// Waits until the channel is notified, and takes the notification.
    ///
    /// **Cancel safety:** a future that is dropped before it returns has not taken a notification.
    pub fn notified(&mut self) -> impl Future<Output = ()> {
        poll_fn(|task| {
            if self.take() {
                return Poll::Ready(());
            }
            context::with(|context| context.wake_by(self.channel, task.waker()));
            Poll::Pending
        })
    }

    /// Takes a notification without waiting. Returns whether a notification was pending.
    pub fn take(&mut self) -> bool {
        context::with(|context| context.take(self.channel))
    }

    /// Returns the channel.
    pub fn channel(&self) -> Channel {
        self.channel
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        context::with(|context| context.release(self.channel));
    }
}
