//! The values of each [`IncarnationWord`](crate::IncarnationWord) of a PD, found by address.

use core::cell::RefCell;
use core::ptr;
use core::sync::atomic::AtomicU64;
use std::vec::Vec;

use super::local;

/// The address and the value of each word that was set.
#[derive(Default)]
struct Words(RefCell<Vec<(&'static AtomicU64, u64)>>);

/// Returns the word's value for the running PD.
pub(crate) fn load_incarnation_word(word: &'static AtomicU64) -> u64 {
    let Words(words) = &*local();
    let words = words.borrow();
    let found = words.iter().find(|(other, _)| ptr::eq(*other, word));
    found.map_or(0, |(_, value)| *value)
}

/// Sets the word's value for the running PD.
pub(crate) fn store_incarnation_word(word: &'static AtomicU64, value: u64) {
    let Words(words) = &*local();
    let mut words = words.borrow_mut();
    words.retain(|(other, _)| !ptr::eq(*other, word));
    words.push((word, value));
}
