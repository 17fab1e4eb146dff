//! What tasks change by turns.

use core::cell::RefCell;
use core::fmt;

/// A value that tasks share and change: what a mutex would be for, where there are threads.
///
/// Between two waits nobody else of the protection domain runs, so there is nothing to wait for. And it
/// cannot be kept while one waits, as it is only lent to a function that does not:
///
/// ```compile_fail
/// # use microkit_async::{Drainable, Exclusive};
/// async fn removes(list: &Exclusive<Vec<u32>>, item: &Drainable<u32>) {
///     list.with(|list| {
///         list.clear();
///         item.drain().await; // error: `await` is only allowed inside `async` functions and blocks
///     });
/// }
/// ```
pub struct Exclusive<T> {
    value: RefCell<T>,
}

impl<T> Exclusive<T> {
    /// Shares it.
    pub const fn new(value: T) -> Self {
        Self {
            value: RefCell::new(value),
        }
    }

    /// Lends it to `f`.
    ///
    /// **Blocks:** never. **Panics:** inside of itself.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        match self.value.try_borrow_mut() {
            Ok(mut value) => f(&mut value),
            Err(_) => panic!("what is lent by `with` is asked for inside of that `with`"),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Exclusive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "what is lent by `with` is asked for inside of that `with`")]
    fn it_is_lent_once_at_a_time() {
        let shared = Exclusive::new(1);
        assert_eq!(shared.with(|value| core::mem::replace(value, 2)), 1);
        shared.with(|_| shared.with(|_| ()));
    }
}
