//! The symbols of a protection domain on a host.

use core::sync::atomic::AtomicBool;
use core::sync::atomic::AtomicU64;
use std::cell::Cell;
use std::cell::RefCell;
use std::vec::Vec;

/// A symbol, and what Microkit's tool would write there.
#[derive(Debug)]
pub struct Symbol {
    name: &'static str,
    word: u64,
    region: Option<&'static [AtomicU64]>,
}

impl Symbol {
    /// One with a number (`setvar_id`, `setvar_size`, `<setvar>`).
    pub const fn word(name: &'static str, word: u64) -> Self {
        Self {
            name,
            word,
            region: None,
        }
    }

    /// One with the address of a memory region (`setvar_vaddr`), which is this memory.
    pub fn region(name: &'static str, words: &'static [AtomicU64]) -> Self {
        Self {
            name,
            word: words.as_ptr().expose_provenance() as u64,
            region: Some(words),
        }
    }
}

impl Symbol {
    /// The memory region whose address it has, if it has this name.
    pub fn as_region(&self, name: &str) -> Option<&'static [AtomicU64]> {
        self.region.filter(|_| self.name == name)
    }
}

/// Has this thread's protection domain find these in its program.
pub fn set_symbols(symbols: &'static [Symbol]) {
    SYMBOLS.set(symbols);
}

/// What was written to a symbol.
pub(crate) fn word(name: &str) -> Option<&'static u64> {
    find(name).map(|symbol| &symbol.word)
}

/// The memory whose address was written to a symbol.
pub(crate) fn region(name: &str) -> Option<&'static [AtomicU64]> {
    find(name)?.region
}

fn find(name: &str) -> Option<&'static Symbol> {
    SYMBOLS.get().iter().find(|symbol| symbol.name == name)
}

/// Takes a device that has one owner; returns whether it was taken by this protection domain
/// before.
pub(crate) fn take(device: &'static AtomicBool) -> bool {
    TAKEN.with_borrow_mut(|taken| {
        let again = taken.iter().any(|other| core::ptr::eq(*other, device));
        taken.push(device);
        again
    })
}

/// The symbols of a protection domain that does not run now.
#[derive(Default)]
pub(super) struct SymbolState {
    symbols: Cell<&'static [Symbol]>,
    taken: RefCell<Vec<&'static AtomicBool>>,
}

impl SymbolState {
    pub(super) fn exchange(&self) {
        SYMBOLS.with(|symbols| symbols.swap(&self.symbols));
        TAKEN.with(|taken| taken.swap(&self.taken));
    }
}

std::thread_local! {
    static SYMBOLS: Cell<&'static [Symbol]> = const { Cell::new(&[]) };
    static TAKEN: RefCell<Vec<&'static AtomicBool>> = const { RefCell::new(Vec::new()) };
}
