//! Simulates the memory of a hostile protection domain.

use std::cell::RefCell;
use std::sync::atomic::Ordering;

use microkit_shared_memory::{Memory, WritableMemory};

/// Memory of a hostile protection domain. Each load returns an arbitrary value, and each access out
/// of bounds panics.
#[derive(Debug, Clone)]
pub(crate) struct Hostile<'a> {
    pub(crate) words: usize,
    pub(crate) answers: &'a RefCell<Vec<u64>>,
}

impl Memory for Hostile<'_> {
    fn words(&self) -> usize {
        self.words
    }

    fn load(&self, index: usize, _: Ordering) -> u64 {
        assert!(index < self.words, "it reads outside");
        self.answers.borrow_mut().pop().unwrap_or(0)
    }
}

impl WritableMemory for Hostile<'_> {
    fn store(&self, index: usize, _: u64, _: Ordering) {
        assert!(index < self.words, "it writes outside");
    }
}
