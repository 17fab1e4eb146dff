//! The registry, for those that use it: services, clients and parents.

use microkit_protocol::CallError;
use sel4_microkit::{Channel, ChannelSet, MayCall, ipc};

use crate::{DirectoryClient, Epoch, LookupReply, Name, NotAllowed, NotFound, Stale};

/// How often a call is made while its answer is none: a registry that is restarted in the midst of a
/// call says to call again, and one that always does is broken.
const ATTEMPTS: usize = 4;

/// The registry at the other end of a channel.
///
/// All methods call the registry. **Blocks:** until it answers, which it does at once; while it is
/// stopped, until it is restarted. **Panics:** as `Channel::pp_call`.
#[derive(Debug)]
pub struct Names<C = Channel> {
    directory: DirectoryClient<C>,
}

/// A service, as it was found.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is called.
    pub name: Name,
    /// The channel to it.
    pub channel: Channel,
    /// Which life of it.
    pub epoch: Epoch,
}

impl<C: MayCall> Names<C> {
    /// Begins to use the registry. To be done once in each life: what the last one had registered is
    /// withdrawn, and what it wanted to know is forgotten.
    ///
    /// **Errors:** the registry is of another version of the protocol.
    pub fn connect(channel: C) -> Result<Self, CallError> {
        let directory = again(|| DirectoryClient::connect(channel))?;
        again(|| directory.begin())?;
        Ok(Self { directory })
    }

    /// Looks up a service. `None` says that it is not there, or not yet, or not any more, or not for
    /// this client, or that there is no such service.
    ///
    /// Whatever the answer is, this PD is notified by the registry when it changes, until it says
    /// [`forget`](Self::forget). A notification asks to look again: it can come without a change.
    ///
    /// **Errors:** what answers is no registry.
    pub fn lookup(&self, name: Name) -> Result<Option<Found>, CallError> {
        match again(|| self.directory.lookup(name)) {
            Ok(LookupReply { channel, epoch }) => {
                // From anybody else than a registry it can be anything.
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

    /// Looks up a service, and waits until it is there; others that notify meanwhile are added to
    /// `others`. For an initialisation; in a handler, [`lookup`](Self::lookup) and return.
    ///
    /// **Blocks:** until the service has registered.
    /// **Errors:** what answers is no registry.
    /// **Panics:** if a call or a fault comes meanwhile, which this cannot answer.
    pub fn wait_for(&self, name: Name, others: &mut ChannelSet) -> Result<Found, CallError> {
        loop {
            if let Some(found) = self.lookup(name)? {
                return Ok(found);
            }
            ipc::wait_for(self.directory.channel().to_call(), others);
        }
    }

    /// Whether a service is still the one that was found.
    ///
    /// **Errors:** it is not, or the registry does not say so.
    pub fn check(&self, found: &Found) -> Result<(), Stale> {
        match self.lookup(found.name) {
            Ok(Some(now)) => now.epoch.check(found.epoch),
            Ok(None) | Err(_) => Err(Stale),
        }
    }

    /// Ends that the registry notifies of a service: it does not from when this returns.
    ///
    /// **Errors:** what answers is no registry.
    pub fn forget(&self, name: Name) -> Result<(), CallError> {
        again(|| self.directory.forget(name))
    }

    /// Offers a service, and returns which life of it this is. It is to be ready then: clients know
    /// before this returns.
    ///
    /// **Errors:** the registry's table does not let this PD offer it.
    pub fn register(&self, name: Name) -> Result<Epoch, CallError<NotAllowed>> {
        again(|| self.directory.register(name))
    }

    /// Ends to offer a service.
    ///
    /// **Errors:** the registry's table does not let this PD offer it.
    pub fn withdraw(&self, name: Name) -> Result<(), CallError<NotAllowed>> {
        again(|| self.directory.withdraw(name))
    }

    /// Says that a child of this PD, which offers a service, is dead: to be done before it is
    /// restarted, so that nobody takes the new life for the old one.
    ///
    /// **Errors:** the registry's table does not have this PD as the parent of that service.
    pub fn report_death(&self, name: Name) -> Result<(), CallError<NotAllowed>> {
        again(|| self.directory.withdraw(name))
    }
}

/// Makes a call, and once more if the registry has forgotten it.
fn again<T, E>(call: impl Fn() -> Result<T, CallError<E>>) -> Result<T, CallError<E>> {
    for _ in 1..ATTEMPTS {
        match call() {
            Err(CallError::BadReply) => (),
            answer => return answer,
        }
    }
    call()
}

fn channel_of(index: u64) -> Option<Channel> {
    const CHANNELS: u64 = 62;
    (index < CHANNELS).then(|| Channel::new(index as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_has_an_identifier_up_to_61() {
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
