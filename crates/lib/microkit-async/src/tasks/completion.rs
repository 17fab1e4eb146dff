//! Waits for the work of other tasks.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::poll_fn;
use core::task::Poll;

use heapless::Vec;

use super::wakers::WakerSet;

/// The results of `N` pieces of work. Several tasks do the work, and one task waits for all
/// results.
///
/// Only [`run`](Self::run) can complete a piece of work. A piece is completed when its future has
/// returned the result and was dropped. So all effects of the work come before the completion.
///
/// ```compile_fail
/// # use microkit_async::Completion;
/// async fn counts_before_it_works(done: &Completion<()>) {
///     done.publish(()); // error: there is no such method
/// }
/// ```
///
/// # Examples
///
/// ```no_run
/// use microkit_async::Completion;
///
/// async fn adds(done: &Completion<u32, 2>, numbers: &[u32]) {
///     done.run(async { numbers.iter().sum() }).await.expect("two tasks run it");
/// }
///
/// async fn waits(done: &Completion<u32, 2>) -> u32 {
///     let sums = done.wait().await.expect("no task was dropped");
///     sums.iter().sum()
/// }
/// ```
#[derive(Debug)]
pub struct Completion<T, const N: usize = 1> {
    results: RefCell<Vec<T, N>>,
    /// The number of pieces of work that have begun.
    begun: Cell<usize>,
    /// The number of pieces that were dropped before they had a result.
    abandoned: Cell<usize>,
    waiting: WakerSet,
}

/// All `N` pieces of work have already begun.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("all pieces of work have begun: wait for their results first")
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
    /// Creates a completion for which no work has begun.
    pub const fn new() -> Self {
        Self {
            results: RefCell::new(Vec::new()),
            begun: Cell::new(0),
            abandoned: Cell::new(0),
            waiting: WakerSet::new(),
        }
    }

    /// Runs a piece of work, and publishes its result.
    ///
    /// **Cancel safety:** the same as for `work`. If the future is dropped before it has a result,
    /// the work is abandoned, and [`wait`](Self::wait) returns [`Abandoned`].
    ///
    /// # Errors
    ///
    /// Returns [`Full`], without polling `work`, if `N` pieces have begun since the last
    /// [`wait`](Self::wait) ended.
    pub async fn run(&self, work: impl Future<Output = T>) -> Result<(), Full> {
        if self.begun.get() == N {
            return Err(Full);
        }
        self.begun.set(self.begun.get() + 1);
        let piece = Piece(self);
        // `work` is dropped at the end of this statement, before the result is published.
        let result = work.await;
        core::mem::forget(piece);
        // The push cannot fail: at most `N` pieces have begun.
        self.results.borrow_mut().push(result).ok();
        self.waiting.wake_all();
        Ok(())
    }

    /// Waits until `N` pieces of work have ended, and takes their results in the order of
    /// publication. After that, `N` new pieces can begin.
    ///
    /// **Cancel safety:** a future that is dropped before it returns has not taken any results.
    ///
    /// # Errors
    ///
    /// Returns [`Abandoned`] if a piece of work was dropped before it had a result. The other
    /// pieces have also ended, and their results are dropped.
    ///
    /// # Panics
    ///
    /// Panics if more than 16 tasks wait.
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

/// A piece of work that has begun and does not have a result yet. Dropping the `Piece` marks the
/// work as abandoned.
struct Piece<'a, T, const N: usize>(&'a Completion<T, N>);

impl<T, const N: usize> Drop for Piece<'_, T, N> {
    fn drop(&mut self) {
        let completion = self.0;
        completion.abandoned.set(completion.abandoned.get() + 1);
        completion.waiting.wake_all();
    }
}
