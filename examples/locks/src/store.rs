//! What a mutex guards: a store of goods. Some workers make goods, others take them.

use core::sync::atomic::Ordering::Relaxed;

use sel4_microkit::SharedWord;

use crate::WORKERS;

/// The most goods that the store holds.
const CAPACITY: u64 = 4;

// The words of the region.

/// How many goods each worker has made.
const MADE: usize = 0;
/// How many goods each worker has taken.
const TAKEN: usize = MADE + WORKERS.len();
/// How many goods the store holds.
const GOODS: usize = TAKEN + WORKERS.len();
/// Whether the parent has said that it is enough.
const ENOUGH: usize = GOODS + 1;
/// A bit for each worker that has finished.
const FINISHED: usize = ENOUGH + 1;
/// How many incarnations of the victim have started.
const INCARNATIONS: usize = FINISHED + 1;
/// How often the store was repaired: once for each owner that died inside the lock.
const REPAIRS: usize = INCARNATIONS + 1;

/// The store, in a memory region that all parties share.
///
/// The invariant: the store holds as many goods as were made and not taken. A change takes two
/// writes. A worker that dies between them breaks the invariant.
#[derive(Debug, Copy, Clone)]
pub struct Store {
    words: &'static [SharedWord],
}

impl Store {
    /// Creates the store in this region, which must be zero at first.
    pub fn new(words: &'static [SharedWord]) -> Self {
        Self { words }
    }

    /// Returns whether the store holds as many goods as were made and not taken.
    pub fn is_consistent(&self) -> bool {
        self.goods() == self.made() - self.taken()
    }

    /// Restores the invariant.
    pub fn repair(&self) {
        self.add(REPAIRS);
        self.words[GOODS].store(self.made() - self.taken(), Relaxed);
    }

    /// Returns whether there is room for one more.
    pub fn has_room(&self) -> bool {
        self.goods() < CAPACITY
    }

    /// Returns whether there is something to take.
    pub fn has_goods(&self) -> bool {
        self.goods() > 0
    }

    /// Makes one good. `between` runs between the two writes.
    pub fn make(&self, worker: usize, between: impl FnOnce()) {
        self.add(MADE + worker);
        between();
        self.add(GOODS);
    }

    /// Takes one good. `between` runs between the two writes.
    pub fn take(&self, worker: usize, between: impl FnOnce()) {
        self.add(TAKEN + worker);
        between();
        self.words[GOODS].store(self.goods() - 1, Relaxed);
    }

    /// Returns how many goods this worker has made and taken.
    pub fn done_by(&self, worker: usize) -> u64 {
        self.words[MADE + worker].load(Relaxed) + self.words[TAKEN + worker].load(Relaxed)
    }

    /// Returns whether the parent has said that it is enough.
    pub fn is_enough(&self) -> bool {
        self.words[ENOUGH].load(Relaxed) != 0
    }

    /// Says that it is enough: the workers finish.
    pub fn say_enough(&self) {
        self.words[ENOUGH].store(1, Relaxed);
    }

    /// Says that this worker has finished. Needs no lock: the word is changed atomically.
    pub fn finish(&self, worker: usize) {
        self.words[FINISHED].fetch_or(1 << worker, Relaxed);
    }

    /// Returns whether all workers but the victim have finished.
    pub fn is_finished(&self) -> bool {
        self.words[FINISHED].load(Relaxed) | 1 == (1 << WORKERS.len()) - 1
    }

    /// Counts one more incarnation of the victim, and returns how many there were before. Needs no
    /// lock.
    pub fn begin_incarnation(&self) -> u64 {
        self.words[INCARNATIONS].fetch_add(1, Relaxed)
    }

    /// Returns how often an owner has died inside the lock.
    pub fn repairs(&self) -> u64 {
        self.words[REPAIRS].load(Relaxed)
    }

    fn goods(&self) -> u64 {
        self.words[GOODS].load(Relaxed)
    }

    fn made(&self) -> u64 {
        self.sum(MADE)
    }

    fn taken(&self) -> u64 {
        self.sum(TAKEN)
    }

    fn sum(&self, first: usize) -> u64 {
        let words = &self.words[first..][..WORKERS.len()];
        words.iter().map(|word| word.load(Relaxed)).sum()
    }

    fn add(&self, index: usize) {
        let word = &self.words[index];
        word.store(word.load(Relaxed) + 1, Relaxed);
    }
}
