//! The states of a lock and the transitions between these states. This module does not access
//! shared memory.
//!
//! [`layout`](crate::layout) lists the fields. A mutex or a readers-writer lock has these states:
//!
//! | state | fields | next |
//! | --- | --- | --- |
//! | free | none | [`acquire`](State::acquire) makes the party an entered owner, or a reader |
//! | owned | `OWNER`, `ENTERED` | [`release`](State::release) hands over, or frees |
//! | handed over | `OWNER` | `acquire` by that owner sets `ENTERED`; [`cancel`](State::cancel) hands over to the next |
//! | read | `READING` bits | the last reader's `release` hands over to a writer, or frees |
//! | not recoverable | `NOT_RECOVERABLE` | only retirement |
//!
//! A party waits only while the lock is owned, handed over or read. `INCONSISTENT` may be set in
//! each state except *not recoverable*. The death of a party has the same effect as a `cancel` or
//! `release` by that party. If the dead party was an owner that had entered,
//! [`recover`](State::recover) also sets `INCONSISTENT`.

use crate::error::LockError;
use crate::layout::*;
use crate::party::{Members, PartyId};

/// The kind of lock that a word holds.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum LockKind {
    Mutex = 1,
    Condition = 2,
    RwLock = 3,
}

/// The kind and the generation of a lock, as stored in its word. All other bits of a new lock are
/// 0.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) struct Identity(u64);

impl Identity {
    pub(crate) const fn new(kind: LockKind, generation: u32) -> Self {
        Self((kind as u64) << KIND_SHIFT | Self::retired(generation))
    }

    /// Returns the word's value before the lock of this generation is created.
    pub(crate) const fn retired(generation: u32) -> u64 {
        (generation as u64) << GENERATION_SHIFT
    }

    pub(crate) const fn from_word(word: u64) -> Self {
        Self(word & (KIND | GENERATION))
    }

    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> GENERATION_SHIFT) as u32
    }

    pub(crate) const fn kind(self) -> Option<LockKind> {
        match self.0 & KIND {
            0 => None,
            bits if bits == (LockKind::Mutex as u64) << KIND_SHIFT => Some(LockKind::Mutex),
            bits if bits == (LockKind::Condition as u64) << KIND_SHIFT => Some(LockKind::Condition),
            _ => Some(LockKind::RwLock),
        }
    }

    /// Returns the word's value while the lock is free.
    pub(crate) const fn free(self) -> u64 {
        self.0
    }

    /// Returns the word of a readers-writer lock with this party as its only holder and without
    /// waiters. For a reader, the turn is copied from `before`.
    #[inline]
    pub(crate) const fn held(self, party: PartyId, mode: Mode, before: u64) -> u64 {
        match mode {
            Mode::Write => self.owned(party) | turn_bits(party),
            Mode::Read => self.0 | before & TURN | reading_bit(party),
        }
    }

    /// Returns the word of a mutex without waiters that this party owns.
    pub(crate) const fn owned(self, party: PartyId) -> u64 {
        self.0 | owner_bits(party) | ENTERED
    }
}

const fn owner_bits(party: PartyId) -> u64 {
    (party.index() as u64 + 1) << OWNER_SHIFT
}

/// The requested mode of a lock: exclusive, or shared with other readers.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Read,
}

/// Whether a party got the lock.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    Yes { is_inconsistent: bool },
    NotYet,
}

/// The state in which an owner leaves the data.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// The release does not change `INCONSISTENT`.
    AsItWas,
    /// The data is inconsistent and was not repaired. No party can take the lock again.
    Abandoned,
}

/// A word that is a valid state of a lock.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) struct State(u64);

/// A new state, and the parties to notify.
type Next = (State, Members);

impl State {
    /// Converts a word to a state.
    ///
    /// # Errors
    ///
    /// Returns [`LockError::Corrupt`] if the state is not possible for a lock of these parties.
    pub(crate) fn read(word: u64, members: Members) -> Result<Self, LockError> {
        let state = Self(word);
        if state.is_sound(members) {
            Ok(state)
        } else {
            Err(LockError::Corrupt)
        }
    }

    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    /// Returns whether this state is possible for a lock of these parties. The transitions rely on
    /// these checks, because other PDs can write any value to the word.
    fn is_sound(self, members: Members) -> bool {
        let owner = (self.0 & OWNER) >> OWNER_SHIFT;
        if owner > PartyId::COUNT as u64 {
            return false;
        }
        let waiting = self.waiting();
        let taking_part = waiting.bits() | self.read_bits();
        let is_idle = owner == 0 && self.readers().is_empty();
        let nobody = is_idle && taking_part == 0;
        let flags = self.0 & (ENTERED | INCONSISTENT | NOT_RECOVERABLE);
        let of_kind = match Identity::from_word(self.0).kind() {
            None => return self.0 & !GENERATION == 0,
            Some(LockKind::Condition) => return self.is_sound_condition(members),
            Some(LockKind::Mutex) => self.read_bits() == 0 && self.0 & TURN == 0,
            Some(LockKind::RwLock) => true,
        };
        let owners_bits = self.owner().map_or(0, PartyId::bit);
        of_kind
            && (taking_part | owners_bits) & !members.bits() == 0
            && taking_part & owners_bits == 0
            && (owner == 0 || self.readers().is_empty())
            && (owner != 0 || flags & ENTERED == 0)
            && (!is_idle || nobody)
            && (flags & NOT_RECOVERABLE == 0 || nobody && flags & INCONSISTENT == 0)
    }

    fn is_sound_condition(self, members: Members) -> bool {
        self.0 & !(WAITING | KIND | TURN | GENERATION) == 0
            && self.waiting().bits() & !members.bits() == 0
    }

    /// Returns the waiting parties.
    pub(crate) const fn waiting(self) -> Members {
        Members::from_bits(self.0 as u16)
    }

    const fn read_bits(self) -> u16 {
        (self.0 >> READING_SHIFT) as u16
    }

    /// Returns the parties that hold the lock to read.
    fn readers(self) -> Members {
        Members::from_bits(self.read_bits() & !self.waiting().bits())
    }

    fn waiting_readers(self) -> Members {
        Members::from_bits(self.read_bits() & self.waiting().bits())
    }

    fn waiting_writers(self) -> Members {
        Members::from_bits(self.waiting().bits() & !self.read_bits())
    }

    fn owner(self) -> Option<PartyId> {
        let owner = ((self.0 & OWNER) >> OWNER_SHIFT) as usize;
        (owner > 0).then(|| PartyId::new(owner - 1))
    }

    const fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    const fn with(self, bits: u64) -> Self {
        Self(self.0 | bits)
    }

    const fn without(self, bits: u64) -> Self {
        Self(self.0 & !bits)
    }

    fn turn(self) -> PartyId {
        PartyId::new(((self.0 & TURN) >> TURN_SHIFT) as usize)
    }

    fn with_turn(self, party: PartyId) -> Self {
        self.without(TURN).with(turn_bits(party))
    }

    /// Clears the `WAITING` and `READING` bits of this party, and keeps `OWNER`.
    fn without_party(self, party: PartyId) -> Self {
        self.without(waiting_bit(party) | reading_bit(party))
    }

    fn given(self) -> Given {
        Given::Yes {
            is_inconsistent: self.has(INCONSISTENT),
        }
    }

    /// Gives the lock to this party, enters a lock that was handed over to this party, or registers
    /// this party as a waiter.
    pub(crate) fn acquire(self, me: PartyId, mode: Mode) -> Result<(Self, Given), LockError> {
        if self.has(NOT_RECOVERABLE) {
            return Err(LockError::NotRecoverable);
        }
        if self.owner() == Some(me) {
            if self.has(ENTERED) || mode == Mode::Read {
                return Err(LockError::Held);
            }
            return Ok((self.with(ENTERED), self.given()));
        }
        if self.waiting().contains(me) {
            let waits_to_read = self.waiting_readers().contains(me);
            return match waits_to_read == (mode == Mode::Read) {
                true => Ok((self, Given::NotYet)),
                false => Err(LockError::Held),
            };
        }
        let is_free = self.owner().is_none() && self.readers().is_empty();
        match mode {
            Mode::Read if self.readers().contains(me) => Ok((self, self.given())),
            Mode::Write if self.readers().contains(me) => Err(LockError::Held),
            Mode::Write if is_free => Ok((self.owned_by(me).with(ENTERED), self.given())),
            // A reader that arrives after a waiting writer must not overtake this writer.
            Mode::Read if self.owner().is_none() && self.waiting_writers().is_empty() => {
                Ok((self.with(reading_bit(me)), self.given()))
            }
            Mode::Write => Ok((self.with(waiting_bit(me)), Given::NotYet)),
            Mode::Read => Ok((self.with(waiting_bit(me) | reading_bit(me)), Given::NotYet)),
        }
    }

    /// Gives the lock to this party if the lock is available now.
    pub(crate) fn try_acquire(self, me: PartyId, mode: Mode) -> Result<(Self, Given), LockError> {
        match self.acquire(me, mode)? {
            (_, Given::NotYet) => Ok((self, Given::NotYet)),
            given => Ok(given),
        }
    }

    /// Releases the lock and hands it over to the next waiters.
    pub(crate) fn release(
        self,
        me: PartyId,
        mode: Mode,
        leaving: Leaving,
        members: Members,
    ) -> Result<Next, LockError> {
        let is_held = match mode {
            Mode::Write => self.owner() == Some(me) && self.has(ENTERED),
            Mode::Read => self.readers().contains(me),
        };
        if !is_held {
            return Err(LockError::Corrupt);
        }
        if leaving == Leaving::Abandoned {
            // Notify all parties. Parties that wait for a condition are not recorded in this word,
            // but must also notice that the mutex is not recoverable.
            let nobody = Self(Identity::from_word(self.0).free() | NOT_RECOVERABLE);
            return Ok((nobody, members));
        }
        Ok(self.leave(me))
    }

    /// Removes this party from the waiters. If the lock was already handed over to this party,
    /// passes the lock on to the next waiters.
    ///
    /// # Errors
    ///
    /// Returns [`LockError::Held`] if this party is an owner that has entered.
    pub(crate) fn cancel(self, me: PartyId) -> Result<Next, LockError> {
        if self.owner() == Some(me) && self.has(ENTERED) {
            return Err(LockError::Held);
        }
        Ok(self.leave(me))
    }

    /// Marks the data consistent. Only an owner that has entered can do this.
    pub(crate) fn repair(self, me: PartyId) -> Result<(Self, ()), LockError> {
        if self.owner() == Some(me) && self.has(ENTERED) {
            Ok((self.without(INCONSISTENT), ()))
        } else {
            Err(LockError::Corrupt)
        }
    }

    /// Removes a party that has died.
    pub(crate) fn recover(self, dead: PartyId) -> Next {
        match Identity::from_word(self.0).kind() {
            None => (self, Members::NONE),
            // The dead party may have consumed a signal that another waiter needed.
            Some(LockKind::Condition) => self.signal_all(),
            Some(_) => {
                let died_inside = self.owner() == Some(dead) && self.has(ENTERED);
                let (next, wake) = self.leave(dead);
                match died_inside {
                    true => (next.with(INCONSISTENT), wake),
                    false => (next, wake),
                }
            }
        }
    }

    /// Removes this party as an owner, reader or waiter. If the lock is now free, hands the lock
    /// over to the next waiters.
    fn leave(self, party: PartyId) -> Next {
        let next = self.without_party(party);
        if self.owner() != Some(party) {
            return next.settle(Turn::Writers(self.turn()));
        }
        let last = match Identity::from_word(self.0).kind() {
            Some(LockKind::Mutex) => party,
            _ => self.turn(),
        };
        next.without(OWNER | ENTERED).settle(Turn::Readers(last))
    }

    /// Hands a free lock over to waiters. After a writer, all waiting readers get the lock. After
    /// readers, the next waiting writer gets the lock.
    fn settle(self, turn: Turn) -> Next {
        if self.owner().is_some() {
            return (self, Members::NONE);
        }
        let (readers, writers) = (self.waiting_readers(), self.waiting_writers());
        let (Turn::Readers(last) | Turn::Writers(last)) = turn;
        let is_for_readers = matches!(turn, Turn::Readers(_)) && !readers.is_empty();
        match writers.after(last) {
            // Other readers still hold the lock. The waiting writer gets the lock after these
            // readers.
            Some(_) if !self.readers().is_empty() => (self, Members::NONE),
            Some(writer) if !is_for_readers => (
                self.without_party(writer).owned_by(writer),
                Members::NONE.with(writer),
            ),
            _ => (self.without(readers.bits().into()), readers),
        }
    }

    /// Makes this party the owner by hand-over. `ENTERED` is not set yet.
    fn owned_by(self, party: PartyId) -> Self {
        let owned = self.with(owner_bits(party));
        match Identity::from_word(self.0).kind() {
            Some(LockKind::RwLock) => owned.with_turn(party),
            _ => owned,
        }
    }

    /// Registers this party as a waiter for a signal.
    pub(crate) fn await_signal(self, me: PartyId) -> Self {
        self.with(waiting_bit(me))
    }

    /// Removes this party from the waiters for a signal. Returns whether the party was waiting.
    pub(crate) fn stop_waiting(self, me: PartyId) -> (Self, bool) {
        (self.without(waiting_bit(me)), self.waiting().contains(me))
    }

    /// Sends a signal to the next waiter.
    pub(crate) fn signal_one(self) -> Next {
        match self.waiting().after(self.turn()) {
            None => (self, Members::NONE),
            Some(party) => (
                self.without(waiting_bit(party)).with_turn(party),
                Members::NONE.with(party),
            ),
        }
    }

    /// Sends a signal to all waiters.
    pub(crate) fn signal_all(self) -> Next {
        (self.without(WAITING), self.waiting())
    }

    /// Returns whether the lock has neither holders nor waiters.
    pub(crate) fn is_unused(self) -> bool {
        self.0 & (WAITING | READING | OWNER) == 0
    }

    pub(crate) fn is_not_recoverable(self) -> bool {
        self.has(NOT_RECOVERABLE)
    }
}

/// Whether readers or writers are served next. The field is the last writer. Writers are served in
/// circular order after the last writer.
#[derive(Copy, Clone)]
enum Turn {
    Readers(PartyId),
    Writers(PartyId),
}

const fn turn_bits(party: PartyId) -> u64 {
    (party.index() as u64) << TURN_SHIFT
}

const fn waiting_bit(party: PartyId) -> u64 {
    party.bit() as u64
}

const fn reading_bit(party: PartyId) -> u64 {
    (party.bit() as u64) << READING_SHIFT
}

#[cfg(test)]
mod tests;
