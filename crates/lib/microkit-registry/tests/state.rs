//! Tests the registry's state without a system: the effect of each request, and the isolation of
//! PDs from each other.

mod common;

use common::{ALICE, BELL, MALLORY, PARENT, PEER, PROVIDER, TABLE};
use microkit_registry::{
    Grant, LookupReply, Name, NotAllowed, Registry, RegistryState, Service, Table,
};
use proptest::prelude::*;
use sel4_microkit::{Channel, ChannelSet, SharedWord};

/// A table with two services. `ALICE` may find both services, and `MALLORY` may find only `sum`.
static TWO: Table = Table::new(
    &[
        Service {
            name: BELL,
            provider: PROVIDER,
            parent: Some(PARENT),
        },
        Service {
            name: Name::new("sum"),
            provider: Channel::new(5),
            parent: None,
        },
    ],
    &[
        Grant {
            service: BELL,
            client: ALICE,
            channel: PEER,
        },
        Grant {
            service: Name::new("sum"),
            client: MALLORY,
            channel: Channel::new(7),
        },
        Grant {
            service: Name::new("sum"),
            client: ALICE,
            channel: Channel::new(61),
        },
    ],
);

const SUM: Name = Name::new("sum");
const UNKNOWN: Name = Name::new("unknown");

fn lasting() -> &'static [SharedWord] {
    Box::leak((0..8).map(|_| SharedWord::new(0)).collect())
}

fn set(channels: &[Channel]) -> ChannelSet {
    channels.iter().copied().collect()
}

/// Looks a service up and returns its channel and epoch.
fn find(state: &mut RegistryState, who: Channel, name: Name) -> Option<(u64, u64)> {
    let reply: Option<LookupReply> = state.lookup(who, name);
    reply.map(|reply| (reply.channel, reply.epoch.number()))
}

#[test]
fn a_lookup_subscribes_to_every_change() {
    let mut state = RegistryState::new(&TWO, lasting());
    assert_eq!(state.to_notify_at_start(), set(&[]));
    assert_eq!(find(&mut state, ALICE, SUM), None);
    let (epoch, to_notify) = state.register(Channel::new(5), SUM).unwrap();
    assert_eq!((epoch.number(), to_notify), (1, set(&[ALICE])));
    assert_eq!(find(&mut state, ALICE, SUM), Some((61, 1)));
    assert_eq!(find(&mut state, MALLORY, SUM), Some((7, 1)));
    assert_eq!(
        state.withdraw(Channel::new(5), SUM),
        Ok(set(&[ALICE, MALLORY]))
    );
    assert_eq!(state.withdraw(Channel::new(5), SUM), Ok(set(&[])));
    assert_eq!(find(&mut state, ALICE, SUM), None);
    state.forget(ALICE, SUM);
    let (epoch, to_notify) = state.register(Channel::new(5), SUM).unwrap();
    assert_eq!((epoch.number(), to_notify), (2, set(&[MALLORY])));
}

#[test]
fn a_new_incarnation_of_a_service_withdraws_it_and_gets_a_later_epoch() {
    let mut state = RegistryState::new(&TWO, lasting());
    state.register(PROVIDER, BELL).unwrap();
    assert_eq!(find(&mut state, ALICE, BELL), Some((2, 1)));
    assert_eq!(state.begin(PROVIDER), set(&[ALICE]));
    assert_eq!(find(&mut state, ALICE, BELL), None);
    state.register(PROVIDER, BELL).unwrap();
    state.register(PROVIDER, BELL).unwrap();
    assert_eq!(find(&mut state, ALICE, BELL), Some((2, 3)));
    assert_eq!(state.withdraw(PARENT, BELL), Ok(set(&[ALICE])));
}

#[test]
fn a_new_incarnation_of_a_client_cancels_only_its_own_subscriptions() {
    let mut state = RegistryState::new(&TWO, lasting());
    find(&mut state, ALICE, SUM);
    find(&mut state, MALLORY, SUM);
    assert_eq!(state.begin(ALICE), set(&[]));
    let (_, to_notify) = state.register(Channel::new(5), SUM).unwrap();
    assert_eq!(to_notify, set(&[MALLORY]));
}

#[test]
fn a_restart_of_the_registry_keeps_registrations_and_notifies_all_clients() {
    let lasting = lasting();
    let mut state = RegistryState::new(&TWO, lasting);
    state.register(PROVIDER, BELL).unwrap();
    state.register(PROVIDER, BELL).unwrap();
    state.register(Channel::new(5), SUM).unwrap();
    state.withdraw(Channel::new(5), SUM).unwrap();
    let mut state = RegistryState::new(&TWO, lasting);
    assert_eq!(state.to_notify_at_start(), set(&[ALICE, MALLORY]));
    assert_eq!(find(&mut state, ALICE, BELL), Some((2, 2)));
    assert_eq!(find(&mut state, ALICE, SUM), None);
    let (epoch, _) = state.register(Channel::new(5), SUM).unwrap();
    assert_eq!(epoch.number(), 2);
}

#[test]
fn only_the_table_allows_to_register_or_withdraw() {
    let mut state = RegistryState::new(&TWO, lasting());
    state.register(PROVIDER, BELL).unwrap();
    let before = format!("{state:?}");
    for who in 0..62 {
        let who = Channel::new(who);
        for name in [BELL, SUM, UNKNOWN] {
            if (who, name) != (PROVIDER, BELL) && (who, name) != (Channel::new(5), SUM) {
                assert_eq!(state.register(who, name), Err(NotAllowed));
                if (who, name) != (PARENT, BELL) {
                    assert_eq!(state.withdraw(who, name), Err(NotAllowed));
                }
            }
        }
    }
    assert_eq!(format!("{state:?}"), before);
}

#[test]
fn a_lookup_without_a_grant_changes_nothing() {
    let mut state = RegistryState::new(&TWO, lasting());
    state.register(PROVIDER, BELL).unwrap();
    let before = format!("{state:?}");
    // Look up a registered service without a grant, an unknown name, and a service for an unknown
    // client.
    assert_eq!(find(&mut state, MALLORY, BELL), None);
    assert_eq!(find(&mut state, MALLORY, UNKNOWN), None);
    assert_eq!(find(&mut state, Channel::new(40), SUM), None);
    state.forget(MALLORY, BELL);
    assert_eq!(format!("{state:?}"), before);
    assert_eq!(state.withdraw(PROVIDER, BELL), Ok(set(&[])));
}

/// Returns a table with two services, and the name of the second service. The first bytes of the
/// two names differ by `difference`. `ALICE` may find only the first service.
fn alike(difference: u8) -> (&'static Table, Name) {
    let other = Name::new(if difference == 1 { "cell" } else { "gell" });
    assert_eq!(b'b' ^ difference, other.to_string().as_bytes()[0]);
    let service = |name, provider| Service {
        name,
        provider: Channel::new(provider),
        parent: None,
    };
    let services = Box::leak(Box::new([service(BELL, 2), service(other, 5)]));
    let grants = Box::leak(Box::new([Grant {
        service: BELL,
        client: ALICE,
        channel: PEER,
    }]));
    (Box::leak(Box::new(Table::new(services, grants))), other)
}

/// Asserts that a request with a wrong name and a wrong caller is refused, even if both differences
/// have the same bits.
#[test]
fn a_wrong_name_and_a_wrong_caller_do_not_cancel_out() {
    let by = (ALICE.index() ^ MALLORY.index()) as u8;
    let (table, other) = alike(by);
    let mut state = RegistryState::new(table, lasting());
    state.register(Channel::new(5), other).unwrap();
    assert_eq!(find(&mut state, MALLORY, other), None);

    let (table, other) = alike(1);
    let mut state = RegistryState::new(table, lasting());
    assert_eq!(state.register(MALLORY, other), Err(NotAllowed));
    assert_eq!(state.withdraw(PROVIDER, other), Err(NotAllowed));
}

#[test]
#[should_panic(
    expected = "the registry needs a region of 3 words for its state, but the region has 2"
)]
fn a_region_that_is_too_small_is_refused() {
    RegistryState::new(&TWO, &lasting()[6..]);
}

#[test]
fn the_size_of_a_registry_is_fixed() {
    // A registry contains a state and a channel set for each of 32 services, and the references to
    // the table and the region.
    assert_eq!(size_of::<Registry>(), 32 * 16 + 32);
    assert_eq!(size_of_val(&TABLE), 32);
}

/// One request.
#[derive(Debug, Copy, Clone)]
struct Call {
    who: Channel,
    name: Name,
    what: u8,
}

impl Call {
    fn make(self, state: &mut RegistryState) -> ChannelSet {
        match self.what {
            0 => state.begin(self.who),
            1 => state
                .register(self.who, self.name)
                .map_or(set(&[]), |(_, to_notify)| to_notify),
            2 => state.withdraw(self.who, self.name).unwrap_or_default(),
            3 => {
                state.lookup(self.who, self.name);
                set(&[])
            }
            _ => {
                state.forget(self.who, self.name);
                set(&[])
            }
        }
    }
}

fn calls(who: impl Strategy<Value = usize>) -> impl Strategy<Value = Vec<Call>> {
    let name = prop_oneof![
        Just(BELL),
        Just(SUM),
        "[a-z]{1,24}".prop_map(|name| Name::new(&name))
    ];
    let call = (who, name, 0u8..5).prop_map(|(who, name, what)| Call {
        who: Channel::new(who),
        name,
        what,
    });
    prop::collection::vec(call, 0..40)
}

proptest! {
    /// Asserts that requests of PDs without rights never notify a client, and never change an
    /// answer to another PD.
    #[test]
    fn a_client_has_no_effect_on_another(
        honest in calls(prop_oneof![Just(1usize), Just(2), Just(3), Just(5)]),
        hostile in calls(prop_oneof![Just(4usize), 6usize..62]),
        order in prop::collection::vec(any::<bool>(), 80),
    ) {
        let (mut with, mut without) = (RegistryState::new(&TWO, lasting()), RegistryState::new(&TWO, lasting()));
        let (mut honest, mut hostile) = (honest.into_iter(), hostile.into_iter());
        for is_honest in order {
            if !is_honest && let Some(call) = hostile.next() {
                prop_assert_eq!(call.make(&mut with), set(&[]));
            } else if let Some(call) = honest.next() {
                let (one, other) = (call.make(&mut with), call.make(&mut without));
                let others = |notified: ChannelSet| -> Vec<usize> {
                    let notified = notified.iter().map(|channel| channel.index());
                    notified.filter(|channel| *channel <= 3 || *channel == 5).collect()
                };
                prop_assert_eq!(others(one), others(other));
                let answer = |state: &mut RegistryState| state.lookup(call.who, call.name);
                prop_assert_eq!(answer(&mut with), answer(&mut without));
            }
        }
    }

    /// Asserts that a restart of the registry between two requests does not change its answers.
    #[test]
    fn a_restart_of_the_registry_changes_no_answer(calls in calls(0usize..6), at in 0usize..40) {
        let words = lasting();
        let (mut kept, mut restarted) = (RegistryState::new(&TWO, lasting()), RegistryState::new(&TWO, words));
        for (index, call) in calls.into_iter().enumerate() {
            if index == at {
                restarted = RegistryState::new(&TWO, words);
            }
            call.make(&mut kept);
            call.make(&mut restarted);
            prop_assert_eq!(
                kept.lookup(call.who, call.name),
                restarted.lookup(call.who, call.name)
            );
        }
    }
}
