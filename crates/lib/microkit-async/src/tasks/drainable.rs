//! Objects that tasks hold across waits, and that can be drained.

use core::cell::Cell;
use core::fmt;
use core::future::poll_fn;
use core::panic::Location;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use super::context;
use super::holds::{Holds, Place, Running};

/// A value that tasks hold while they wait, and that somebody can wait to be rid of.
///
/// [`hold`](Self::hold) lends it to an async function. [`drain`](Self::drain) lets nobody hold it any
/// more, and waits until those who do have ended, with all of their effects.
///
/// **What cannot happen.** To hold never waits: it succeeds or fails at once. To drain waits for
/// those who hold, and for nothing else. A task that holds anything cannot drain: `drain` fails at
/// once, wherever in the task the hold is. So draining and holding alone never make a cycle. A hold
/// belongs to the future that has it, not to a place in a table of priorities or processors; a task
/// that is moved while it holds moves nothing else. A hold ends when its future ends or is dropped.
/// A hold that is forgotten, or kept and not polled, makes draining fail, with the place of that
/// hold.
#[derive(Debug)]
pub struct Drainable<T> {
    value: T,
    /// Its number among all objects of the protection domain; 0 before it is used.
    number: Cell<u64>,
    /// How many hold it.
    holders: Cell<usize>,
    /// How many wait for those.
    drains: Cell<usize>,
    /// Nobody may hold it any more.
    is_drained: Cell<bool>,
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

/// Why something was not drained.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum DrainError {
    /// The task that drains holds this object or another one. It would wait for itself, or for a
    /// task that waits for it.
    InsideHolder(
        /// Where that is held.
        Place,
    ),
    /// A future that nobody polls holds it: the future was forgotten, or polled and then kept.
    IdleHold(
        /// Where it is held.
        Place,
    ),
}

impl fmt::Display for DrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InsideHolder(place) => write!(
                f,
                "a task that holds something cannot drain, and this one holds at {place}: drain after \
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
    /// A value that nobody holds.
    pub const fn new(value: T) -> Self {
        Self {
            value,
            number: Cell::new(0),
            holders: Cell::new(0),
            drains: Cell::new(0),
            is_drained: Cell::new(false),
        }
    }

    /// Lends it to `f`, until the future that this returns has ended.
    ///
    /// It is taken when the future is first polled. It is given back when `f`'s future has ended
    /// and is dropped, with everything that it had. While a task drains the object, that future is
    /// polled once more after each event of the protection domain. So a hold that nobody polls any
    /// more is found.
    ///
    /// **Cancel safety:** as `f`'s future. Dropped, it drops that first, and gives it back then.
    /// **Errors:** it is being drained, or has been; `f` is not called.
    /// **Panics:** if more than 32 holds are alive in the protection domain.
    #[track_caller]
    pub fn hold<R>(
        &self,
        f: impl AsyncFnOnce(&T) -> R,
    ) -> impl Future<Output = Result<R, Draining>> {
        let place = Location::caller();
        async move {
            // Declared before the future, and so dropped after it.
            // It is held before `f` is called, which may be any code.
            let held = poll_fn(|task| Poll::Ready(self.acquire(place, task.waker()))).await?;
            let future = pin!(f(&self.value));
            let held = &held;
            Ok(Inside { held, future }.await)
        }
    }

    /// Lets nobody hold it any more, and waits until nobody does.
    ///
    /// It is closed when the future is first polled.
    ///
    /// **Cancel safety:** dropped before it has ended, it has changed nothing: if nobody else
    /// drains it, it can be held again.
    /// **Errors:** [`DrainError::InsideHolder`], at once, if the task holds this or another object
    /// of this protection domain. [`DrainError::IdleHold`], when all other tasks have had their
    /// turn, if a future that nobody polls holds it. After an error it can be held again.
    /// **Needs:** for [`DrainError::IdleHold`], a task of [`Tasks`](crate::Tasks).
    /// **Panics:** if more than 32 tasks drain something.
    pub fn drain(&self) -> Drain<'_, T> {
        Drain {
            object: self,
            number: Cell::new(0),
            has_begun: false,
        }
    }

    /// Lets it be held again after it was drained. A drain waits only for the holds of its
    /// beginning. While another task drains it, it stays closed.
    pub fn reopen(&self) {
        self.is_drained.set(false);
    }

    /// How many hold it.
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

/// Counts, and gives back.
struct Held<'a, T> {
    object: &'a Drainable<T>,
    /// Its number among all holds.
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

/// A future that is polled as one of a task that holds something.
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

/// What [`Drainable::drain`] returns.
#[derive(Debug)]
#[must_use = "nothing is drained before it is waited for"]
pub struct Drain<'a, T> {
    object: &'a Drainable<T>,
    /// Its number among all drains; 0 before it waits.
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
