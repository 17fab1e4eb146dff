//! The epoch of a service, which tells a stale handle from a current one.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The number of a service's registration. Each registration has a later epoch than the one before.
///
/// An epoch can travel in messages. So a client can send the epoch that it knows with each request,
/// and the service [checks](Self::check) it:
///
/// ```
/// use microkit_registry::{Epoch, Stale};
///
/// struct Service {
///     own: Epoch, // From `Names::register`.
/// }
///
/// impl Service {
///     fn sum(&self, wanted: Epoch, numbers: &[u64]) -> Result<u64, Stale> {
///         self.own.check(wanted)?;
///         Ok(numbers.iter().sum())
///     }
/// }
/// ```
#[derive(
    Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, FromBytes, IntoBytes, Immutable,
)]
#[repr(transparent)]
pub struct Epoch(pub(crate) u64);

impl Epoch {
    /// Returns the epoch as a number. The first one is 1.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Checks that a request for the epoch `wanted` is for this epoch.
    ///
    /// # Errors
    ///
    /// Returns [`Stale`] if it is for another.
    pub fn check(self, wanted: Self) -> Result<(), Stale> {
        if self == wanted { Ok(()) } else { Err(Stale) }
    }
}

/// The error of a stale handle: the service has registered again, or is no longer registered. Look
/// it up again.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Stale;

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handle is of an earlier epoch of the service: look the service up again")
    }
}

impl core::error::Error for Stale {}
