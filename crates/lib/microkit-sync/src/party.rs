//! Who shares a lock, and how they wake each other.

use crate::peers::Peers;

/// A party of an arena: one protection domain, by a number that all give it.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(u8);

impl PartyId {
    /// How many parties an arena can have.
    pub const COUNT: usize = 16;

    /// The party with this number, from 0 to 15.
    ///
    /// # Panics
    ///
    /// If the number is above 15.
    pub const fn new(index: usize) -> Self {
        assert!(index < Self::COUNT, "a party's number is at most 15");
        Self(index as u8)
    }

    /// Its number.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) const fn bit(self) -> u16 {
        1 << self.0
    }
}

/// A set of parties.
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct Members(u16);

impl Members {
    /// None.
    pub const NONE: Self = Self(0);

    pub(crate) const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u16 {
        self.0
    }

    /// These, and one more.
    #[must_use]
    pub const fn with(self, party: PartyId) -> Self {
        Self(self.0 | party.bit())
    }

    /// These without this one.
    #[must_use]
    pub const fn without(self, party: PartyId) -> Self {
        Self(self.0 & !party.bit())
    }

    /// Whether this one is among them.
    pub const fn contains(self, party: PartyId) -> bool {
        self.0 & party.bit() != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The parties, from the lowest number.
    pub fn iter(self) -> impl Iterator<Item = PartyId> {
        (0..PartyId::COUNT as u8)
            .map(PartyId)
            .filter(move |party| self.contains(*party))
    }

    /// The next one after `last`, in a circle.
    pub(crate) fn after(self, last: PartyId) -> Option<PartyId> {
        if self.is_empty() {
            return None;
        }
        let first = last.0 + 1;
        let turned = u32::from(self.0) | u32::from(self.0) << PartyId::COUNT;
        let distance = (turned >> first).trailing_zeros() as u8;
        Some(PartyId((first + distance) % PartyId::COUNT as u8))
    }
}

/// How a party wakes others, and waits to be woken: [`Peers`] in a protection domain.
///
/// A notification must not get lost: one that comes while nobody waits ends the next
/// [`wait`](Self::wait). Several may be one, and there may be too many.
pub trait Notifier {
    /// All that [`notify`](Self::notify) can reach.
    fn members(&self) -> Members;

    /// Wakes a party.
    fn notify(&self, party: PartyId);

    /// Waits until somebody wakes this party.
    fn wait(&self);
}

/// A party as it sees itself: its number, and how it wakes the others.
#[derive(Debug)]
pub struct Party<N = Peers> {
    id: PartyId,
    notifier: N,
}

impl<N: Notifier> Party<N> {
    /// The party `id`, which wakes the others by `notifier`.
    pub const fn new(id: PartyId, notifier: N) -> Self {
        Self { id, notifier }
    }

    /// Its number.
    pub const fn id(&self) -> PartyId {
        self.id
    }

    /// How it wakes the others.
    pub const fn notifier(&self) -> &N {
        &self.notifier
    }

    pub(crate) fn notify_all(&self, members: Members) {
        members.iter().for_each(|party| self.notify(party));
    }
}

/// What a party does that recovers: it wakes all but itself.
impl<N: Notifier> Notifier for Party<N> {
    /// All parties, and this one.
    fn members(&self) -> Members {
        self.notifier.members().with(self.id)
    }

    fn notify(&self, party: PartyId) {
        if party != self.id {
            self.notifier.notify(party);
        }
    }

    fn wait(&self) {
        self.notifier.wait();
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn the_next_is_found_in_a_circle() {
        let check = |bits, last, expect: Option<usize>| {
            let next = Members(bits).after(PartyId::new(last));
            assert_eq!(next.map(PartyId::index), expect);
        };
        check(0, 3, None);
        check(1 << 3, 3, Some(3));
        check(1 << 3 | 1 << 5, 3, Some(5));
        check(1 << 3 | 1 << 5, 5, Some(3));
        check(1, 15, Some(0));
        check(1 << 15, 15, Some(15));
        check(u16::MAX, 15, Some(0));
        check(u16::MAX, 0, Some(1));
    }
}
