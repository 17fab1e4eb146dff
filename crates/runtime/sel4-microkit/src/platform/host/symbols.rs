//! The symbols of a PD on a host.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU64};
use std::cell::Cell;
use std::cell::RefCell;
use std::vec::Vec;

use super::ProtectionDomain;
use super::region::{HostRegion, Refused, Taken};
use crate::memory::{Purpose, Written};
use crate::symbols::{Integer, Patched};

/// A symbol, and the value that Microkit's tool would write into the symbol.
///
/// ```
/// use sel4_microkit::host::{Symbol, set_symbols};
/// use sel4_microkit::var;
///
/// set_symbols(Box::leak(Box::new([Symbol::word("worker_id", 3)])));
/// assert_eq!(*var!(worker_id: usize = 0), 3);
/// ```
#[derive(Debug)]
pub struct Symbol {
    name: &'static str,
    word: u64,
    memory: Option<Memory>,
}

/// The memory at the address that a symbol contains.
#[derive(Debug, Copy, Clone)]
enum Memory {
    Shared(&'static [AtomicU64]),
    Region(&'static HostRegion),
}

impl Symbol {
    /// Declares a symbol with a number (`setvar_id`, `setvar_size`, `<setvar>`).
    ///
    /// The number is never the address of a memory region.
    pub const fn word(name: &'static str, word: u64) -> Self {
        Self {
            name,
            word,
            memory: None,
        }
    }

    /// Declares a symbol with the address of a memory region (`setvar_vaddr`). The memory of the
    /// region is `words`.
    ///
    /// The embedder shares this memory with the PD, so a PD cannot take the region as the registers
    /// of a device or for DMA.
    pub fn region(name: &'static str, words: &'static [AtomicU64]) -> Self {
        Self {
            name,
            word: words.as_ptr().expose_provenance() as u64,
            memory: Some(Memory::Shared(words)),
        }
    }

    /// Declares a symbol with the address of a memory region (`setvar_vaddr`), for any use.
    pub const fn mapping(name: &'static str, region: &'static HostRegion) -> Self {
        Self {
            name,
            word: region.address(),
            memory: Some(Memory::Region(region)),
        }
    }
}

impl Symbol {
    /// Returns the region of [`mapping`](Self::mapping), if the symbol has a region and is named
    /// `name`.
    pub fn as_mapping(&self, name: &str) -> Option<&'static HostRegion> {
        match self.memory {
            Some(Memory::Region(region)) if self.name == name => Some(region),
            _ => None,
        }
    }
}

/// Sets the symbols of the PD that runs in this thread.
pub fn set_symbols(symbols: &'static [Symbol]) {
    SYMBOLS.set(symbols);
}

pub(crate) fn name() -> &'static [u8] {
    ProtectionDomain::current().name.as_bytes()
}

pub(crate) fn is_passive() -> bool {
    ProtectionDomain::current().passive
}

pub(crate) fn notifications() -> u64 {
    ProtectionDomain::current().notifications
}

pub(crate) fn pps() -> u64 {
    ProtectionDomain::current().pps
}

pub(crate) fn irqs() -> u64 {
    ProtectionDomain::current().irqs
}

/// Returns the value that was set for a symbol of `var!`, or the default.
///
/// # Panics
///
/// Panics if a value was set for a symbol that is not a word.
pub fn value<T: Integer>(symbol: &str, default: &'static Patched<T>) -> &'static T {
    let Some(value) = word(symbol) else {
        return default.get();
    };
    assert!(
        size_of::<T>() == size_of::<u64>(),
        "{symbol} is not a word, and a system file writes words only"
    );
    // SAFETY: 1. The size was checked, and all integers of 64 bits have the same alignment.
    // 2. Every bit pattern is a value of an `Integer`.
    unsafe { &*core::ptr::from_ref(value).cast() }
}

/// Returns the value that was set for a symbol.
fn word(name: &str) -> Option<&'static u64> {
    find(name).map(|symbol| &symbol.word)
}

/// Returns the first word of a region of at least `size` bytes, and makes the region shared.
///
/// # Panics
///
/// Panics if the symbol does not have the address of a region, if the region is smaller than
/// `size`, or if a PD has taken the region.
#[track_caller]
pub(crate) fn shared_region(vaddr: Written, size: Written) -> NonNull<AtomicU64> {
    let (symbol, bytes) = (vaddr.0, size.1);
    let words = match memory(symbol) {
        Memory::Shared(words) => words,
        Memory::Region(region) => {
            check_size(symbol, bytes, region.len());
            region.share()
        }
    };
    check_size(symbol, bytes, words.len());
    NonNull::from(words).cast()
}

/// Takes a region of at least `size` bytes for this incarnation of the PD, and returns the region's
/// first byte. The region is aligned to a page.
///
/// For DMA, nothing else has a reference or a pointer to the region. For a device, the embedder and
/// code of earlier incarnations may still make volatile accesses in this thread.
///
/// Many PDs may run this program, one after another. So the owner is recorded in the region, and
/// not in the static of the macro call.
///
/// # Panics
///
/// Panics in the same cases as [`shared_region`], and if the region is already in use.
#[track_caller]
pub(crate) fn exclusive_region(
    vaddr: Written,
    size: Written,
    _: &'static AtomicBool,
    purpose: Purpose,
) -> NonNull<u8> {
    let (symbol, bytes) = (vaddr.0, size.1);
    let region = match memory(symbol) {
        Memory::Region(region) => region,
        Memory::Shared(_) => panic!(
            "the memory of {symbol} belongs to the embedder (`Symbol::region`), and cannot be for \
             {purpose}: give it a `HostRegion` (`Symbol::mapping`)"
        ),
    };
    check_size(symbol, bytes, region.len());
    match region.take(purpose) {
        Ok((taken, start)) => {
            TAKEN.with_borrow_mut(|all| all.push(taken));
            start.cast()
        }
        Err(Refused::Taken) => panic!("the region at {symbol} has an owner already"),
        Err(Refused::Shared) => panic!(
            "the region at {symbol} is used as shared words already, and cannot be for {purpose}: \
             use `HostRegion::read` and `write` to be the device"
        ),
    }
}

#[track_caller]
fn memory(symbol: &str) -> Memory {
    find(symbol)
        .and_then(|found| found.memory)
        .unwrap_or_else(|| {
            panic!(
                "{symbol} is not the address of a memory region: on a host, declare the symbol by \
                 `Symbol::mapping` or `Symbol::region`"
            )
        })
}

#[track_caller]
fn check_size(symbol: &str, bytes: usize, words: usize) {
    let there = words * size_of::<AtomicU64>();
    assert!(
        bytes <= there,
        "the size written for {symbol} is {bytes} bytes, which is more than the {there} that the \
         region has"
    );
}

fn find(name: &str) -> Option<&'static Symbol> {
    SYMBOLS.get().iter().find(|symbol| symbol.name == name)
}

/// The symbols of a PD that is not running, and the regions that it has taken.
#[derive(Default)]
pub(super) struct SymbolState {
    symbols: Cell<&'static [Symbol]>,
    taken: RefCell<Vec<Taken>>,
}

impl SymbolState {
    pub(super) fn exchange(&self) {
        SYMBOLS.with(|symbols| symbols.swap(&self.symbols));
        TAKEN.with(|taken| taken.swap(&self.taken));
    }
}

std::thread_local! {
    static SYMBOLS: Cell<&'static [Symbol]> = const { Cell::new(&[]) };
    static TAKEN: RefCell<Vec<Taken>> = const { RefCell::new(Vec::new()) };
}
