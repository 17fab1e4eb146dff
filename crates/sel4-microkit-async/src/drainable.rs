//! Objects that tasks hold across waits, and that can be drained.

use core::cell::Cell;
use core::fmt;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};

use crate::context;
use crate::wakers::WakerSet;

/// A value that tasks hold while they wait, and that somebody can wait to be rid of.
///
/// [`hold`](Self::hold) lends it to an async function. [`drain`](Self::drain) lets nobody hold it any
/// more, and waits until those who do have ended, with all of their effects.
///
/// **What cannot happen.** To hold never waits: it succeeds or fails at once. To drain waits for those
/// who hold, and for nothing else. Who holds anything drains nothing: that is an error, at once. So
/// draining and holding alone never make a circle. A hold belongs to the future that has it, not to a
/// place in a table of priorities or processors; a task that is moved while it holds moves nothing
/// else. And a hold cannot be given to another task, or be left behind by one that is cancelled: it ends
/// when its future does, or is dropped.
#[derive(Debug)]
pub struct Drainable<T> {
    value: T,
    /// How many hold it.
    holders: Cell<usize>,
    /// How many wait for those.
    drains: Cell<usize>,
    /// Nobody may hold it any more.
    is_drained: Cell<bool>,
    draining: WakerSet,
}

/// It is being drained, or has been.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Draining;

impl fmt::Display for Draining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is being drained, and nobody can hold it any more")
    }
}

impl core::error::Error for Draining {}

/// Something was to be drained by who holds something, and who would have waited for itself, or for
/// somebody who waits for it.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct InsideHolder;

impl fmt::Display for InsideHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "it cannot be drained inside of a hold, as a circle could come of that: drain after the \
             hold has ended, or in another task that the holder does not wait for",
        )
    }
}

impl core::error::Error for InsideHolder {}

impl<T> Drainable<T> {
    /// A value that nobody holds.
    pub const fn new(value: T) -> Self {
        Self {
            value,
            holders: Cell::new(0),
            drains: Cell::new(0),
            is_drained: Cell::new(false),
            draining: WakerSet::new(),
        }
    }

    /// Lends it to `f`, until the future that this returns has ended. To take it and to give it back
    /// costs one addition each.
    ///
    /// It is taken when the future is first polled. It is given back when `f`'s future has ended and is
    /// dropped, with everything that it had.
    ///
    /// **Cancel safety:** as `f`'s future. Dropped, it drops that first, and gives it back then.
    /// **Errors:** it is being drained, or has been; `f` is not called.
    pub async fn hold<R>(&self, f: impl AsyncFnOnce(&T) -> R) -> Result<R, Draining> {
        // Declared before the future, and so dropped after it.
        let _held = self.acquire()?;
        let future = pin!(f(&self.value));
        Ok(Inside { future }.await)
    }

    /// Lets nobody hold it any more, and waits until nobody does.
    ///
    /// It is closed when the future is first polled.
    ///
    /// **Cancel safety:** dropped before it has ended, it has changed nothing: if nobody else drains
    /// it, it can be held again.
    /// **Errors:** inside of a hold, of this or of anything else of this protection domain, at once. It
    /// is not closed then.
    /// **Panics:** if more than 16 tasks drain it.
    pub fn drain(&self) -> Drain<'_, T> {
        Drain {
            object: self,
            has_begun: false,
        }
    }

    /// Lets it be held again after it was drained: who waited only for those who held it *then*.
    pub fn reopen(&self) {
        self.is_drained.set(false);
    }

    /// How many hold it.
    pub fn holders(&self) -> usize {
        self.holders.get()
    }

    fn acquire(&self) -> Result<Held<'_, T>, Draining> {
        if self.is_drained.get() || self.drains.get() > 0 {
            return Err(Draining);
        }
        self.holders.set(self.holders.get() + 1);
        Ok(Held(self))
    }
}

/// Counts, and gives back.
struct Held<'a, T>(&'a Drainable<T>);

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        let holders = self.0.holders.get() - 1;
        self.0.holders.set(holders);
        if holders == 0 {
            self.0.draining.wake_all();
        }
    }
}

/// A future that is polled as one who holds something.
struct Inside<'a, F> {
    future: Pin<&'a mut F>,
}

impl<F: Future> Future for Inside<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let _inside = Depth::deeper();
        self.future.as_mut().poll(task)
    }
}

/// That the code which runs now is inside of a hold.
struct Depth;

impl Depth {
    fn deeper() -> Self {
        context::with(|context| context.holds.set(context.holds.get() + 1));
        Self
    }

    fn is_none() -> bool {
        context::with(|context| context.holds.get() == 0)
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        context::with(|context| context.holds.set(context.holds.get() - 1));
    }
}

/// What [`Drainable::drain`] returns.
#[derive(Debug)]
#[must_use = "nothing is drained before it is waited for"]
pub struct Drain<'a, T> {
    object: &'a Drainable<T>,
    has_begun: bool,
}

impl<T> Future for Drain<'_, T> {
    type Output = Result<(), InsideHolder>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        if !Depth::is_none() {
            return Poll::Ready(Err(InsideHolder));
        }
        let object = self.object;
        if !self.has_begun {
            self.has_begun = true;
            object.drains.set(object.drains.get() + 1);
        }
        if object.holders.get() > 0 {
            object.draining.add(task.waker());
            return Poll::Pending;
        }
        object.is_drained.set(true);
        Poll::Ready(Ok(()))
    }
}

impl<T> Drop for Drain<'_, T> {
    fn drop(&mut self) {
        if self.has_begun {
            self.object.drains.set(self.object.drains.get() - 1);
        }
    }
}
