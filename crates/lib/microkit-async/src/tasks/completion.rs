//! Waiting for the work of others.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::poll_fn;
use core::task::Poll;

use heapless::Vec;

use super::wakers::WakerSet;

/// The results of `N` pieces of work that tasks do, for one that waits for all of them.
///
/// There is no way to say that work is done but to [`run`](Self::run) it here: it is counted when its
/// future has returned its result and is dropped, so after all of its effects.
///
/// ```compile_fail
/// # use microkit_async::Completion;
/// async fn counts_before_it_works(done: &Completion<()>) {
///     done.publish(()); // error: there is no such method
/// }
/// ```
#[derive(Debug)]
pub struct Completion<T, const N: usize = 1> {
    results: RefCell<Vec<T, N>>,
    /// Pieces of work that have begun.
    begun: Cell<usize>,
    /// Those of them that were dropped before they had a result.
    abandoned: Cell<usize>,
    waiting: WakerSet,
}

/// All pieces of work have begun already.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("as much work as is waited for has begun: wait for that first")
    }
}

impl core::error::Error for Full {}

/// A piece of work was dropped before it had a result.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Abandoned;

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the work was dropped before it had a result")
    }
}

impl core::error::Error for Abandoned {}

impl<T, const N: usize> Completion<T, N> {
    /// Nothing has begun.
    pub const fn new() -> Self {
        Self {
            results: RefCell::new(Vec::new()),
            begun: Cell::new(0),
            abandoned: Cell::new(0),
            waiting: WakerSet::new(),
        }
    }

    /// Does a piece of the work, and publishes its result.
    ///
    /// **Cancel safety:** as `work`. Dropped before it has a result, the work is abandoned, and who
    /// waits is told so.
    /// **Errors:** `N` have begun since the last [`wait`](Self::wait) ended; `work` is not polled.
    pub async fn run(&self, work: impl Future<Output = T>) -> Result<(), Full> {
        if self.begun.get() == N {
            return Err(Full);
        }
        self.begun.set(self.begun.get() + 1);
        let piece = Piece(self);
        // The future is dropped at the end of this statement.
        let result = work.await;
        core::mem::forget(piece);
        // There is room: no more have begun.
        self.results.borrow_mut().push(result).ok();
        self.waiting.wake_all();
        Ok(())
    }

    /// Waits until `N` pieces of work have ended, and takes their results, in the order in which they
    /// were published. From then on as many can begin again.
    ///
    /// **Cancel safety:** the results are taken in the moment in which this returns. Dropped before, it
    /// has taken nothing.
    /// **Errors:** one was abandoned; all others have ended by then, too, and their results are
    /// dropped.
    /// **Panics:** if more than 16 tasks wait.
    pub fn wait(&self) -> impl Future<Output = Result<[T; N], Abandoned>> {
        poll_fn(|task| {
            let ended = self.results.borrow().len() + self.abandoned.get();
            if ended < N {
                self.waiting.add(task.waker());
                return Poll::Pending;
            }
            self.begun.set(0);
            self.abandoned.set(0);
            let results = self.results.take();
            Poll::Ready(results.into_array().map_err(|_| Abandoned))
        })
    }
}

impl<T, const N: usize> Default for Completion<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

/// A piece of work without a result.
struct Piece<'a, T, const N: usize>(&'a Completion<T, N>);

impl<T, const N: usize> Drop for Piece<'_, T, N> {
    fn drop(&mut self) {
        let completion = self.0;
        completion.abandoned.set(completion.abandoned.get() + 1);
        completion.waiting.wake_all();
    }
}
