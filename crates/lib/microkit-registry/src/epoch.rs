//! The epoch of a service: the number that distinguishes a stale handle from a current handle.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The number of a service's registration. Each registration of a service has a later epoch than
/// the previous registration.
///
/// An epoch can be sent in messages. A client can send the epoch from its lookup with each request,
/// and the service [checks](Self::check) this epoch:
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
    /// Returns the epoch as a number. The first epoch of a service is 1.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Checks that the epoch `wanted` of a request is equal to this epoch.
    ///
    /// # Errors
    ///
    /// Returns [`Stale`] if the two epochs differ.
    pub fn check(self, wanted: Self) -> Result<(), Stale> {
        if self == wanted { Ok(()) } else { Err(Stale) }
    }
}

/// The error of a stale handle: the service has registered again, or is no longer registered. Look
/// the service up again.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Stale;

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handle is of an earlier epoch of the service: look the service up again")
    }
}

impl core::error::Error for Stale {}
