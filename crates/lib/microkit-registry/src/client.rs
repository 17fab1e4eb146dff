//! The client of the registry, for services, their clients and their parents.

use microkit_protocol::CallError;
use sel4_microkit::{Channel, ChannelSet, MayCall, ipc};

use crate::{DirectoryClient, Epoch, LookupReply, Name, NotAllowed, NotFound, Stale};

/// The maximum number of calls for one request. A registry that restarts during a call asks the
/// caller to call again. A registry that asks four times has a bug.
const ATTEMPTS: usize = 4;

/// Calls the registry at the other end of a channel.
///
/// ```
/// use microkit_protocol::CallError;
/// use microkit_registry::{Name, Names};
/// use sel4_microkit::Channel;
///
/// /// Notifies the bell, if it is registered.
/// fn ring(registry: Channel) -> Result<(), CallError> {
///     let names = Names::connect(registry)?;
///     if let Some(bell) = names.lookup(Name::new("bell"))? {
///         bell.channel.notify();
///     }
///     Ok(())
/// }
/// ```
///
/// **Blocking:** every method calls the registry and waits for its reply. The registry replies
/// immediately. If the registry is stopped, the call returns after the registry's restart.
///
/// # Panics
///
/// Every method panics if `Channel::pp_call` panics.
#[derive(Debug)]
pub struct Names<C = Channel> {
    directory: DirectoryClient<C>,
}

/// A service that a lookup has found.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Found {
    /// The service's name.
    pub name: Name,
    /// The client's channel to the service.
    pub channel: Channel,
    /// The epoch of the service's registration.
    pub epoch: Epoch,
}

impl<C: MayCall> Names<C> {
    /// Connects to the registry. Call this once in each incarnation of the PD, before other
    /// requests.
    ///
    /// The registry withdraws the services and cancels the subscriptions of the PD's last
    /// incarnation.
    ///
    /// # Errors
    ///
    /// Returns an error if the registry was built with another version of the protocol, or if the
    /// peer is not a registry.
    pub fn connect(channel: C) -> Result<Self, CallError> {
        let directory = retry(|| DirectoryClient::connect(channel))?;
        retry(|| directory.begin())?;
        Ok(Self { directory })
    }

    /// Looks up a service and subscribes to changes of the result.
    ///
    /// `None` means one of these: the service is not registered, this client may not find the
    /// service, or no service has this name. The client cannot distinguish these cases.
    ///
    /// The registry notifies this PD when the result changes, until [`forget`](Self::forget). After
    /// a notification, look up again. A notification can arrive without a change.
    ///
    /// ```
    /// # use microkit_registry::{Found, Name, Names};
    /// use sel4_microkit::{ChannelSet, Handler, Infallible};
    ///
    /// struct Client {
    ///     names: Names,
    ///     bell: Option<Found>,
    /// }
    ///
    /// impl Handler for Client {
    ///     type Error = Infallible;
    ///
    ///     fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
    ///         self.bell = self.names.lookup(Name::new("bell")).expect("the registry serves");
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the peer is not a registry.
    pub fn lookup(&self, name: Name) -> Result<Option<Found>, CallError> {
        match retry(|| self.directory.lookup(name)) {
            Ok(LookupReply { channel, epoch }) => {
                // A peer that is not a registry can send an invalid identifier.
                let channel = channel_of(channel).ok_or(CallError::BadReply)?;
                Ok(Some(Found {
                    name,
                    channel,
                    epoch,
                }))
            }
            Err(CallError::Method(NotFound)) => Ok(None),
            Err(CallError::Refused(refusal)) => Err(CallError::Refused(refusal)),
            Err(CallError::BadReply) => Err(CallError::BadReply),
        }
    }

    /// Waits until a service is registered. Call this in `init`.
    ///
    /// If other channels notify during the wait, this method adds these channels to `others`. In a
    /// handler, call [`lookup`](Self::lookup) and return instead of waiting. The handler runs again
    /// when the service registers.
    ///
    /// ```
    /// # use microkit_protocol::CallError;
    /// # use microkit_registry::{Found, Name, Names};
    /// use sel4_microkit::ChannelSet;
    ///
    /// fn find(names: &Names) -> Result<Found, CallError> {
    ///     let mut missed = ChannelSet::default();
    ///     let found = names.wait_for(Name::new("bell"), &mut missed)?;
    ///     // Handle the channels in `missed` here.
    ///     Ok(found)
    /// }
    /// ```
    ///
    /// **Blocking:** until the service registers.
    ///
    /// # Errors
    ///
    /// Returns an error if the peer is not a registry.
    ///
    /// # Panics
    ///
    /// Panics if a protected procedure call or a fault arrives during the wait, because this method
    /// cannot reply.
    pub fn wait_for(&self, name: Name, others: &mut ChannelSet) -> Result<Found, CallError> {
        loop {
            if let Some(found) = self.lookup(name)? {
                return Ok(found);
            }
            ipc::wait_for(self.directory.channel().to_call(), others);
        }
    }

    /// Checks that the epoch of a service has not changed since its lookup.
    ///
    /// ```
    /// # use microkit_registry::{Found, Names, Stale};
    /// fn ring(names: &Names, bell: &Found) -> Result<(), Stale> {
    ///     names.check(bell)?;
    ///     bell.channel.notify();
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Stale`] if the service has another epoch, if it is not found, or if the call
    /// fails.
    pub fn check(&self, found: &Found) -> Result<(), Stale> {
        match self.lookup(found.name) {
            Ok(Some(now)) => now.epoch.check(found.epoch),
            Ok(None) | Err(_) => Err(Stale),
        }
    }

    /// Unsubscribes from a service. After this call returns, the registry sends no notification
    /// about the service.
    ///
    /// ```
    /// # use microkit_protocol::CallError;
    /// # use microkit_registry::{Name, Names};
    /// # fn f(names: &Names) -> Result<(), CallError> {
    /// names.forget(Name::new("bell"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the peer is not a registry.
    pub fn forget(&self, name: Name) -> Result<(), CallError> {
        retry(|| self.directory.forget(name))
    }

    /// Registers a service and returns the epoch of the registration.
    ///
    /// The service must be ready before this call, because the registry notifies clients before the
    /// call returns.
    ///
    /// ```
    /// # use microkit_protocol::CallError;
    /// # use microkit_registry::{Name, Names, NotAllowed};
    /// # fn f(names: &Names) -> Result<(), CallError<NotAllowed>> {
    /// let epoch = names.register(Name::new("bell"))?;
    /// // The service checks the epoch of each request against this one.
    /// # let _ = epoch;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`NotAllowed`] if this PD is not the service's provider in the registry's table.
    pub fn register(&self, name: Name) -> Result<Epoch, CallError<NotAllowed>> {
        retry(|| self.directory.register(name))
    }

    /// Withdraws a service. Clients cannot find the service until it registers again.
    ///
    /// ```
    /// # use microkit_protocol::CallError;
    /// # use microkit_registry::{Name, Names, NotAllowed};
    /// # fn f(names: &Names) -> Result<(), CallError<NotAllowed>> {
    /// names.withdraw(Name::new("bell"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`NotAllowed`] if this PD is neither the service's provider nor its parent in the
    /// registry's table.
    pub fn withdraw(&self, name: Name) -> Result<(), CallError<NotAllowed>> {
        retry(|| self.directory.withdraw(name))
    }

    /// Reports the death of a child that provides a service. The registry withdraws the service.
    ///
    /// Call this before restarting the child. Otherwise, a client could use the new incarnation
    /// with a handle of the old incarnation.
    ///
    /// ```
    /// # use microkit_registry::{Name, Names};
    /// use sel4_microkit::{Child, EntryPoint, Handler, MessageInfo};
    ///
    /// struct Parent {
    ///     names: Names,
    ///     bell: EntryPoint,
    /// }
    ///
    /// impl Handler for Parent {
    ///     type Error = sel4::Error;
    ///
    ///     fn fault(
    ///         &mut self,
    ///         child: Child,
    ///         _: MessageInfo,
    ///     ) -> Result<Option<MessageInfo>, sel4::Error> {
    ///         self.names.report_death(Name::new("bell")).expect("the table allows it");
    ///         child.restart(self.bell)?;
    ///         Ok(None)
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`NotAllowed`] if this PD is not the service's parent in the registry's table.
    pub fn report_death(&self, name: Name) -> Result<(), CallError<NotAllowed>> {
        retry(|| self.directory.withdraw(name))
    }
}

/// Makes a call, and repeats it if the registry was restarted during the call.
///
/// A restarted registry answers with a label that is not in the protocol (`protocol::CALL_AGAIN`),
/// so the client sees a bad reply. Every request can run twice without harm: a repeated
/// registration only gets a later epoch.
fn retry<T, E>(call: impl Fn() -> Result<T, CallError<E>>) -> Result<T, CallError<E>> {
    for _ in 1..ATTEMPTS {
        match call() {
            Err(CallError::BadReply) => (),
            answer => return answer,
        }
    }
    call()
}

/// Returns the channel with the identifier `index`, if the identifier is valid (Microkit manual,
/// *Channels*).
fn channel_of(index: u64) -> Option<Channel> {
    const CHANNELS: u64 = 62;
    (index < CHANNELS).then(|| Channel::new(index as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_identifier_is_at_most_61() {
        let check = |index, expect: Option<usize>| {
            let found = channel_of(index).map(|channel| channel.index());
            assert_eq!(found, expect, "{index}");
        };
        check(0, Some(0));
        check(61, Some(61));
        check(62, None);
        check(u64::MAX, None);
    }
}
