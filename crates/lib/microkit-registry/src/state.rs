//! What the registry knows, and what follows from each call: no call is made here.

use core::hint::black_box;
use core::sync::atomic::Ordering;

use sel4_microkit::{Channel, ChannelSet, SharedWord};

use crate::{Epoch, LookupReply, MAX_SERVICES, Name, NotAllowed, Table};

/// The registry's book: what is registered, and who wants to know of it.
///
/// Each change says who is to be notified once it is made. [`Registry`](crate::Registry) does so;
/// a PD that does more than a registry can keep a book of its own.
///
/// What is registered is kept in memory that outlives the program too: a word that counts its lives,
/// and one for each service. A change is the store of one word, so that whenever the program is
/// stopped, it is made or it is not.
#[derive(Debug)]
pub struct RegistryState {
    table: &'static Table,
    lasting: &'static [SharedWord],
    is_first_life: bool,
    /// Of each service: the epoch of its last registration, above a bit that says whether it is
    /// registered.
    states: [u64; MAX_SERVICES],
    /// Of each service: a bit for each channel that is to be notified.
    watchers: [u64; MAX_SERVICES],
}

impl RegistryState {
    /// Words of lasting memory that a book needs besides one for each service.
    const LIVES: usize = 1;

    /// Opens the book in `lasting`, memory that is zeros at first, that nobody else can write, and
    /// that stays as it is when the program is restarted.
    ///
    /// **Panics:** if `lasting` has fewer words than one, and one for each service.
    pub fn new(table: &'static Table, lasting: &'static [SharedWord]) -> Self {
        let needed = Self::LIVES + table.services.len();
        assert!(
            lasting.len() >= needed,
            "the registry needs {needed} words that outlive it, but the region has {}",
            lasting.len()
        );
        let lives = lasting[0].load(Ordering::Relaxed);
        lasting[0].store(lives.saturating_add(1), Ordering::Relaxed);
        let mut states = [0; MAX_SERVICES];
        if lives > 0 {
            for (state, word) in states.iter_mut().zip(&lasting[Self::LIVES..needed]) {
                *state = word.load(Ordering::Relaxed);
            }
        }
        Self {
            table,
            lasting,
            is_first_life: lives == 0,
            states,
            watchers: [0; MAX_SERVICES],
        }
    }

    /// Who is to be notified when the book is opened: nobody at first, and after a restart all
    /// clients, since what they wanted to know is forgotten, and what they were to be told may be.
    pub fn opened(&self) -> ChannelSet {
        if self.is_first_life {
            return ChannelSet::default();
        }
        self.table.grants.iter().map(|grant| grant.client).collect()
    }

    /// A life of `caller` begins: what it had registered is withdrawn, and it wants to know nothing.
    pub fn begin(&mut self, caller: Channel) -> ChannelSet {
        let mut told = ChannelSet::default();
        for service in 0..self.table.services.len() {
            self.watchers[service] &= !bit(caller);
            if self.table.services[service].provider == caller {
                told.extend(self.set(service, self.states[service] & !REGISTERED));
            }
        }
        told
    }

    /// `caller` offers a service, from now on.
    ///
    /// **Errors:** it may not, or there is no such service, which are the same; nothing has changed.
    pub fn register(
        &mut self,
        caller: Channel,
        name: Name,
    ) -> Result<(Epoch, ChannelSet), NotAllowed> {
        let service = self.place_if(name, |service| service.provider == caller)?;
        let epoch = (self.states[service] >> 1).wrapping_add(1);
        let told = self.set(service, epoch << 1 | REGISTERED);
        Ok((Epoch(epoch), told))
    }

    /// A service is no more, says `caller`, who offers it or is the parent of who does.
    ///
    /// **Errors:** it is neither, or there is no such service, which are the same; nothing has
    /// changed.
    pub fn withdraw(&mut self, caller: Channel, name: Name) -> Result<ChannelSet, NotAllowed> {
        let service = self.place_if(name, |service| {
            service.provider == caller || service.parent == Some(caller)
        })?;
        Ok(self.set(service, self.states[service] & !REGISTERED))
    }

    /// Where a service is, if it is registered and `caller` may find it. From now on `caller` wants
    /// to know when that changes.
    ///
    /// The instructions that this takes, and what it reads and writes, are the same for every `None`:
    /// it looks at every grant and at every service, and decides nothing on the way.
    pub fn lookup(&mut self, caller: Channel, name: Name) -> Option<LookupReply> {
        let (granted, channel) = self.granted(caller, name);
        let state = self.watch(name, granted, |watchers| watchers | bit(caller));
        (state & REGISTERED != 0).then_some(LookupReply {
            channel,
            epoch: Epoch(state >> 1),
        })
    }

    /// `caller` does not want to know of a service any more. As [`lookup`](Self::lookup), it does the
    /// same for every name.
    pub fn forget(&mut self, caller: Channel, name: Name) {
        let (granted, _) = self.granted(caller, name);
        self.watch(name, granted, |watchers| watchers & !bit(caller));
    }

    /// All ones if `caller` may find that service, and its channel then; otherwise zeros.
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

    /// Changes who watches a service, and returns the service's state: nothing, and zeros, unless
    /// `granted` is all ones.
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

    /// Where a service of that name is of which `may` says so.
    fn place_if(
        &self,
        name: Name,
        may: impl Fn(&crate::Service) -> bool,
    ) -> Result<usize, NotAllowed> {
        let (mut place, mut found) = (0, 0);
        for (index, service) in self.table.services.iter().enumerate() {
            let is_it = all_ones_if_zero(service.name.difference(&name) | u64::from(!may(service)));
            place |= is_it & index as u64;
            found |= is_it;
        }
        if found == 0 {
            return Err(NotAllowed);
        }
        Ok(place as usize)
    }

    /// Changes a service's state, and says who is to be told.
    fn set(&mut self, service: usize, state: u64) -> ChannelSet {
        if self.states[service] == state {
            return ChannelSet::default();
        }
        self.lasting[Self::LIVES + service].store(state, Ordering::Relaxed);
        self.states[service] = state;
        let watchers = self.watchers[service];
        let grants = self.table.grants.iter();
        grants
            .map(|grant| grant.client)
            .filter(|client| watchers & bit(*client) != 0)
            .collect()
    }
}

/// The bit of a state that says that the service is registered.
const REGISTERED: u64 = 1;

const fn bit(channel: Channel) -> u64 {
    1 << channel.index()
}

/// All ones for 0, and otherwise zeros. The compiler does not know which, and so makes no branch of
/// what is done with it.
#[inline]
fn all_ones_if_zero(word: u64) -> u64 {
    black_box(u64::from(word == 0)).wrapping_neg()
}
