//! A table of things that are due at a time: the earliest comes first, and of those that are due at
//! the same time the one that was put in first.
//!
//! It has room for a fixed number and says so when it is full. What was put in can be taken out by
//! its [`Id`], which nothing else ever gets: an `Id` that is kept too long names nothing.
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

/// Up to `N` things of type `T`, each with the time at which it is due.
#[derive(Debug)]
pub struct Deadlines<T, const N: usize> {
    /// The last comes first.
    entries: Vec<Entry<T>, N>,
    next: u64,
}

#[derive(Debug)]
struct Entry<T> {
    deadline: u64,
    id: Id,
    thing: T,
}

/// Names what was put in, among all that ever was or will be.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u64);

impl Id {
    /// As a word, to be sent in a message.
    pub const fn to_word(self) -> u64 {
        self.0
    }

    /// From a word. One that was made up names nothing, or what it happens to: whose that is, the
    /// table does not know.
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }
}

/// There is no room for another.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the table of deadlines is full: wait until one has passed, or remove one")
    }
}

impl core::error::Error for Full {}

impl<T, const N: usize> Deadlines<T, N> {
    /// An empty table.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
            next: 0,
        }
    }

    /// How many are in it.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Puts in what is due at `deadline`. It takes time in proportion to how many are in the table.
    ///
    /// **Errors:** there is no room.
    pub fn insert(&mut self, deadline: u64, thing: T) -> Result<Id, Full> {
        let id = Id(self.next);
        let entry = Entry {
            deadline,
            id,
            thing,
        };
        let place = self.entries.partition_point(|e| e.deadline > deadline);
        self.entries.insert(place, entry).map_err(|_| Full)?;
        // At one a nanosecond, 64 bits are enough for five centuries.
        self.next += 1;
        Ok(id)
    }

    /// When the next is due.
    pub fn earliest(&self) -> Option<u64> {
        Some(self.entries.last()?.deadline)
    }

    /// Takes out the next, with its deadline, if it is due at `now`.
    pub fn take_due(&mut self, now: u64) -> Option<(u64, T)> {
        if self.earliest()? > now {
            return None;
        }
        let entry = self.entries.pop()?;
        Some((entry.deadline, entry.thing))
    }

    /// All that are in it, in no order that is promised.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|entry| &entry.thing)
    }

    /// What `id` names.
    pub fn get(&self, id: Id) -> Option<&T> {
        let entry = self.entries.iter().find(|entry| entry.id == id)?;
        Some(&entry.thing)
    }

    /// Takes out what `id` names.
    pub fn remove(&mut self, id: Id) -> Option<T> {
        let place = self.entries.iter().position(|entry| entry.id == id)?;
        Some(self.entries.remove(place).thing)
    }

    /// Keeps only those of which `keeps` says so.
    pub fn retain(&mut self, mut keeps: impl FnMut(&T) -> bool) {
        self.entries.retain(|entry| keeps(&entry.thing));
    }
}

impl<T, const N: usize> Default for Deadlines<T, N> {
    fn default() -> Self {
        Self::new()
    }
}
