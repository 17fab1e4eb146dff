//! What a mutex guards: goods that some make and others take.

use core::sync::atomic::Ordering::Relaxed;

use sel4_microkit::SharedWord;

use crate::WORKERS;

/// How many goods there can be.
const CAPACITY: u64 = 4;

/// Words of the region: what each has made, what each has taken, what is there, whether it is enough,
/// who has finished, the lives of the victim, and how often it has died inside.
const MADE: usize = 0;
const TAKEN: usize = MADE + WORKERS.len();
const GOODS: usize = TAKEN + WORKERS.len();
const ENOUGH: usize = GOODS + 1;
const FINISHED: usize = ENOUGH + 1;
const LIVES: usize = FINISHED + 1;
const REPAIRS: usize = LIVES + 1;

/// The store, in a region that all parties share.
///
/// What was made and was not taken is there. Between two writes that is not so, and whoever dies then
/// leaves it so.
#[derive(Debug, Copy, Clone)]
pub struct Store {
    words: &'static [SharedWord],
}

impl Store {
    /// The store in this region, which begins as zeros.
    pub fn new(words: &'static [SharedWord]) -> Self {
        Self { words }
    }

    /// Whether what is there is what was made and not taken.
    pub fn is_consistent(&self) -> bool {
        self.goods() == self.made() - self.taken()
    }

    /// Makes it so again.
    pub fn repair(&self) {
        self.add(REPAIRS);
        self.words[GOODS].store(self.made() - self.taken(), Relaxed);
    }

    /// Whether there is room for more.
    pub fn has_room(&self) -> bool {
        self.goods() < CAPACITY
    }

    /// Whether there is something to take.
    pub fn has_goods(&self) -> bool {
        self.goods() > 0
    }

    /// Makes one; `between` runs between the two writes.
    pub fn make(&self, worker: usize, between: impl FnOnce()) {
        self.add(MADE + worker);
        between();
        self.add(GOODS);
    }

    /// Takes one; `between` runs between the two writes.
    pub fn take(&self, worker: usize, between: impl FnOnce()) {
        self.add(TAKEN + worker);
        between();
        self.words[GOODS].store(self.goods() - 1, Relaxed);
    }

    /// How many this one has made and taken.
    pub fn done_by(&self, worker: usize) -> u64 {
        self.words[MADE + worker].load(Relaxed) + self.words[TAKEN + worker].load(Relaxed)
    }

    /// Whether it is enough.
    pub fn is_enough(&self) -> bool {
        self.words[ENOUGH].load(Relaxed) != 0
    }

    /// Says that it is enough.
    pub fn say_enough(&self) {
        self.words[ENOUGH].store(1, Relaxed);
    }

    /// Says, without the lock, that this one has seen that it is enough.
    pub fn finish(&self, worker: usize) {
        self.words[FINISHED].fetch_or(1 << worker, Relaxed);
    }

    /// Whether all but the victim have.
    pub fn is_finished(&self) -> bool {
        self.words[FINISHED].load(Relaxed) | 1 == (1 << WORKERS.len()) - 1
    }

    /// Without the lock: one more life of the victim. Returns how many there were.
    pub fn begin_life(&self) -> u64 {
        self.words[LIVES].fetch_add(1, Relaxed)
    }

    /// How often an owner has died inside.
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
