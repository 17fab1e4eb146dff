//! What travels between the registry and those that use it.

use microkit_protocol::protocol;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{Epoch, Name};

/// The registry, as it is called: [`Registry`](crate::Registry) answers, [`Names`](crate::Names)
/// calls.
#[protocol]
pub trait Directory {
    /// The caller's life begins: what it had registered is no more, and it is told of nothing.
    fn begin(&mut self);

    /// The caller offers a service.
    fn register(&mut self, name: Name) -> Result<Epoch, NotAllowed>;

    /// A service is no more: who offers it says so, or its parent.
    fn withdraw(&mut self, name: Name) -> Result<(), NotAllowed>;

    /// Where a service is. Whatever the answer, the caller is notified when it changes.
    fn lookup(&mut self, name: Name) -> Result<LookupReply, NotFound>;

    /// The caller is not to be notified of a service any more.
    fn forget(&mut self, name: Name);
}

/// Where a service is.
#[derive(Debug, Copy, Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct LookupReply {
    /// The identifier of the caller's channel to it.
    pub channel: u64,
    /// Which life of it.
    pub epoch: Epoch,
}

/// There is no such service, or not yet, or not any more, or not for the caller: all the same.
#[derive(Debug, Copy, Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct NotFound;

/// The caller may not do that with such a service, if there is one.
#[derive(Debug, Copy, Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct NotAllowed;

impl core::fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(
            "the registry does not let this protection domain offer or withdraw that service: its \
             table says who may",
        )
    }
}

impl core::error::Error for NotAllowed {}

/// The label of a reply to a caller whose call the registry has forgotten because it was restarted:
/// none of the protocol's, so that the call is made again.
pub(crate) const FORGOTTEN: u64 = 0xf0;
