//! Waiting for notifications.

use core::fmt;
use core::future::poll_fn;
use core::task::Poll;

use sel4_microkit::Channel;

use super::context;

/// The one who waits for the notifications of a channel. There is one for each channel at a time, so
/// that no two tasks take them from each other.
///
/// A notification stays until it is taken: one that came before it was waited for, or before there was a
/// listener, is not lost. As on seL4, several are one.
#[derive(Debug)]
pub struct Listener {
    channel: Channel,
}

/// Somebody listens to the channel.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct AlreadyListened(
    /// Which channel.
    pub Channel,
);

impl fmt::Display for AlreadyListened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "channel {} has a listener already: let one task listen, and tell the others",
            self.0.index()
        )
    }
}

impl core::error::Error for AlreadyListened {}

impl Listener {
    /// Listens to `channel`, until it is dropped. The handler beside the tasks is told no more of its
    /// notifications.
    ///
    /// **Needs:** a handler that is [`Tasks`](crate::Tasks).
    /// **Errors:** somebody listens to it already.
    pub fn new(channel: Channel) -> Result<Self, AlreadyListened> {
        if context::with(|context| context.listen(channel)) {
            Ok(Self { channel })
        } else {
            Err(AlreadyListened(channel))
        }
    }

    /// Waits until the channel is notified, and takes that.
    ///
    /// **Cancel safety:** a notification is taken in the moment in which this returns. Dropped before,
    /// it has taken nothing.
    pub fn notified(&mut self) -> impl Future<Output = ()> {
        poll_fn(|task| {
            if self.take() {
                return Poll::Ready(());
            }
            context::with(|context| context.wake_by(self.channel, task.waker()));
            Poll::Pending
        })
    }

    /// Takes a notification, if there is one, without waiting.
    pub fn take(&mut self) -> bool {
        context::with(|context| context.take(self.channel))
    }

    /// The channel.
    pub fn channel(&self) -> Channel {
        self.channel
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        context::with(|context| context.release(self.channel));
    }
}
