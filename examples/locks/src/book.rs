//! The data that a readers-writer lock guards: each worker's number of entries, and the sum.

use core::sync::atomic::Ordering::Relaxed;

use sel4_microkit::SharedWord;

use crate::WORKERS;

/// The book, in a memory region that all parties share.
#[derive(Debug, Copy, Clone)]
pub struct Book {
    words: &'static [SharedWord],
}

impl Book {
    /// Creates the book in this region, which must be zero at first.
    pub fn new(words: &'static [SharedWord]) -> Self {
        Self { words }
    }

    /// Returns whether the stored sum is the sum of the entries.
    pub fn is_consistent(&self) -> bool {
        self.sum().load(Relaxed) == self.entries()
    }

    /// Recomputes the sum.
    pub fn repair(&self) {
        self.sum().store(self.entries(), Relaxed);
    }

    /// Adds an entry of this worker.
    pub fn write(&self, worker: usize) {
        for word in [&self.words[worker], self.sum()] {
            word.store(word.load(Relaxed) + 1, Relaxed);
        }
    }

    /// Returns the number of entries of this worker.
    pub fn entries_by(&self, worker: usize) -> u64 {
        self.words[worker].load(Relaxed)
    }

    fn sum(&self) -> &SharedWord {
        &self.words[WORKERS.len()]
    }

    fn entries(&self) -> u64 {
        let words = &self.words[..WORKERS.len()];
        words.iter().map(|word| word.load(Relaxed)).sum()
    }
}
