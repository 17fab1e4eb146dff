//! What the badge of a received message says about who sent it.
//!
//! The builder badges each capability to a PD's endpoint or notification (libmicrokit's event
//! loop and *builder*): a caller's endpoint has [`ENDPOINT_BIT`] and the channel's identifier, a
//! child's fault endpoint has [`FAULT_BIT`] and the child's identifier, and a notification has
//! the one bit whose number is the channel's identifier, so that notifications merge by OR.

/// Set in the badge of a protected procedure call; the low bits are the channel.
pub const ENDPOINT_BIT: u32 = 63;

/// Set in the badge of a fault; the low bits are the child.
pub const FAULT_BIT: u32 = 62;

/// The bits of a fault's badge that hold the child's identifier. `PD_MASK` in libmicrokit.
pub const CHILD_MASK: u64 = 0xff;

/// The bits of a call's badge that hold the channel's identifier. `CHANNEL_MASK` in libmicrokit.
pub const CHANNEL_MASK: u64 = 0x3f;

/// Who a badge says has sent the message.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A protected procedure call on this channel.
    Call {
        /// The channel's identifier.
        channel: u8,
    },
    /// A fault of this child.
    Fault {
        /// The child's identifier.
        child: u8,
    },
    /// Notifications: bit *n* is set if channel *n* was notified since the last receive.
    Notifications(u64),
}

impl Origin {
    /// Reads a badge as libmicrokit does: a fault before a call before notifications.
    ///
    /// ```
    /// use microkit_abi::badge::Origin;
    ///
    /// assert_eq!(Origin::from_badge(1 << 63 | 3), Origin::Call { channel: 3 });
    /// assert_eq!(Origin::from_badge(1 << 62 | 1), Origin::Fault { child: 1 });
    /// assert_eq!(Origin::from_badge(0b101), Origin::Notifications(0b101));
    /// ```
    #[inline]
    pub const fn from_badge(badge: u64) -> Self {
        if badge & (1 << FAULT_BIT) != 0 {
            Self::Fault {
                child: (badge & CHILD_MASK) as u8,
            }
        } else if badge & (1 << ENDPOINT_BIT) != 0 {
            Self::Call {
                channel: (badge & CHANNEL_MASK) as u8,
            }
        } else {
            Self::Notifications(badge)
        }
    }
}

/// The badge of the endpoint through which the other end of a channel calls a PD whose own
/// identifier for that channel is `channel`.
pub const fn call(channel: u8) -> u64 {
    1 << ENDPOINT_BIT | channel as u64
}

/// The badge of the endpoint to which the faults of child `child` go.
pub const fn fault(child: u8) -> u64 {
    1 << FAULT_BIT | child as u64
}

/// The badge of the notification through which the other end of a channel notifies a PD whose own
/// identifier for that channel is `channel`.
pub const fn notification(channel: u8) -> u64 {
    1 << channel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_badge_that_the_builder_makes_is_read_back() {
        for id in 0..=crate::limits::MAX_CHANNEL_ID as u8 {
            assert_eq!(Origin::from_badge(call(id)), Origin::Call { channel: id });
            assert_eq!(Origin::from_badge(fault(id)), Origin::Fault { child: id });
            assert_eq!(
                Origin::from_badge(notification(id)),
                Origin::Notifications(1 << id)
            );
        }
    }

    #[test]
    fn notifications_of_all_channels_are_neither_a_call_nor_a_fault() {
        let all = (0..=crate::limits::MAX_CHANNEL_ID as u8)
            .map(notification)
            .fold(0, |a, b| a | b);
        assert_eq!(Origin::from_badge(all), Origin::Notifications(all));
    }

    #[test]
    fn no_notification_at_all_is_an_empty_set() {
        assert_eq!(Origin::from_badge(0), Origin::Notifications(0));
    }
}
