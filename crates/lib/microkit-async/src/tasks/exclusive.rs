//! Values that several tasks change, one task at a time.

use core::cell::RefCell;
use core::fmt;

/// A value that tasks share and change without a mutex.
///
/// Between two waits of a task, no other code of the protection domain runs. So access to the value
/// never waits. A task cannot wait during the borrow, because the borrowing closure is not async:
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
///
/// # Examples
///
/// ```
/// use microkit_async::Exclusive;
///
/// let list = Exclusive::new(vec![1, 2]);
/// list.with(|list| list.push(3));
/// assert_eq!(list.with(|list| list.len()), 3);
/// ```
pub struct Exclusive<T> {
    value: RefCell<T>,
}

impl<T> Exclusive<T> {
    /// Creates a shared value.
    pub const fn new(value: T) -> Self {
        Self {
            value: RefCell::new(value),
        }
    }

    /// Calls `f` with a mutable reference to the value.
    ///
    /// **Blocking:** never.
    ///
    /// # Panics
    ///
    /// Panics if called inside another `with` of the same value.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        match self.value.try_borrow_mut() {
            Ok(mut value) => f(&mut value),
            Err(_) => panic!("this value is already lent by a `with` around this one"),
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
    #[should_panic(expected = "this value is already lent by a `with` around this one")]
    fn it_is_lent_once_at_a_time() {
        let shared = Exclusive::new(1);
        assert_eq!(shared.with(|value| core::mem::replace(value, 2)), 1);
        shared.with(|_| shared.with(|_| ()));
    }
}
