//! Random numbers that are the same in every run.

use core::sync::atomic::{AtomicU64, Ordering};

/// The state of the generator.
static STATE: AtomicU64 = AtomicU64::new(0x5eed_5eed_5eed_5eed);

/// A generator (Marsaglia, *Xorshift RNGs*).
pub(crate) struct Random(());

impl Random {
    pub(crate) const fn new() -> Self {
        Self(())
    }

    pub(crate) fn word(&mut self) -> u64 {
        let mut x = STATE.load(Ordering::Relaxed);
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        STATE.store(x, Ordering::Relaxed);
        x
    }

    /// Returns a number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // The low bits are the least random.
        (self.word() >> 32) % bound
    }
}
