//! The server's table of sessions.

use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use heapless::Vec;
use sel4_microkit::{Channel, SharedWord};

use crate::rules::{Rules, Sound};
use crate::{Refused, SessionError, SessionId};

/// The sessions of a server: at most `N`, each with a `T`, which is what the server knows of it.
///
/// A session belongs to the client that has opened it: the channel over which it was opened, in that
/// life of the client. Presented by another, its number is that of no session.
///
/// A `T` is dropped when its session is closed, unless it is handed out.
#[derive(Debug)]
pub struct Sessions<T, const N: usize, R = Sound> {
    /// In the order of their numbers.
    open: Vec<Entry<T>, N>,
    /// The lowest number that no session of any life has had, or less.
    numbers: &'static SharedWord,
    /// The first number of this life.
    first: u64,
    /// The lowest number that no session of this life has had.
    next: u64,
    quota: usize,
    reports: &'static [(Channel, Channel)],
    rules: PhantomData<R>,
}

#[derive(Debug)]
struct Entry<T> {
    number: u64,
    owner: Channel,
    state: T,
}

impl<T, const N: usize> Sessions<T, N> {
    /// None yet. Each client may have at most `quota`: with `quota` times the number of clients at
    /// most `N`, no client can take the room of another.
    ///
    /// `numbers` is a word of a memory region that this PD maps, that begins as zero and that nobody
    /// else writes. A restart leaves it as it is, so that no number is given twice in any life.
    ///
    /// **Blocks:** never.
    pub fn new(numbers: &'static SharedWord, quota: usize) -> Self {
        Self::with_rules(numbers, quota)
    }
}

impl<T, const N: usize, R: Rules> Sessions<T, N, R> {
    pub(crate) fn with_rules(numbers: &'static SharedWord, quota: usize) -> Self {
        let first = match R::NUMBERS_OUTLIVE_THE_SERVER {
            true => numbers.load(Ordering::Relaxed).max(1),
            false => 1,
        };
        Self {
            open: Vec::new(),
            numbers,
            first,
            next: first,
            quota,
            reports: &[],
            rules: PhantomData,
        }
    }

    /// Lets the client of the first channel of each pair report that the client of the second has
    /// come to its end: its parent, as a rule.
    #[must_use]
    pub const fn allow_reports(mut self, reports: &'static [(Channel, Channel)]) -> Self {
        self.reports = reports;
        self
    }

    /// Opens a session for the client of `channel`.
    ///
    /// **Blocks:** never.
    /// **Errors:** `Quota` and `Full`; `state` is dropped then.
    pub fn open(&mut self, channel: Channel, state: T) -> Result<SessionId, Refused> {
        let number = self.take_number(channel)?;
        let place = self.open.partition_point(|entry| entry.number < number);
        let entry = Entry {
            number,
            owner: channel,
            state,
        };
        match self.open.insert(place, entry) {
            Ok(()) => Ok(SessionId::new(number)),
            Err(_) => Err(Refused::Full),
        }
    }

    /// Opens a session with what `make` makes, which is only called if there is room.
    ///
    /// **Blocks:** never, if `make` does not.
    /// **Errors:** `Quota`, `Full`, and those of `make`.
    pub fn open_with<E>(
        &mut self,
        channel: Channel,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<SessionId, SessionError<E>> {
        self.check_room(channel)?;
        let state = make().map_err(SessionError::Method)?;
        Ok(self.open(channel, state)?)
    }

    /// What the server knows of a session.
    ///
    /// **Errors:** `Stale` if the number is of an earlier life of the server. `NotOpen` for every
    /// other number that is not of an open session of this very client.
    pub fn get(&self, channel: Channel, id: &SessionId) -> Result<&T, Refused> {
        let place = self.find(channel, id.serial())?;
        Ok(&self.open[place].state)
    }

    /// As [`get`](Self::get), to be changed.
    pub fn get_mut(&mut self, channel: Channel, id: &SessionId) -> Result<&mut T, Refused> {
        let place = self.find(channel, id.serial())?;
        Ok(&mut self.open[place].state)
    }

    /// Closes a session for its client, and returns what it was.
    ///
    /// **Errors:** as [`get`](Self::get).
    pub fn close(&mut self, channel: Channel, id: &SessionId) -> Result<T, Refused> {
        self.close_number(channel, id.serial())
    }

    /// Closes a session because the server wants to: its client's next call is refused with
    /// `NotOpen`. `None` if no such session is open.
    pub fn kick(&mut self, id: &SessionId) -> Option<T> {
        let place = self.place(id.serial())?;
        Some(self.open.remove(place).state)
    }

    /// Closes those of which `keep` says so, as [`kick`](Self::kick) does.
    pub fn retain(&mut self, mut keep: impl FnMut(Channel, &mut T) -> bool) {
        self.open
            .retain_mut(|entry| keep(entry.owner, &mut entry.state));
    }

    /// Closes all sessions of a client, and hands each to `ended`.
    pub fn close_all(&mut self, channel: Channel, mut ended: impl FnMut(T)) {
        while let Some(place) = self.open.iter().position(|entry| entry.owner == channel) {
            ended(self.open.remove(place).state);
        }
    }

    /// The open sessions, the oldest first, each with the channel of its client.
    pub fn iter(&self) -> impl Iterator<Item = (Channel, SessionId, &T)> {
        self.open
            .iter()
            .map(|entry| (entry.owner, SessionId::new(entry.number), &entry.state))
    }

    /// As [`iter`](Self::iter), to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Channel, SessionId, &mut T)> {
        self.open
            .iter_mut()
            .map(|entry| (entry.owner, SessionId::new(entry.number), &mut entry.state))
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// How many of them are this client's.
    pub fn count_of(&self, channel: Channel) -> usize {
        let own = self.open.iter().filter(|entry| entry.owner == channel);
        own.count()
    }

    pub(crate) fn close_number(&mut self, channel: Channel, number: u64) -> Result<T, Refused> {
        let place = self.find(channel, number)?;
        Ok(self.open.remove(place).state)
    }

    /// A client's new life begins: what its earlier one has left is over.
    pub(crate) fn begin(&mut self, channel: Channel, mut ended: impl FnMut(T)) {
        if !R::CONNECT_ENDS_SESSIONS {
            return;
        }
        self.close_all(channel, &mut ended);
        if !R::CONNECT_SPARES_OTHERS {
            while let Some(entry) = self.open.pop() {
                ended(entry.state);
            }
        }
    }

    pub(crate) fn may_report(&self, reporter: Channel, client: Channel) -> bool {
        !R::REPORTS_NEED_A_RIGHT || self.reports.contains(&(reporter, client))
    }

    fn check_room(&self, channel: Channel) -> Result<(), Refused> {
        if R::QUOTA_HOLDS && self.count_of(channel) >= self.quota {
            return Err(Refused::Quota);
        }
        match self.open.is_full() {
            true => Err(Refused::Full),
            false => Ok(()),
        }
    }

    /// A number for a new session of this client.
    fn take_number(&mut self, channel: Channel) -> Result<u64, Refused> {
        self.check_room(channel)?;
        if !R::NUMBERS_ARE_NEW {
            let free = (1..).find(|number| self.place(*number).is_none());
            return free.ok_or(Refused::Full);
        }
        // The server is the only one that writes the word; should another have, no number of this
        // life comes again all the same.
        let number = self.numbers.load(Ordering::Relaxed).max(self.next);
        let next = number.checked_add(1).ok_or(Refused::Full)?;
        // Before the client learns the number: a server that dies here has skipped it.
        self.numbers.store(next, Ordering::Relaxed);
        self.next = next;
        Ok(number)
    }

    fn place(&self, number: u64) -> Option<usize> {
        let found = self
            .open
            .binary_search_by_key(&number, |entry| entry.number);
        found.ok()
    }

    /// Where the session of this client is.
    fn find(&self, channel: Channel, number: u64) -> Result<usize, Refused> {
        if R::NUMBERS_OUTLIVE_THE_SERVER && number < self.first {
            return Err(Refused::Stale);
        }
        let is_own = |place: &usize| !R::SESSIONS_HAVE_OWNERS || self.open[*place].owner == channel;
        self.place(number).filter(is_own).ok_or(Refused::NotOpen)
    }
}
