//! The wakers of tasks that wait for the same thing.

use core::cell::RefCell;
use core::task::Waker;

use heapless::Vec;

/// The maximum number of tasks that wait for the same thing.
pub(crate) const WAKERS: usize = 16;

/// The wakers of the waiting tasks.
#[derive(Debug)]
pub(crate) struct WakerSet(RefCell<Vec<Waker, WAKERS>>);

impl WakerSet {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// Adds a waker, unless the set already contains this waker.
    ///
    /// # Panics
    ///
    /// Panics if the set is full. A full set cannot wake one task to make room for a new task,
    /// because these two tasks would then wake each other forever.
    pub(crate) fn add(&self, waker: &Waker) {
        let mut wakers = self.0.borrow_mut();
        if wakers.iter().any(|known| known.will_wake(waker)) {
            return;
        }
        assert!(
            wakers.push(waker.clone()).is_ok(),
            "more than {WAKERS} tasks wait for the same thing: let one task wait, and wake the others \
             from there"
        );
    }

    /// Wakes all tasks, and empties the set.
    pub(crate) fn wake_all(&self) {
        // A waker may add its task again, so the set is not borrowed during the call.
        for waker in self.0.take() {
            waker.wake();
        }
    }
}
