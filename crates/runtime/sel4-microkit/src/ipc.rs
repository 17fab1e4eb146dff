//! Receives events without the event loop, for other event loops and for waits inside a handler.
//!
//! A PD has one reply object, for calls and for faults of its children. The words of a reply to a
//! call are only data. The words of a reply to a fault become registers of the child. So code that
//! receives calls and faults must track whether a reply answers a call or a fault. Functions that
//! leave this check to their caller are `unsafe`. `docs/soundness/capabilities.md` explains the
//! rules K-1 to K-6 of the SAFETY comments.
//!
//! ```
//! use sel4_microkit::{Channel, ChannelSet, ipc};
//!
//! const DISK: Channel = Channel::new(2);
//!
//! /// Waits for the disk within an entry point, and keeps other notifications for later.
//! fn wait_for_disk(later: &mut ChannelSet) {
//!     ipc::wait_for(DISK, later);
//! }
//! ```

use core::fmt;

use microkit_abi::badge::Origin;
use microkit_abi::slots;

use crate::defer::Prepared;
use crate::{Channel, Child, FastWords, MessageInfo, MessageLabel};

// SAFETY: K-1. This module only receives from this endpoint, and never sends to this endpoint.
const INPUT: sel4::cap::Endpoint = unsafe { sel4::Cap::from_bits(slots::INPUT) };
// SAFETY: K-1. This capability stays private to this module. By K-2, the words of a reply that this
// module sends do not become registers of a child.
const REPLY: sel4::cap::Reply = unsafe { sel4::Cap::from_bits(slots::REPLY) };

/// An event of a protection domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Channels were notified, or IRQs have arrived.
    Notified(ChannelSet),
    /// The protected procedure was called. The message registers hold the words of the call.
    Protected(Channel, MessageInfo),
    /// A child has faulted. The message registers hold the words of the fault.
    Fault(Child, MessageInfo),
}

impl Event {
    /// Decodes a received message.
    #[inline]
    pub(crate) fn new(info: sel4::MessageInfo, badge: sel4::Badge) -> Self {
        match Origin::from_badge(badge) {
            Origin::Call { channel } => {
                Self::Protected(Channel::of_badge(channel), MessageInfo::from_inner(info))
            }
            Origin::Fault { child } => {
                Self::Fault(Child::of_badge(child), MessageInfo::from_inner(info))
            }
            Origin::Notifications(bits) => Self::Notified(ChannelSet(bits)),
        }
    }
}

/// Receives an event without the event loop.
///
/// Inside a handler, use the safe function [`wait_for`] instead.
///
/// **Blocking:** until an event arrives.
///
/// # Panics
///
/// Panics inside a borrow of the message registers.
///
/// # Safety
///
/// The next reply that this module or the event loop sends answers this event. If the event is a
/// fault, that reply must have no words, unless the child's program is sound with the registers
/// that the words set.
#[inline]
#[track_caller]
pub unsafe fn recv() -> Event {
    receive()
}

#[inline]
#[track_caller]
fn receive() -> Event {
    let (info, badge) = INPUT.recv(REPLY);
    Event::new(info, badge)
}

/// Replies to the last call or fault, and receives an event, in one system call.
///
/// **Blocking:** until an event arrives.
///
/// # Panics
///
/// Panics inside a borrow of the message registers.
///
/// # Safety
///
/// The requirements of [`reply`] and of [`recv`] apply.
#[inline]
#[track_caller]
pub unsafe fn reply_recv(msg_info: MessageInfo) -> Event {
    let (info, badge) = INPUT.reply_recv(msg_info.into_inner(), REPLY);
    Event::new(info, badge)
}

/// Replies to the last call or fault.
///
/// **Blocking:** never.
///
/// # Panics
///
/// Panics inside a borrow of the message registers.
///
/// # Safety
///
/// If the reply answers a fault, the message must have no words, unless the child's program is
/// sound with the registers that the words set (seL4 manual, *Faults*).
#[inline]
#[track_caller]
pub unsafe fn reply(msg_info: MessageInfo) {
    send_reply(msg_info);
}

/// Replies to the last call or fault with a label and no words.
///
/// The kernel then drops the reply that the handler returns.
///
/// **Blocking:** never.
///
/// # Panics
///
/// Panics inside a borrow of the message registers.
#[inline]
#[track_caller]
pub fn reply_without_words(label: MessageLabel) {
    // K-2: the reply has no words.
    send_reply(MessageInfo::new(label, 0));
}

/// Replies as [`reply`] does. The caller ensures K-2.
#[inline]
#[track_caller]
pub(crate) fn send_reply(msg_info: MessageInfo) {
    REPLY.send(msg_info.into_inner());
}

/// Waits within an entry point until `channel` is notified.
///
/// If other channels are notified during the wait, this function adds them to `others`.
///
/// **Blocking:** until the notification arrives.
///
/// # Panics
///
/// Panics if a call or a fault arrives, because this function cannot reply. Also panics inside a
/// borrow of the message registers.
#[track_caller]
pub fn wait_for(channel: Channel, others: &mut ChannelSet) {
    loop {
        let channels = notified(format_args!("channel {}", channel.index()));
        others.extend(channels.iter().filter(|other| *other != channel));
        if channels.contains(channel) {
            return;
        }
    }
}

/// Waits within an entry point until any channel is notified.
///
/// `what` names the awaited notification in the panic message.
///
/// **Blocking:** until the notification arrives.
///
/// # Panics
///
/// Panics if a call or a fault arrives, because this function cannot reply. Also panics inside a
/// borrow of the message registers.
#[track_caller]
pub fn wait(what: &str) -> ChannelSet {
    notified(format_args!("{what}"))
}

#[track_caller]
fn notified(what: fmt::Arguments<'_>) -> ChannelSet {
    // K-2: no reply follows a call or a fault, because a call or a fault stops this program.
    match receive() {
        Event::Notified(channels) => channels,
        other => panic!(
            "while {what} was waited for, {other:?} came, which only the event loop can answer"
        ),
    }
}

/// A received message, still in CPU registers.
///
/// Event loops use this type instead of [`Event`], because the compiler would build an `Event` in
/// memory.
pub(crate) type Received = sel4::RecvWithMRs;

/// Receives as [`recv`] does, with the words in CPU registers.
#[inline]
pub(crate) fn recv_with_mrs() -> Received {
    INPUT.recv_with_mrs(REPLY)
}

/// Replies and receives as [`reply_recv`] does, with the words in CPU registers.
#[inline]
pub(crate) fn reply_recv_with_mrs(msg_info: MessageInfo, words: FastWords) -> Received {
    let info = msg_info.into_inner();
    INPUT.reply_recv_with_mrs(info, words, REPLY)
}

/// Runs a deferred action and receives an event, in one system call.
#[inline]
pub(crate) fn nb_send_recv_with_mrs(action: &Prepared) -> Received {
    let Prepared { cap, info } = action;
    // SAFETY: 1. K-4: the action notifies, acknowledges an IRQ, or sends to the monitor.
    // 2. K-2, as for `recv_with_mrs`.
    unsafe { cap.nb_send_recv_with_mrs(*info, [], INPUT, REPLY) }
}

/// Runs a deferred action.
#[inline]
pub(crate) fn send(action: &Prepared) {
    // SAFETY: K-4.
    unsafe { action.cap.send_with_mrs(action.info, []) };
}

/// Returns the message for the monitor which reports that the initialisation of this passive PD has
/// ended. The monitor then unbinds the PD's scheduling context.
pub(crate) fn forfeit_scheduling_context() -> Prepared {
    Prepared {
        // SAFETY: a capability pointer of the type `Unspecified` is allowed for any slot.
        cap: unsafe { sel4::Cap::from_bits(slots::MONITOR_ENDPOINT) },
        info: sel4::MessageInfo::new(0, 0, 0, 0),
    }
}

/// A set of channels.
///
/// ```
/// use sel4_microkit::{Channel, ChannelSet};
///
/// let set: ChannelSet = [Channel::new(3), Channel::new(0)].into_iter().collect();
/// assert!(set.contains(Channel::new(3)));
/// assert_eq!(set.to_string(), "{0, 3}");
/// ```
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelSet(sel4::Badge);

impl ChannelSet {
    pub(crate) const fn from_bits(bits: sel4::Badge) -> Self {
        Self(bits)
    }

    /// Returns whether `channel` is in the set.
    #[inline]
    pub const fn contains(&self, channel: Channel) -> bool {
        self.0 & (1 << channel.index()) != 0
    }

    /// Returns whether the set is empty.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.0 & ALL == 0
    }

    /// Returns the channels, from the lowest identifier.
    #[inline]
    pub const fn iter(&self) -> ChannelSetIter {
        ChannelSetIter(self.0 & ALL)
    }

    /// Returns the set as text, such as `{0, 3}`.
    pub const fn display(&self) -> DisplayChannelSet<'_> {
        DisplayChannelSet(self)
    }
}

/// The bits of a badge that represent channels.
const ALL: sel4::Badge = (1 << (microkit_abi::limits::MAX_CHANNEL_ID + 1)) - 1;

impl IntoIterator for ChannelSet {
    type Item = Channel;
    type IntoIter = ChannelSetIter;

    fn into_iter(self) -> ChannelSetIter {
        self.iter()
    }
}

impl Extend<Channel> for ChannelSet {
    fn extend<I: IntoIterator<Item = Channel>>(&mut self, channels: I) {
        for channel in channels {
            self.0 |= 1 << channel.index();
        }
    }
}

impl FromIterator<Channel> for ChannelSet {
    fn from_iter<I: IntoIterator<Item = Channel>>(channels: I) -> Self {
        let mut set = Self::default();
        set.extend(channels);
        set
    }
}

impl fmt::Display for ChannelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display().fmt(f)
    }
}

/// An iterator over the channels of a [`ChannelSet`], from the lowest identifier.
#[derive(Debug, Clone)]
pub struct ChannelSetIter(sel4::Badge);

impl Iterator for ChannelSetIter {
    type Item = Channel;

    #[inline]
    fn next(&mut self) -> Option<Channel> {
        if self.0 == 0 {
            return None;
        }
        let index = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        Some(Channel::new(index as usize))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = self.0.count_ones() as usize;
        (count, Some(count))
    }
}

impl ExactSizeIterator for ChannelSetIter {}

/// The text of a [`ChannelSet`], from [`ChannelSet::display`].
#[derive(Debug)]
pub struct DisplayChannelSet<'a>(&'a ChannelSet);

impl fmt::Display for DisplayChannelSet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (position, channel) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{}", channel.index())?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn a_badge_decodes_to_its_kind_of_event() {
        let info = sel4::MessageInfo::new(9, 0, 0, 2);
        let check = |badge, expect| assert_eq!(Event::new(info, badge), expect);
        let message = || MessageInfo::new(9, 2);
        check(0b1010, Event::Notified(ChannelSet(0b1010)));
        check(1 << 63, Event::Protected(Channel::new(0), message()));
        check(1 << 63 | 61, Event::Protected(Channel::new(61), message()));
        check(1 << 62, Event::Fault(Child::new(0), message()));
        check(1 << 62 | 17, Event::Fault(Child::new(17), message()));
    }

    #[test]
    fn a_set_gives_each_channel_once_and_in_order() {
        let check = |bits: u64, expect: &[usize], shown: &str| {
            let set = ChannelSet(bits);
            let indexes: Vec<usize> = set.iter().map(|channel| channel.index()).collect();
            assert_eq!(indexes, expect);
            assert_eq!(set.iter().len(), expect.len());
            assert!(
                expect
                    .iter()
                    .all(|&index| set.contains(Channel::new(index)))
            );
            assert_eq!(set.to_string(), shown);
            assert_eq!(set.iter().collect::<ChannelSet>(), set);
            assert_eq!(set.is_empty(), expect.is_empty());
        };
        check(0, &[], "{}");
        check(1, &[0], "{0}");
        check(1 << 61 | 0b1001, &[0, 3, 61], "{0, 3, 61}");
    }

    #[test]
    fn bits_beyond_the_channels_are_ignored() {
        assert_eq!(ChannelSet(!0).iter().len(), 62);
    }
}
