//! Which life of a service a handle is of.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Which registration of a service: each has a later one than all before it.
///
/// It travels in messages, so that a client can say with a request which life of the service it
/// believes to speak to, and the service [can tell](Self::check).
#[derive(
    Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, FromBytes, IntoBytes, Immutable,
)]
#[repr(transparent)]
pub struct Epoch(pub(crate) u64);

impl Epoch {
    /// As a number, from 1 on.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Whether a request that was made to the life `wanted` is for this one.
    ///
    /// **Errors:** it is for another.
    pub fn check(self, wanted: Self) -> Result<(), Stale> {
        if self == wanted { Ok(()) } else { Err(Stale) }
    }
}

/// The handle is of an earlier life of the service, or the service is not there any more: look it up
/// again.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Stale;

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handle is of an earlier life of the service: look it up again")
    }
}

impl core::error::Error for Stale {}
