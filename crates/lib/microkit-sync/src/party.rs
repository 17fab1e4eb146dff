//! The parties that share locks, and the trait for notifications between parties.

use crate::peers::Peers;

/// The number of a party. A party is one of the protection domains (PDs) that share an arena.
///
/// All parties must use the same numbering.
///
/// ```
/// use microkit_sync::PartyId;
///
/// const PARENT: PartyId = PartyId::new(0);
/// assert_eq!(PARENT.index(), 0);
/// ```
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(u8);

impl PartyId {
    /// The maximum number of parties of an arena.
    pub const COUNT: usize = 16;

    /// Creates the identifier of a party from its number, 0 to 15.
    ///
    /// # Panics
    ///
    /// Panics if the number is above 15.
    pub const fn new(index: usize) -> Self {
        assert!(
            index < Self::COUNT,
            "the number of a party must be at most 15"
        );
        Self(index as u8)
    }

    /// Returns the number of the party.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) const fn bit(self) -> u16 {
        1 << self.0
    }
}

/// A set of parties.
///
/// ```
/// use microkit_sync::{Members, PartyId};
///
/// let members = Members::NONE.with(PartyId::new(3)).with(PartyId::new(0));
/// assert!(members.contains(PartyId::new(3)));
/// assert!(members.iter().map(PartyId::index).eq([0, 3]));
/// assert!(members.without(PartyId::new(0)).without(PartyId::new(3)).is_empty());
/// ```
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct Members(u16);

impl Members {
    /// The empty set.
    pub const NONE: Self = Self(0);

    pub(crate) const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u16 {
        self.0
    }

    /// Returns the set with this party added.
    #[must_use]
    pub const fn with(self, party: PartyId) -> Self {
        Self(self.0 | party.bit())
    }

    /// Returns the set with this party removed.
    #[must_use]
    pub const fn without(self, party: PartyId) -> Self {
        Self(self.0 & !party.bit())
    }

    /// Returns whether the set contains this party.
    pub const fn contains(self, party: PartyId) -> bool {
        self.0 & party.bit() != 0
    }

    /// Returns whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Iterates over the parties in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = PartyId> {
        (0..PartyId::COUNT as u8)
            .map(PartyId)
            .filter(move |party| self.contains(*party))
    }

    /// Returns the next party after `last`, in circular order.
    pub(crate) fn after(self, last: PartyId) -> Option<PartyId> {
        if self.is_empty() {
            return None;
        }
        let first = last.0 + 1;
        // `turned` has two copies of the set side by side, so a shift implements the circular
        // order.
        let turned = u32::from(self.0) | u32::from(self.0) << PartyId::COUNT;
        let distance = (turned >> first).trailing_zeros() as u8;
        Some(PartyId((first + distance) % PartyId::COUNT as u8))
    }
}

/// Notifies other parties and waits for notifications. A protection domain uses [`Peers`].
///
/// A notification must not get lost: a notification that arrives while the party does not wait ends
/// the next [`wait`](Self::wait). Several notifications may merge into one. A wait may end without
/// a notification. seL4 notification objects behave in this way. Tests implement this trait to run
/// locks on a host.
///
/// ```
/// use microkit_sync::{Arena, Members, Notifier, Party, PartyId};
/// # use sel4_microkit::SharedWord;
/// # let words = [const { SharedWord::new(0) }; 1];
///
/// /// The notifier of a party that shares its locks with nobody.
/// struct Alone;
///
/// impl Notifier for Alone {
///     fn members(&self) -> Members {
///         Members::NONE
///     }
///
///     fn notify(&self, _: PartyId) {}
///
///     fn wait(&self) {
///         unreachable!("nobody else can own the lock");
///     }
/// }
///
/// let party = Party::new(PartyId::new(0), Alone);
/// let mut mutex = Arena::new(&words).mutex(0, 0)?;
/// assert!(mutex.try_lock(&party)?.is_some());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub trait Notifier {
    /// Returns the parties that [`notify`](Self::notify) can reach.
    fn members(&self) -> Members;

    /// Notifies a party.
    fn notify(&self, party: PartyId);

    /// Waits until this party is notified.
    fn wait(&self);
}

/// Represents this PD as a party: the party's number, and the notifier for the other parties.
#[derive(Debug)]
pub struct Party<N = Peers> {
    id: PartyId,
    notifier: N,
}

impl<N: Notifier> Party<N> {
    /// Creates the party `id`, with the notifier for the other parties.
    ///
    /// ```
    /// use microkit_sync::{Party, PartyId, Peers};
    /// use sel4_microkit::Channel;
    ///
    /// const CHANNELS: [(PartyId, Channel); 1] = [(PartyId::new(1), Channel::new(10))];
    ///
    /// let party = Party::new(PartyId::new(0), Peers::new(&CHANNELS));
    /// assert_eq!(party.id(), PartyId::new(0));
    /// ```
    pub const fn new(id: PartyId, notifier: N) -> Self {
        Self { id, notifier }
    }

    /// Returns the number of this party.
    pub const fn id(&self) -> PartyId {
        self.id
    }

    /// Returns the notifier that reaches the other parties.
    pub const fn notifier(&self) -> &N {
        &self.notifier
    }

    pub(crate) fn notify_all(&self, members: Members) {
        members.iter().for_each(|party| self.notify(party));
    }
}

/// Notifies all parties except this party, for [`Arena::recover`](crate::Arena::recover).
impl<N: Notifier> Notifier for Party<N> {
    /// Returns all parties, including this party.
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
    fn the_next_party_is_found_in_circular_order() {
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
