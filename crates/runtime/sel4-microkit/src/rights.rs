//! Rights to a channel as types, for code that gets a channel from its caller.

use crate::Channel;

/// A channel on which this PD may call.
///
/// [`Channel`] implements it whatever the system file says, and is checked when it is used. A type
/// that `microkit_system::system!` makes of the system file implements it only if the file grants
/// the right.
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

/// A channel on which this PD may notify, as [`MayCall`].
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
