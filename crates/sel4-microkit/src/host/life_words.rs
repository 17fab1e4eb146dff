//! The words that a protection domain has of its own (`LifeWord`), by their address.

use core::cell::RefCell;
use core::ptr;
use core::sync::atomic::AtomicU64;
use std::vec::Vec;

type Words = Vec<(&'static AtomicU64, u64)>;

/// What the word is to this thread's protection domain.
pub(crate) fn life_word(word: &'static AtomicU64) -> u64 {
    WORDS.with_borrow(|words| {
        let found = words.iter().find(|(other, _)| ptr::eq(*other, word));
        found.map_or(0, |(_, value)| *value)
    })
}

/// Sets it.
pub(crate) fn set_life_word(word: &'static AtomicU64, value: u64) {
    WORDS.with_borrow_mut(|words| {
        words.retain(|(other, _)| !ptr::eq(*other, word));
        words.push((word, value));
    });
}

/// Those of a protection domain that does not run now.
#[derive(Default)]
pub(super) struct LifeWordState {
    words: RefCell<Words>,
}

impl LifeWordState {
    pub(super) fn exchange(&self) {
        WORDS.with(|words| words.swap(&self.words));
    }
}

std::thread_local! {
    static WORDS: RefCell<Words> = const { RefCell::new(Vec::new()) };
}
