//! Those who wait for the same thing.

use core::cell::RefCell;
use core::task::Waker;

use heapless::Vec;

/// Wakers that are kept at a time. When there are more, all are woken, look, and wait again.
const WAKERS: usize = 16;

/// Who is to be woken.
#[derive(Debug)]
pub(crate) struct WakerSet(RefCell<Vec<Waker, WAKERS>>);

impl WakerSet {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// Adds one, unless it is there.
    pub(crate) fn add(&self, waker: &Waker) {
        if self.0.borrow().iter().any(|known| known.will_wake(waker)) {
            return;
        }
        if self.0.borrow().is_full() {
            self.wake_all();
        }
        // There is room.
        self.0.borrow_mut().push(waker.clone()).ok();
    }

    /// Wakes all, and forgets them.
    pub(crate) fn wake_all(&self) {
        // Whoever is woken may come back to this set.
        for waker in self.0.take() {
            waker.wake();
        }
    }
}
