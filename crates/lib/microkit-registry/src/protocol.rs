//! The protocol between the registry and its users.

use microkit_protocol::protocol;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{Epoch, Name};

/// The registry's protocol. [`Registry`](crate::Registry) implements this protocol, and
/// [`Names`](crate::Names) calls it.
#[protocol]
pub trait Directory {
    /// Starts a new incarnation of the caller: withdraws its services and cancels its
    /// subscriptions.
    fn begin(&mut self);

    /// Registers a service of the caller.
    ///
    /// # Errors
    ///
    /// Returns [`NotAllowed`] if the caller is not the service's provider.
    fn register(&mut self, name: Name) -> Result<Epoch, NotAllowed>;

    /// Withdraws a service. The caller must be its provider or the provider's parent.
    ///
    /// # Errors
    ///
    /// Returns [`NotAllowed`] if the caller is neither the provider nor the provider's parent.
    fn withdraw(&mut self, name: Name) -> Result<(), NotAllowed>;

    /// Looks up a service and subscribes the caller to changes of the result.
    ///
    /// # Errors
    ///
    /// Returns [`NotFound`] if the service is not registered or the caller may not find it.
    fn lookup(&mut self, name: Name) -> Result<LookupReply, NotFound>;

    /// Unsubscribes the caller from a service.
    fn forget(&mut self, name: Name);
}

/// The reply to a lookup that finds the service.
#[derive(Debug, Copy, Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct LookupReply {
    /// The identifier of the caller's channel to the service.
    pub channel: u64,
    /// The epoch of the service's registration.
    pub epoch: Epoch,
}

/// The error of a lookup that finds nothing.
///
/// The error is the same for an unknown name, a service that is not registered, and a service that
/// the caller may not find.
#[derive(Debug, Copy, Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct NotFound;

/// The error of a request that the registry's table does not allow.
///
/// The error is the same for an unknown name and for a service of another PD.
#[derive(Debug, Copy, Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct NotAllowed;

impl core::fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(
            "this protection domain may not register or withdraw that service: make it the provider \
             or the parent in the registry's table",
        )
    }
}

impl core::error::Error for NotAllowed {}

/// The label of a reply that asks the caller to call again. A restarted registry sends this reply
/// to a caller that its last incarnation did not answer.
///
/// The protocol does not use this label, so the client sees a bad reply and calls again. The label
/// is not `microkit_protocol::RESTARTED`, because [`Names`](crate::Names) hides the restart from
/// the caller.
pub(crate) const CALL_AGAIN: u64 = 0xf0;
