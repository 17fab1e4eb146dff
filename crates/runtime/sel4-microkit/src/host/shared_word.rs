//! Words of shared memory whose accesses are steps.

use core::sync::atomic::{AtomicU64, Ordering};

/// A word of shared memory: on the target `AtomicU64` itself, on a host one before whose every
/// access a test may let another protection domain go first.
///
/// It has the methods of `AtomicU64`, with the same meaning. What destructors of a program do that has
/// died has no effect, for on the target none would run.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct SharedWord(AtomicU64);

// SAFETY: a transparent wrapper that gives atomic accesses only.
unsafe impl crate::memory::Word for SharedWord {}

/// Lets a test choose who goes first.
fn step() {
    #[cfg(feature = "programs")]
    sel4::sys::host::point();
}

/// Whether what is accessed is a copy.
fn is_dead() -> bool {
    #[cfg(feature = "programs")]
    return sel4::sys::host::is_unwinding();
    #[cfg(not(feature = "programs"))]
    false
}

macro_rules! accesses {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        #[allow(missing_docs)] // As those of `AtomicU64`.
        impl SharedWord {
            $(
                pub fn $name(&self, $($argument: $type,)* order: Ordering) -> $result {
                    step();
                    self.with(|word| word.$name($($argument,)* order))
                }
            )*
        }
    };
}

accesses! {
    load() -> u64;
    store(value: u64) -> ();
    swap(value: u64) -> u64;
    fetch_add(value: u64) -> u64;
    fetch_sub(value: u64) -> u64;
    fetch_and(value: u64) -> u64;
    fetch_nand(value: u64) -> u64;
    fetch_or(value: u64) -> u64;
    fetch_xor(value: u64) -> u64;
    fetch_max(value: u64) -> u64;
    fetch_min(value: u64) -> u64;
}

impl SharedWord {
    /// As that of `AtomicU64`.
    pub const fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    /// As that of `AtomicU64`.
    pub fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        step();
        self.with(|word| word.compare_exchange(current, new, success, failure))
    }

    fn with<T>(&self, access: impl FnOnce(&AtomicU64) -> T) -> T {
        if is_dead() {
            return access(&AtomicU64::new(self.0.load(Ordering::Relaxed)));
        }
        access(&self.0)
    }

    /// As that of `AtomicU64`, but it does not fail without a reason.
    pub fn compare_exchange_weak(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.compare_exchange(current, new, success, failure)
    }

    /// As that of `AtomicU64`: a load, and exchanges until one succeeds.
    pub fn fetch_update(
        &self,
        success: Ordering,
        failure: Ordering,
        mut change: impl FnMut(u64) -> Option<u64>,
    ) -> Result<u64, u64> {
        let mut before = self.load(failure);
        while let Some(new) = change(before) {
            match self.compare_exchange_weak(before, new, success, failure) {
                Ok(before) => return Ok(before),
                Err(other) => before = other,
            }
        }
        Err(before)
    }
}
