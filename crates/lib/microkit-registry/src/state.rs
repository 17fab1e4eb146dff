//! The registry's state, and the changes that each request makes.
//!
//! This module does not make system calls. Each change returns the clients to notify, so tests can
//! check every step on the host.
//!
//! # Layout
//!
//! Registrations must survive a restart of the registry, so the memory region `lasting` stores
//! them:
//!
//! | word | contents |
//! | --- | --- |
//! | 0 | the number of incarnations of the registry |
//! | 1 + index of a service | epoch of its last registration << 1, plus 1 if it is registered |
//!
//! Each change of a service is one store to the service's word. So if the registry dies, each
//! change is either complete or not made. Subscriptions are lost at a restart: a restarted registry
//! notifies all clients instead.

use core::hint::black_box;
use core::sync::atomic::Ordering;

use sel4_microkit::{Channel, ChannelSet, SharedWord};

use crate::{Epoch, LookupReply, MAX_SERVICES, Name, NotAllowed, Table};

/// The registrations and subscriptions of a registry.
///
/// Every change returns the channels to notify after the change. [`Registry`](crate::Registry)
/// notifies these channels. A PD with other tasks besides the registry can use this type in its own
/// handler:
///
/// ```
/// use microkit_registry::{Grant, Name, NotAllowed, RegistryState, Service, Table};
/// use sel4_microkit::{Channel, SharedWord};
///
/// const BELL: Name = Name::new("bell");
/// const PROVIDER: Channel = Channel::new(1);
/// const CLIENT: Channel = Channel::new(2);
///
/// static TABLE: Table = Table::new(
///     &[Service { name: BELL, provider: PROVIDER, parent: None }],
///     &[Grant { service: BELL, client: CLIENT, channel: Channel::new(5) }],
/// );
/// // In a PD: a memory region, from `shared_words!`.
/// static LASTING: [SharedWord; 2] = [const { SharedWord::new(0) }; 2];
///
/// let mut state = RegistryState::new(&TABLE, &LASTING);
/// assert_eq!(state.lookup(CLIENT, BELL), None);
/// let (epoch, to_notify) = state.register(PROVIDER, BELL)?;
/// assert_eq!(epoch.number(), 1);
/// assert!(to_notify.contains(CLIENT));
/// assert_eq!(state.lookup(CLIENT, BELL).map(|reply| reply.channel), Some(5));
/// # Ok::<(), NotAllowed>(())
/// ```
///
/// Registrations are in memory that keeps its contents over a restart. Subscriptions are lost at a
/// restart.
#[derive(Debug)]
pub struct RegistryState {
    table: &'static Table,
    lasting: &'static [SharedWord],
    is_first_incarnation: bool,
    /// For each service: the epoch of its last registration << 1, plus [`REGISTERED`] if the
    /// service is registered. The array is a copy of the words in `lasting`, so that a lookup does
    /// not read shared memory.
    states: [u64; MAX_SERVICES],
    /// For each service: a bit for each subscribed channel.
    watchers: [u64; MAX_SERVICES],
}

impl RegistryState {
    /// The number of words in `lasting` before the services' words. The header word counts the
    /// incarnations.
    const HEADER_WORDS: usize = 1;

    /// Reads the state from `lasting`.
    ///
    /// `lasting` must be zero at boot, and must keep its contents over a restart of this PD. Other
    /// PDs must not be able to write to `lasting`.
    ///
    /// # Panics
    ///
    /// Panics if `lasting` has fewer than `n + 1` words, for a table with `n` services.
    pub fn new(table: &'static Table, lasting: &'static [SharedWord]) -> Self {
        let needed = Self::HEADER_WORDS + table.services.len();
        assert!(
            lasting.len() >= needed,
            "the registry needs a region of {needed} words for its state, but the region has {}",
            lasting.len()
        );
        let incarnations = lasting[0].load(Ordering::Relaxed);
        lasting[0].store(incarnations.saturating_add(1), Ordering::Relaxed);
        let mut states = [0; MAX_SERVICES];
        if incarnations > 0 {
            for (state, word) in states.iter_mut().zip(&lasting[Self::HEADER_WORDS..needed]) {
                *state = word.load(Ordering::Relaxed);
            }
        }
        Self {
            table,
            lasting,
            is_first_incarnation: incarnations == 0,
            states,
            watchers: [0; MAX_SERVICES],
        }
    }

    /// Returns the clients to notify when this incarnation starts.
    ///
    /// The set is empty after boot, and contains all clients after a restart. A restart loses all
    /// subscriptions, and the last incarnation may have died before it notified its subscribers.
    pub fn to_notify_at_start(&self) -> ChannelSet {
        if self.is_first_incarnation {
            return ChannelSet::default();
        }
        self.table.grants.iter().map(|grant| grant.client).collect()
    }

    /// Starts a new incarnation of `caller`: withdraws its services and cancels its subscriptions.
    pub fn begin(&mut self, caller: Channel) -> ChannelSet {
        let mut to_notify = ChannelSet::default();
        for service in 0..self.table.services.len() {
            self.watchers[service] &= !bit(caller);
            if self.table.services[service].provider == caller {
                to_notify.extend(self.set(service, self.states[service] & !REGISTERED));
            }
        }
        to_notify
    }

    /// Registers a service of `caller`.
    ///
    /// # Errors
    ///
    /// Returns [`NotAllowed`] if `caller` is not the provider of a service with that name. After an
    /// error, the state is unchanged.
    pub fn register(
        &mut self,
        caller: Channel,
        name: Name,
    ) -> Result<(Epoch, ChannelSet), NotAllowed> {
        let service = self.index_if(name, |service| service.provider == caller)?;
        let epoch = (self.states[service] >> 1).wrapping_add(1);
        let to_notify = self.set(service, epoch << 1 | REGISTERED);
        Ok((Epoch(epoch), to_notify))
    }

    /// Withdraws a service. `caller` must be its provider or the provider's parent.
    ///
    /// # Errors
    ///
    /// Returns [`NotAllowed`] if `caller` is neither the provider of a service with that name nor
    /// the provider's parent. After an error, the state is unchanged.
    pub fn withdraw(&mut self, caller: Channel, name: Name) -> Result<ChannelSet, NotAllowed> {
        let service = self.index_if(name, |service| {
            service.provider == caller || service.parent == Some(caller)
        })?;
        Ok(self.set(service, self.states[service] & !REGISTERED))
    }

    /// Looks up a service, and subscribes `caller` if it may find the service.
    ///
    /// Returns the service if it is registered and `caller` may find it. Every lookup that returns
    /// `None` executes the same instructions and accesses the same memory. The search visits every
    /// grant and every service, and does not branch on the result.
    pub fn lookup(&mut self, caller: Channel, name: Name) -> Option<LookupReply> {
        let (granted, channel) = self.granted(caller, name);
        let state = self.watch(name, granted, |watchers| watchers | bit(caller));
        (state & REGISTERED != 0).then_some(LookupReply {
            channel,
            epoch: Epoch(state >> 1),
        })
    }

    /// Unsubscribes `caller` from a service. Like [`lookup`](Self::lookup), this method executes
    /// the same instructions for every name.
    pub fn forget(&mut self, caller: Channel, name: Name) {
        let (granted, _) = self.granted(caller, name);
        self.watch(name, granted, |watchers| watchers & !bit(caller));
    }

    /// Returns a mask and the channel to the service. The mask is all ones if `caller` may find the
    /// service. Otherwise, both results are zero.
    #[inline]
    fn granted(&self, caller: Channel, name: Name) -> (u64, u64) {
        let (mut granted, mut channel) = (0, 0);
        for grant in self.table.grants {
            let other = (grant.client.index() ^ caller.index()) as u64;
            let is_it = all_ones_if_zero(grant.service.difference(&name) | other);
            granted |= is_it;
            channel |= is_it & grant.channel.index() as u64;
        }
        (granted, channel)
    }

    /// Changes the subscriptions to a service and returns the service's state. If `granted` is
    /// zero, changes nothing and returns 0.
    #[inline]
    fn watch(&mut self, name: Name, granted: u64, change: impl Fn(u64) -> u64) -> u64 {
        let mut found = 0;
        let all = self.states.iter().zip(&mut self.watchers);
        for (service, (state, watchers)) in self.table.services.iter().zip(all) {
            let is_it = all_ones_if_zero(service.name.difference(&name)) & granted;
            found |= is_it & state;
            *watchers = (*watchers & !is_it) | (change(*watchers) & is_it);
        }
        found
    }

    /// Returns the index of the service with that name, if `may` returns true for the service.
    fn index_if(
        &self,
        name: Name,
        may: impl Fn(&crate::Service) -> bool,
    ) -> Result<usize, NotAllowed> {
        let (mut found_index, mut found) = (0, 0);
        for (index, service) in self.table.services.iter().enumerate() {
            let is_it = all_ones_if_zero(service.name.difference(&name) | u64::from(!may(service)));
            found_index |= is_it & index as u64;
            found |= is_it;
        }
        if found == 0 {
            return Err(NotAllowed);
        }
        Ok(found_index as usize)
    }

    /// Sets a service's state. Returns the subscribed clients if the state has changed.
    fn set(&mut self, service: usize, state: u64) -> ChannelSet {
        if self.states[service] == state {
            return ChannelSet::default();
        }
        self.lasting[Self::HEADER_WORDS + service].store(state, Ordering::Relaxed);
        self.states[service] = state;
        let watchers = self.watchers[service];
        let grants = self.table.grants.iter();
        grants
            .map(|grant| grant.client)
            .filter(|client| watchers & bit(*client) != 0)
            .collect()
    }
}

/// The bit of a service's state that is set while the service is registered.
const REGISTERED: u64 = 1;

const fn bit(channel: Channel) -> u64 {
    1 << channel.index()
}

/// Returns all ones if `word` is 0, and 0 otherwise.
///
/// `black_box` hides the value from the compiler. Without `black_box`, the compiler could turn the
/// masks above into branches, and the time of a lookup would reveal which services exist.
#[inline]
fn all_ones_if_zero(word: u64) -> u64 {
    black_box(u64::from(word == 0)).wrapping_neg()
}
