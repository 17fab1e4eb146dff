//! Rights to a channel as types, for code that gets a channel from its caller.

use crate::Channel;

/// A channel on which this PD may call.
///
/// [`Channel`] always implements this trait, and a use without the right panics. The types that
/// `microkit_system::system!` generates implement this trait only if the system file grants the
/// right.
///
/// ```
/// use sel4_microkit::{MayCall, MessageInfo};
///
/// fn ping(server: impl MayCall) -> u64 {
///     server.to_call().pp_call(MessageInfo::new(0, 0)).label()
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a channel on which this PD may call",
    label = "this is called"
)]
pub trait MayCall: Copy {
    /// Returns the channel, for a call.
    fn to_call(self) -> Channel;
}

/// A channel on which this PD may notify. [`MayCall`] explains the implementations.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a channel on which this PD may notify",
    label = "this is notified"
)]
pub trait MayNotify: Copy {
    /// Returns the channel, for a notification.
    fn to_notify(self) -> Channel;
}

impl MayCall for Channel {
    #[inline]
    fn to_call(self) -> Channel {
        self
    }
}

impl MayNotify for Channel {
    #[inline]
    fn to_notify(self) -> Channel {
        self
    }
}
