//! The data that a mutex guards: a store of goods. Some workers make goods, others take goods.

use core::sync::atomic::Ordering::Relaxed;

use sel4_microkit::SharedWord;

use crate::WORKERS;

/// The maximum number of goods in the store.
const CAPACITY: u64 = 4;

// The words of the region.

/// The number of goods made by each worker.
const MADE: usize = 0;
/// The number of goods taken by each worker.
const TAKEN: usize = MADE + WORKERS.len();
/// The number of goods in the store.
const GOODS: usize = TAKEN + WORKERS.len();
/// Whether the parent has announced the end.
const ENOUGH: usize = GOODS + 1;
/// A bit for each worker that has finished.
const FINISHED: usize = ENOUGH + 1;
/// The number of incarnations of the victim that have started.
const INCARNATIONS: usize = FINISHED + 1;
/// The number of repairs of the store: one for each owner that died inside the lock.
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

    /// Returns whether the store has room for one more good.
    pub fn has_room(&self) -> bool {
        self.goods() < CAPACITY
    }

    /// Returns whether the store holds at least one good.
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

    /// Returns the number of goods that this worker has made and taken.
    pub fn done_by(&self, worker: usize) -> u64 {
        self.words[MADE + worker].load(Relaxed) + self.words[TAKEN + worker].load(Relaxed)
    }

    /// Returns whether the parent has announced the end.
    pub fn is_enough(&self) -> bool {
        self.words[ENOUGH].load(Relaxed) != 0
    }

    /// Announces the end, so that the workers finish.
    pub fn say_enough(&self) {
        self.words[ENOUGH].store(1, Relaxed);
    }

    /// Records that this worker has finished. Needs no lock, because the change is atomic.
    pub fn finish(&self, worker: usize) {
        self.words[FINISHED].fetch_or(1 << worker, Relaxed);
    }

    /// Returns whether all workers but the victim have finished.
    pub fn is_finished(&self) -> bool {
        self.words[FINISHED].load(Relaxed) | 1 == (1 << WORKERS.len()) - 1
    }

    /// Counts one more incarnation of the victim, and returns the earlier number of incarnations.
    /// Needs no lock.
    pub fn begin_incarnation(&self) -> u64 {
        self.words[INCARNATIONS].fetch_add(1, Relaxed)
    }

    /// Returns the number of owners that have died inside the lock.
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
