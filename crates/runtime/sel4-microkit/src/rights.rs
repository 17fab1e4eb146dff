//! Rights to a channel as types: for code that is given a channel, and says what it does with it.

use crate::Channel;

/// A channel whose other end may be called.
///
/// [`Channel`] is one whatever the system file says, and is checked when it is used. What
/// `microkit_system::system!` makes of the system file is one only if the file grants it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no channel that may be called",
    label = "this is called"
)]
pub trait MayCall: Copy {
    /// The channel, to be called.
    fn to_call(self) -> Channel;
}

/// A channel whose other end may be notified, as [`MayCall`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no channel that may be notified",
    label = "this is notified"
)]
pub trait MayNotify: Copy {
    /// The channel, to be notified.
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
