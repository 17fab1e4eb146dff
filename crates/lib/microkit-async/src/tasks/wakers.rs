//! Those who wait for the same thing.

use core::cell::RefCell;
use core::task::Waker;

use heapless::Vec;

/// How many tasks can wait for one thing.
pub(crate) const WAKERS: usize = 16;

/// Who is to be woken.
#[derive(Debug)]
pub(crate) struct WakerSet(RefCell<Vec<Waker, WAKERS>>);

impl WakerSet {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// Adds one, unless it is there.
    ///
    /// **Panics:** if there are too many. To wake some for others would have them take turns for ever.
    pub(crate) fn add(&self, waker: &Waker) {
        let mut wakers = self.0.borrow_mut();
        if wakers.iter().any(|known| known.will_wake(waker)) {
            return;
        }
        assert!(
            wakers.push(waker.clone()).is_ok(),
            "more than {WAKERS} tasks wait for the same: let one wait, and tell the others"
        );
    }

    /// Wakes all, and forgets them.
    pub(crate) fn wake_all(&self) {
        // Whoever is woken may come back to this set.
        for waker in self.0.take() {
            waker.wake();
        }
    }
}
