//! The badges of received messages, which identify the sender.
//!
//! The builder badges each capability to a PD's endpoint or notification (*libmicrokit*,
//! *builder*):
//!
//! | capability | badge |
//! | --- | --- |
//! | endpoint of a caller | [`ENDPOINT_BIT`], and the identifier of the channel |
//! | fault endpoint of a child | [`FAULT_BIT`], and the identifier of the child |
//! | notification | one bit, whose number is the identifier of the channel |
//!
//! A notification object collects badges by OR, so one word holds the notifications of all
//! channels.

/// The bit that marks the badge of a call. The low bits hold the identifier of the channel.
pub const ENDPOINT_BIT: u32 = 63;

/// The bit that marks the badge of a fault. The low bits hold the identifier of the child.
pub const FAULT_BIT: u32 = 62;

/// The bits of a fault's badge that hold the child's identifier (`PD_MASK` in *libmicrokit*).
pub const CHILD_MASK: u64 = 0xff;

/// The bits of a call's badge that hold the channel's identifier (`CHANNEL_MASK` in *libmicrokit*).
pub const CHANNEL_MASK: u64 = 0x3f;

/// The origin of a received message.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A protected procedure call on this channel.
    Call {
        /// The identifier of the channel.
        channel: u8,
    },
    /// A fault of this child.
    Fault {
        /// The identifier of the child.
        child: u8,
    },
    /// Notifications. Bit *n* is set if channel *n* was notified since the last receive.
    Notifications(u64),
}

impl Origin {
    /// Decodes a badge as *libmicrokit* does: first by the fault bit, then by the endpoint bit.
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

/// Returns the badge of the endpoint through which the peer of a channel calls a PD. `channel` is
/// the PD's own identifier of the channel.
pub const fn call(channel: u8) -> u64 {
    1 << ENDPOINT_BIT | channel as u64
}

/// Returns the badge of the endpoint that receives the faults of child `child`.
pub const fn fault(child: u8) -> u64 {
    1 << FAULT_BIT | child as u64
}

/// Returns the badge of the notification through which the peer of a channel notifies a PD.
/// `channel` is the PD's own identifier of the channel.
pub const fn notification(channel: u8) -> u64 {
    1 << channel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_badge_of_the_builder_is_decoded() {
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
    fn a_zero_badge_is_an_empty_set_of_notifications() {
        assert_eq!(Origin::from_badge(0), Origin::Notifications(0));
    }
}
