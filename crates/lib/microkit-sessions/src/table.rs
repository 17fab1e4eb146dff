//! The server's table of sessions.

use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use heapless::Vec;
use sel4_microkit::{Channel, SharedWord};

use crate::rules::{Rules, Sound};
use crate::{Refused, SessionError, SessionId};

/// The table of a server's sessions: at most `N` sessions, each with a state of type `T`.
///
/// ```
/// use microkit_sessions::{Refused, Sessions};
/// use sel4_microkit::{Channel, SharedWord};
///
/// // In a PD: a word of a memory region, from `shared_words!`.
/// static NUMBERS: SharedWord = SharedWord::new(0);
///
/// const ALICE: Channel = Channel::new(1);
/// const BOB: Channel = Channel::new(2);
///
/// // Two clients with at most four sessions each.
/// let mut sessions = Sessions::<u64, 8>::new(&NUMBERS, 4);
/// let id = sessions.open(ALICE, 40)?;
/// *sessions.get_mut(ALICE, &id)? += 2;
/// assert_eq!(sessions.get(ALICE, &id), Ok(&42));
/// assert_eq!(sessions.get(BOB, &id), Err(Refused::NotOpen));
/// assert_eq!(sessions.close(ALICE, &id), Ok(42));
/// assert!(sessions.is_empty());
///
/// let id = sessions.open_with(BOB, || "7".parse()).expect("there is room, and 7 is a number");
/// for (client, _, state) in sessions.iter_mut() {
///     assert_eq!((client, *state), (BOB, 7));
/// }
/// assert_eq!((sessions.len(), sessions.count_of(BOB)), (1, 1));
/// // The server closes sessions itself.
/// assert_eq!(sessions.kick(&id), Some(7));
/// sessions.retain(|_, state| *state < 100);
/// # Ok::<(), Refused>(())
/// ```
///
/// A session belongs to the incarnation of the client that opened the session. The channel
/// identifies the client. Every other client gets [`Refused::NotOpen`] for the session's number.
///
/// Closing a session drops its state, unless the closing method returns the state or passes the
/// state to a closure.
#[derive(Debug)]
pub struct Sessions<T, const N: usize, R = Sound> {
    /// Sorted by number, for the binary search.
    open: Vec<Entry<T>, N>,
    /// The next unused number, in memory that keeps its value when the server restarts.
    numbers: &'static SharedWord,
    /// The first number of this incarnation. Lower numbers are stale.
    first: u64,
    /// The next unused number of this incarnation, usually equal to `numbers`. This copy keeps
    /// numbers unique even if another PD writes to `numbers`.
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
    /// Creates an empty table. Each client can have at most `quota` sessions.
    ///
    /// If `quota` times the number of clients is at most `N`, a client cannot use up the table for
    /// other clients.
    ///
    /// `numbers` is a word of a memory region that only this PD maps and that is zero at boot. A
    /// restart does not change the region, so a number is never reused over all incarnations of the
    /// server.
    ///
    /// **Blocking:** never.
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

    /// Allows clients to report the death of other clients. The first channel of each pair is the
    /// client that may report, usually the parent. The second channel is the client that may die.
    ///
    /// ```
    /// use microkit_sessions::Sessions;
    /// use sel4_microkit::{Channel, SharedWord};
    ///
    /// static NUMBERS: SharedWord = SharedWord::new(0);
    /// const PARENT: Channel = Channel::new(3);
    /// const CHILD: Channel = Channel::new(4);
    ///
    /// let sessions = Sessions::<u64, 8>::new(&NUMBERS, 4).allow_reports(&[(PARENT, CHILD)]);
    /// # assert!(sessions.is_empty());
    /// ```
    #[must_use]
    pub const fn allow_reports(mut self, reports: &'static [(Channel, Channel)]) -> Self {
        self.reports = reports;
        self
    }

    /// Opens a session for the client of `channel`.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Refused::Quota`] or [`Refused::Full`]. In both cases, `state` is dropped.
    pub fn open(&mut self, channel: Channel, state: T) -> Result<SessionId, Refused> {
        let number = self.take_number(channel)?;
        let index = self.open.partition_point(|entry| entry.number < number);
        let entry = Entry {
            number,
            owner: channel,
            state,
        };
        match self.open.insert(index, entry) {
            Ok(()) => Ok(SessionId::new(number)),
            Err(_) => Err(Refused::Full),
        }
    }

    /// Opens a session with the state that `make` returns. `make` is called only if the table has
    /// room and the client is below its quota.
    ///
    /// **Blocking:** only if `make` blocks.
    ///
    /// # Errors
    ///
    /// Returns [`Refused::Quota`], [`Refused::Full`] or the error of `make`.
    pub fn open_with<E>(
        &mut self,
        channel: Channel,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<SessionId, SessionError<E>> {
        self.check_room(channel)?;
        let state = make().map_err(SessionError::Method)?;
        Ok(self.open(channel, state)?)
    }

    /// Returns the state of a session of this client.
    ///
    /// # Errors
    ///
    /// Returns [`Refused::Stale`] if the number is from an earlier incarnation of the server.
    /// Returns [`Refused::NotOpen`] if this client has no open session with this number.
    pub fn get(&self, channel: Channel, id: &SessionId) -> Result<&T, Refused> {
        let index = self.find(channel, id.serial())?;
        Ok(&self.open[index].state)
    }

    /// Returns a mutable reference to the state of a session of this client.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get).
    pub fn get_mut(&mut self, channel: Channel, id: &SessionId) -> Result<&mut T, Refused> {
        let index = self.find(channel, id.serial())?;
        Ok(&mut self.open[index].state)
    }

    /// Closes a session of this client and returns its state.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get).
    pub fn close(&mut self, channel: Channel, id: &SessionId) -> Result<T, Refused> {
        self.close_number(channel, id.serial())
    }

    /// Closes a session of any client and returns its state, or `None` if the session is not open.
    ///
    /// The client's next call on the session gets [`Refused::NotOpen`].
    pub fn kick(&mut self, id: &SessionId) -> Option<T> {
        let index = self.index_of(id.serial())?;
        Some(self.open.remove(index).state)
    }

    /// Closes every session for which `keep` returns `false`, like [`kick`](Self::kick).
    pub fn retain(&mut self, mut keep: impl FnMut(Channel, &mut T) -> bool) {
        self.open
            .retain_mut(|entry| keep(entry.owner, &mut entry.state));
    }

    /// Closes all sessions of a client and passes the state of each session to `ended`.
    pub fn close_all(&mut self, channel: Channel, mut ended: impl FnMut(T)) {
        while let Some(index) = self.open.iter().position(|entry| entry.owner == channel) {
            ended(self.open.remove(index).state);
        }
    }

    /// Iterates over the open sessions, from the oldest session, with the channel of each client.
    pub fn iter(&self) -> impl Iterator<Item = (Channel, SessionId, &T)> {
        self.open
            .iter()
            .map(|entry| (entry.owner, SessionId::new(entry.number), &entry.state))
    }

    /// Iterates like [`iter`](Self::iter), with mutable states.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Channel, SessionId, &mut T)> {
        self.open
            .iter_mut()
            .map(|entry| (entry.owner, SessionId::new(entry.number), &mut entry.state))
    }

    /// Returns the number of open sessions.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Returns whether no session is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Returns the number of open sessions of a client.
    pub fn count_of(&self, channel: Channel) -> usize {
        let own = self.open.iter().filter(|entry| entry.owner == channel);
        own.count()
    }

    pub(crate) fn close_number(&mut self, channel: Channel, number: u64) -> Result<T, Refused> {
        let index = self.find(channel, number)?;
        Ok(self.open.remove(index).state)
    }

    /// Starts a new incarnation of a client: closes the sessions of its earlier incarnations.
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

    /// Returns an unused number for a new session of this client.
    fn take_number(&mut self, channel: Channel) -> Result<u64, Refused> {
        self.check_room(channel)?;
        if !R::NUMBERS_ARE_NEW {
            let free = (1..).find(|number| self.index_of(*number).is_none());
            return free.ok_or(Refused::Full);
        }
        // Only the server should write the word. If another PD writes the word, `next` still keeps
        // the numbers of this incarnation unique.
        let number = self.numbers.load(Ordering::Relaxed).max(self.next);
        let next = number.checked_add(1).ok_or(Refused::Full)?;
        // Store the next number before the client receives `number`. If the server dies after the
        // store, the only effect is a skipped number.
        self.numbers.store(next, Ordering::Relaxed);
        self.next = next;
        Ok(number)
    }

    fn index_of(&self, number: u64) -> Option<usize> {
        let found = self
            .open
            .binary_search_by_key(&number, |entry| entry.number);
        found.ok()
    }

    /// Returns the index of a session of this client.
    fn find(&self, channel: Channel, number: u64) -> Result<usize, Refused> {
        if R::NUMBERS_OUTLIVE_THE_SERVER && number < self.first {
            return Err(Refused::Stale);
        }
        let is_own = |index: &usize| !R::SESSIONS_HAVE_OWNERS || self.open[*index].owner == channel;
        self.index_of(number).filter(is_own).ok_or(Refused::NotOpen)
    }
}
