//! A shared value that tasks hold, and that can be drained.

use core::cell::Cell;
use core::fmt;
use core::future::poll_fn;
use core::panic::Location;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use super::context;
use super::holds::{Holds, Place, Running};

/// A value that tasks hold across waits. A task that drains the value waits until all holds have
/// ended.
///
/// [`hold`](Self::hold) lends the value to an async function. [`drain`](Self::drain) refuses new
/// holds, and waits until the existing holds and all their effects have ended.
///
/// Holding and draining alone cannot deadlock. A hold succeeds or fails at once, and a drain waits
/// only for holders. In a task with any hold, `drain` fails at once. A hold does not depend on the
/// priority of its task, so a task can change its priority during a hold. A hold ends when its
/// future ends or is dropped. If the future of a hold was leaked, or is kept and no longer polled,
/// draining fails with the source location of the hold.
///
/// # Examples
///
/// ```no_run
/// use microkit_async::Drainable;
///
/// async fn prints(name: &Drainable<&str>) {
///     let held = name.hold(async |name| {
///         // The value stays alive while this waits.
///         sel4_microkit::debug_println!("{name}");
///     });
///     if held.await.is_err() {
///         sel4_microkit::debug_println!("it is being drained");
///     }
/// }
///
/// async fn removes(name: &Drainable<&str>) {
///     name.drain().await.expect("this task holds nothing");
///     // Nobody holds it any more.
/// }
/// ```
#[derive(Debug)]
pub struct Drainable<T> {
    value: T,
    /// The number that identifies this object in the protection domain; 0 before the first use.
    number: Cell<u64>,
    /// The number of holders.
    holders: Cell<usize>,
    /// The number of drains that wait for the holders.
    drains: Cell<usize>,
    /// Whether the value was drained. A drained value cannot be held.
    is_drained: Cell<bool>,
}

/// The value is being drained, or was drained.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Draining;

impl fmt::Display for Draining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value is being drained, or was drained: nobody can hold it any more")
    }
}

impl core::error::Error for Draining {}

/// The reason why a drain failed.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum DrainError {
    /// The draining task itself holds this object or another object, so the drain could deadlock.
    InsideHolder(
        /// The source location of the hold.
        Place,
    ),
    /// The future of a hold is no longer polled. The future was leaked, or the task keeps the
    /// future without polling it.
    IdleHold(
        /// The source location of the hold.
        Place,
    ),
}

impl fmt::Display for DrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InsideHolder(place) => write!(
                f,
                "a task that holds something cannot drain, and this task holds at {place}: drain after \
                 that hold has ended, or in another task that the holder does not wait for"
            ),
            Self::IdleHold(place) => write!(
                f,
                "it is held at {place} by a future that nobody polls any more: await that future, or \
                 drop it, then drain again"
            ),
        }
    }
}

impl core::error::Error for DrainError {}

impl<T> Drainable<T> {
    /// Creates a value without holders.
    pub const fn new(value: T) -> Self {
        Self {
            value,
            number: Cell::new(0),
            holders: Cell::new(0),
            drains: Cell::new(0),
            is_drained: Cell::new(false),
        }
    }

    /// Holds the value and lends it to `f` until the returned future has ended.
    ///
    /// The hold begins at the first poll of the returned future. The hold ends when `f`'s future
    /// has ended and was dropped, together with all values that it owned. While a task drains the
    /// object, `f`'s future is polled once more after each event of the protection domain. If `f`'s
    /// future is not polled then, the hold counts as idle, and draining fails.
    ///
    /// **Cancel safety:** the same as for `f`'s future. If the returned future is dropped, `f`'s
    /// future is dropped first, and the hold ends after that.
    ///
    /// # Errors
    ///
    /// Returns [`Draining`], without calling `f`, if the value is being drained or was drained.
    ///
    /// # Panics
    ///
    /// Panics if more than 32 holds are alive in the protection domain.
    #[track_caller]
    pub fn hold<R>(
        &self,
        f: impl AsyncFnOnce(&T) -> R,
    ) -> impl Future<Output = Result<R, Draining>> {
        let place = Location::caller();
        async move {
            // `held` is declared before `future`, so `held` is dropped after `future`. The hold
            // begins before `f` is called, because `f` may run any code.
            let held = poll_fn(|task| Poll::Ready(self.acquire(place, task.waker()))).await?;
            let future = pin!(f(&self.value));
            let held = &held;
            Ok(Inside { held, future }.await)
        }
    }

    /// Refuses new holds, and waits until all existing holds of the value have ended.
    ///
    /// The drain begins at the first poll of the returned future.
    ///
    /// **Cancel safety:** if the future is dropped before its end, the value can be held again,
    /// unless another task drains the value. **Rights:** [`DrainError::IdleHold`] is returned only
    /// for holds that a task of [`Tasks`](crate::Tasks) has polled.
    ///
    /// # Errors
    ///
    /// Returns [`DrainError::InsideHolder`] at once if the task holds this object or another object
    /// of the protection domain. Returns [`DrainError::IdleHold`] if the future of a hold is no
    /// longer polled. The drain returns `IdleHold` only after all other ready tasks have run. After
    /// an error the value can be held again.
    ///
    /// # Panics
    ///
    /// Panics if more than 32 tasks drain at the same time.
    pub fn drain(&self) -> Drain<'_, T> {
        Drain {
            object: self,
            number: Cell::new(0),
            has_begun: false,
        }
    }

    /// Allows new holds after the value was drained. While another task drains the value, new holds
    /// are still refused.
    pub fn reopen(&self) {
        self.is_drained.set(false);
    }

    /// Returns the number of holders.
    pub fn holders(&self) -> usize {
        self.holders.get()
    }

    fn acquire(&self, place: Place, waker: &Waker) -> Result<Held<'_, T>, Draining> {
        if self.is_drained.get() || self.drains.get() > 0 {
            return Err(Draining);
        }
        self.holders.set(self.holders.get() + 1);
        let held = Held {
            object: self,
            number: Cell::new(0),
            place,
        };
        held.polled(waker);
        Ok(held)
    }
}

/// A hold of the object. The hold ends when its `Held` is dropped.
struct Held<'a, T> {
    object: &'a Drainable<T>,
    /// The sequence number of this hold.
    number: Cell<u64>,
    place: Place,
}

impl<T> Held<'_, T> {
    fn polled(&self, waker: &Waker) {
        context::with(|context| {
            let holds = &context.holds;
            let object = holds.number(&self.object.number);
            holds.polled(holds.number(&self.number), object, self.place, waker);
        });
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        let object = self.object;
        object.holders.set(object.holders.get() - 1);
        context::with(|context| {
            context.holds.given_back(self.number.get());
            if object.holders.get() == 0 {
                context.holds.wake_drains_of(object.number.get());
            }
        });
    }
}

/// The future of a hold. Each poll records the polling task as the holder.
struct Inside<'a, 'b, T, F> {
    held: &'a Held<'b, T>,
    future: Pin<&'a mut F>,
}

impl<T, F: Future> Future for Inside<'_, '_, T, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let _running = Running::enter(task.waker());
        self.held.polled(task.waker());
        self.future.as_mut().poll(task)
    }
}

/// The future that [`Drainable::drain`] returns.
#[derive(Debug)]
#[must_use = "nothing is drained before this future is awaited"]
pub struct Drain<'a, T> {
    object: &'a Drainable<T>,
    /// The sequence number of this drain; 0 before the drain waits.
    number: Cell<u64>,
    has_begun: bool,
}

impl<T> Future for Drain<'_, T> {
    type Output = Result<(), DrainError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let object = self.object;
        context::with(|context| {
            let holds = &context.holds;
            if let Some(place) = holds.held_by(task.waker()) {
                return Poll::Ready(Err(DrainError::InsideHolder(place)));
            }
            if !self.has_begun {
                self.has_begun = true;
                object.drains.set(object.drains.get() + 1);
            }
            if object.holders.get() == 0 {
                object.is_drained.set(true);
                self.end(holds);
                return Poll::Ready(Ok(()));
            }
            let of = object.number.get();
            if let Some(place) = holds.idle_hold_of(of) {
                return Poll::Ready(Err(DrainError::IdleHold(place)));
            }
            holds.wait(holds.number(&self.number), of, task.waker());
            Poll::Pending
        })
    }
}

impl<T> Drain<'_, T> {
    fn end(&mut self, holds: &Holds) {
        if core::mem::take(&mut self.has_begun) {
            self.object.drains.set(self.object.drains.get() - 1);
            holds.waits_no_more(self.number.get());
        }
    }
}

impl<T> Drop for Drain<'_, T> {
    fn drop(&mut self) {
        context::with(|context| self.end(&context.holds));
    }
}
