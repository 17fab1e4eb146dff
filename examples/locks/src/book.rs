//! What a readers-writer lock guards: how many entries each has made, and their sum.

use core::sync::atomic::Ordering::Relaxed;

use sel4_microkit::SharedWord;

use crate::WORKERS;

/// The book, in a region that all parties share.
#[derive(Debug, Copy, Clone)]
pub struct Book {
    words: &'static [SharedWord],
}

impl Book {
    /// The book in this region, which begins as zeros.
    pub fn new(words: &'static [SharedWord]) -> Self {
        Self { words }
    }

    /// Whether the sum is that of the entries.
    pub fn is_consistent(&self) -> bool {
        self.sum().load(Relaxed) == self.entries()
    }

    /// Makes it so again.
    pub fn repair(&self) {
        self.sum().store(self.entries(), Relaxed);
    }

    /// Makes an entry.
    pub fn write(&self, worker: usize) {
        for word in [&self.words[worker], self.sum()] {
            word.store(word.load(Relaxed) + 1, Relaxed);
        }
    }

    /// How many entries this one has made.
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
