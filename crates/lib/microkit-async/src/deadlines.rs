//! A bounded table of deadlines. The earliest deadline comes first; equal deadlines keep the order
//! of their insertion.
//!
//! An entry can be removed by its [`Id`]. An `Id` is never reused for another entry. The table is a
//! sorted array, because `heapless::BinaryHeap` cannot keep the order of equal entries and cannot
//! remove an entry from the middle.
//!
//! ```
//! use microkit_async::deadlines::{Deadlines, Full};
//!
//! let mut table: Deadlines<&str, 4> = Deadlines::new();
//! let tea = table.insert(180, "tea")?;
//! table.insert(60, "egg")?;
//! assert_eq!(table.earliest(), Some(60));
//! assert_eq!(table.take_due(100), Some((60, "egg")));
//! assert_eq!(table.take_due(100), None);
//! assert_eq!(table.remove(tea), Some("tea"));
//! # Ok::<(), Full>(())
//! ```

use core::fmt;
use heapless::Vec;

/// A table of up to `N` entries, each with a value of type `T` and a deadline.
#[derive(Debug)]
pub struct Deadlines<T, const N: usize> {
    /// Sorted by descending deadline: the last entry has the earliest deadline.
    entries: Vec<Entry<T>, N>,
    next: u64,
}

#[derive(Debug)]
struct Entry<T> {
    deadline: u64,
    id: Id,
    thing: T,
}

/// Identifies an entry among all past and future entries of its table.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u64);

impl Id {
    /// Returns the number of the `Id`, for use in a message.
    pub const fn to_word(self) -> u64 {
        self.0
    }

    /// Creates an `Id` from its number. The table does not record the client of an entry, so a
    /// forged number can identify another client's entry.
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }
}

/// The table has no room for another entry.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the table of deadlines is full: wait until one has passed, or remove one")
    }
}

impl core::error::Error for Full {}

impl<T, const N: usize> Deadlines<T, N> {
    /// Creates an empty table.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
            next: 0,
        }
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether the table is empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Inserts an entry. The time is proportional to the number of entries.
    ///
    /// # Errors
    ///
    /// Returns [`Full`] if the table is full.
    pub fn insert(&mut self, deadline: u64, thing: T) -> Result<Id, Full> {
        let id = Id(self.next);
        let entry = Entry {
            deadline,
            id,
            thing,
        };
        let place = self.entries.partition_point(|e| e.deadline > deadline);
        self.entries.insert(place, entry).map_err(|_| Full)?;
        // At one entry per nanosecond, a 64-bit number overflows after five centuries.
        self.next += 1;
        Ok(id)
    }

    /// Returns the earliest deadline.
    pub fn earliest(&self) -> Option<u64> {
        Some(self.entries.last()?.deadline)
    }

    /// Removes and returns the entry with the earliest deadline, if this deadline is not after
    /// `now`.
    pub fn take_due(&mut self, now: u64) -> Option<(u64, T)> {
        if self.earliest()? > now {
            return None;
        }
        let entry = self.entries.pop()?;
        Some((entry.deadline, entry.thing))
    }

    /// Returns an iterator over all values, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|entry| &entry.thing)
    }

    /// Returns the value of an entry.
    pub fn get(&self, id: Id) -> Option<&T> {
        let entry = self.entries.iter().find(|entry| entry.id == id)?;
        Some(&entry.thing)
    }

    /// Removes and returns the value of an entry.
    pub fn remove(&mut self, id: Id) -> Option<T> {
        let place = self.entries.iter().position(|entry| entry.id == id)?;
        Some(self.entries.remove(place).thing)
    }

    /// Removes all entries for which `keeps` returns false. The argument of `keeps` is the value of
    /// the entry.
    pub fn retain(&mut self, mut keeps: impl FnMut(&T) -> bool) {
        self.entries.retain(|entry| keeps(&entry.thing));
    }
}

impl<T, const N: usize> Default for Deadlines<T, N> {
    fn default() -> Self {
        Self::new()
    }
}
