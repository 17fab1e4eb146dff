//! Words of shared memory. An embedder can run other PDs before each access to a word.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering};

/// A word of memory that PDs share. On the target, `SharedWord` is `AtomicU64`. On a host, an
/// embedder can run another PD before each access ([`AccessPolicy`]).
///
/// The methods are those of `AtomicU64`, with the same meaning.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct SharedWord(AtomicU64);

// SAFETY: the type is a transparent wrapper of `AtomicU64` with only atomic accesses.
unsafe impl crate::memory::Word for SharedWord {}

/// The actions of an embedder at each access to a [`SharedWord`].
///
/// ```
/// use std::sync::atomic::Ordering::Relaxed;
/// use sel4_microkit::SharedWord;
/// use sel4_microkit::host::{AccessPolicy, set_access_policy};
///
/// /// Another PD has a turn before each access.
/// struct Announces;
///
/// impl AccessPolicy for Announces {
///     fn before_access(&self) {
///         println!("another PD can run here");
///     }
/// }
///
/// set_access_policy(&Announces);
/// assert_eq!(SharedWord::new(7).load(Relaxed), 7);
/// ```
pub trait AccessPolicy: Sync {
    /// Runs before each access to a word. Another PD may use the word before this method returns.
    fn before_access(&self);

    /// Returns whether the writes of the PD take effect now.
    ///
    /// An embedder returns `false` while it unwinds a stopped PD, because on the target the PD's
    /// destructors would not run. The access then uses a copy of the word.
    ///
    /// The default returns `true`.
    fn takes_effect(&self) -> bool {
        true
    }
}

/// Sets the policy of the PD that runs in this thread. Without a policy, accesses take effect at
/// once.
pub fn set_access_policy(policy: &'static dyn AccessPolicy) {
    POLICY.set(Some(policy));
}

fn before_access() {
    if let Some(policy) = POLICY.get() {
        policy.before_access();
    }
}

fn takes_effect() -> bool {
    POLICY.get().is_none_or(AccessPolicy::takes_effect)
}

/// The policy of a PD that is not running.
#[derive(Default)]
pub(super) struct PolicyState(Cell<Option<&'static dyn AccessPolicy>>);

impl PolicyState {
    pub(super) fn exchange(&self) {
        POLICY.with(|policy| policy.swap(&self.0));
    }
}

std::thread_local! {
    static POLICY: Cell<Option<&'static dyn AccessPolicy>> = const { Cell::new(None) };
}

macro_rules! accesses {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        #[allow(missing_docs)] // `AtomicU64` documents these methods.
        impl SharedWord {
            $(
                pub fn $name(&self, $($argument: $type,)* order: Ordering) -> $result {
                    before_access();
                    self.with(|word| word.$name($($argument,)* order))
                }
            )*
        }
    };
}

accesses! {
    load() -> u64;
    store(value: u64) -> ();
    swap(value: u64) -> u64;
    fetch_add(value: u64) -> u64;
    fetch_sub(value: u64) -> u64;
    fetch_and(value: u64) -> u64;
    fetch_nand(value: u64) -> u64;
    fetch_or(value: u64) -> u64;
    fetch_xor(value: u64) -> u64;
    fetch_max(value: u64) -> u64;
    fetch_min(value: u64) -> u64;
}

impl SharedWord {
    /// Makes a word, as `AtomicU64::new`.
    pub const fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    /// Stores a value if the word has the value `current`, as `AtomicU64::compare_exchange`.
    ///
    /// # Errors
    ///
    /// Returns the value of the word, if the value is not `current`.
    pub fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        before_access();
        self.with(|word| word.compare_exchange(current, new, success, failure))
    }

    fn with<T>(&self, access: impl FnOnce(&AtomicU64) -> T) -> T {
        if !takes_effect() {
            return access(&AtomicU64::new(self.0.load(Ordering::Relaxed)));
        }
        access(&self.0)
    }

    /// Stores a value, as `AtomicU64::compare_exchange_weak`, but never fails spuriously.
    ///
    /// # Errors
    ///
    /// Returns the value of the word, if the value is not `current`.
    pub fn compare_exchange_weak(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.compare_exchange(current, new, success, failure)
    }

    /// Changes the word, as `AtomicU64::fetch_update`: loads the value, and repeats the exchange
    /// until it succeeds.
    ///
    /// # Errors
    ///
    /// Returns the value of the word, if `change` returns `None`.
    pub fn fetch_update(
        &self,
        success: Ordering,
        failure: Ordering,
        mut change: impl FnMut(u64) -> Option<u64>,
    ) -> Result<u64, u64> {
        let mut before = self.load(failure);
        while let Some(new) = change(before) {
            match self.compare_exchange_weak(before, new, success, failure) {
                Ok(before) => return Ok(before),
                Err(other) => before = other,
            }
        }
        Err(before)
    }
}
