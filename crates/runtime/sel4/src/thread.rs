//! Statics with a separate value for each thread.

/// Declares a static with a separate value for each thread. `NAME.with(|value| …)` lends the value.
///
/// A protection domain has one thread, so the target uses a plain static. The macro accepts only
/// `doc` attributes, because `forbid(unsafe_code)` does not check attributes that a macro passes
/// on.
#[doc(hidden)]
#[macro_export]
macro_rules! static_of_the_thread {
    ($(#[doc = $doc:expr])* $visibility:vis static $name:ident: $type:ty = $value:expr;) => {
        #[cfg(target_os = "none")]
        $(#[doc = $doc])*
        $visibility static $name: $crate::OfTheThread<$type> = $crate::OfTheThread::new($value);

        #[cfg(not(target_os = "none"))]
        ::std::thread_local! {
            $(#[doc = $doc])*
            $visibility static $name: $type = const { $value };
        }
    };
}

/// A value for the single thread of a protection domain.
#[cfg(target_os = "none")]
#[doc(hidden)]
pub struct OfTheThread<T>(T);

// SAFETY: 1. A protection domain has one thread (Microkit manual, *Protection Domains*: "A PD
//    provides a thread of control"), and signal handlers never interrupt the thread.
// 2. A virtual CPU is not a thread of this program, because a guest has its own address space.
#[cfg(target_os = "none")]
unsafe impl<T> Sync for OfTheThread<T> {}

#[cfg(target_os = "none")]
impl<T> OfTheThread<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Runs `run` with a reference to the value.
    #[inline(always)]
    pub fn with<R>(&'static self, run: impl FnOnce(&T) -> R) -> R {
        run(&self.0)
    }
}
