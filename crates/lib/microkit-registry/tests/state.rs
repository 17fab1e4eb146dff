//! The registry's state, without a system around it: what each call changes, and that any calls of
//! anybody change nothing else.

mod common;

use common::{ALICE, BELL, MALLORY, PARENT, PEER, PROVIDER, TABLE};
use microkit_registry::{
    Grant, LookupReply, Name, NotAllowed, Registry, RegistryState, Service, Table,
};
use proptest::prelude::*;
use sel4_microkit::{Channel, ChannelSet, SharedWord};

/// With two services, each for another client, and one that both may find.
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
const NOBODY: Name = Name::new("nobody has heard of it");

fn lasting() -> &'static [SharedWord] {
    Box::leak((0..8).map(|_| SharedWord::new(0)).collect())
}

fn set(channels: &[Channel]) -> ChannelSet {
    channels.iter().copied().collect()
}

/// What is found: channel and epoch.
fn find(state: &mut RegistryState, who: Channel, name: Name) -> Option<(u64, u64)> {
    let place: Option<LookupReply> = state.lookup(who, name);
    place.map(|place| (place.channel, place.epoch.number()))
}

#[test]
fn who_has_looked_is_told_of_every_change() {
    let mut state = RegistryState::new(&TWO, lasting());
    assert_eq!(state.opened(), set(&[]));
    assert_eq!(find(&mut state, ALICE, SUM), None);
    let (epoch, told) = state.register(Channel::new(5), SUM).unwrap();
    assert_eq!((epoch.number(), told), (1, set(&[ALICE])));
    assert_eq!(find(&mut state, ALICE, SUM), Some((61, 1)));
    assert_eq!(find(&mut state, MALLORY, SUM), Some((7, 1)));
    assert_eq!(
        state.withdraw(Channel::new(5), SUM),
        Ok(set(&[ALICE, MALLORY]))
    );
    assert_eq!(state.withdraw(Channel::new(5), SUM), Ok(set(&[])));
    assert_eq!(find(&mut state, ALICE, SUM), None);
    state.forget(ALICE, SUM);
    let (epoch, told) = state.register(Channel::new(5), SUM).unwrap();
    assert_eq!((epoch.number(), told), (2, set(&[MALLORY])));
}

#[test]
fn a_new_life_of_a_service_is_a_later_one_and_withdraws_the_last() {
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
fn a_new_life_of_a_client_is_told_of_nothing_and_the_others_are() {
    let mut state = RegistryState::new(&TWO, lasting());
    find(&mut state, ALICE, SUM);
    find(&mut state, MALLORY, SUM);
    assert_eq!(state.begin(ALICE), set(&[]));
    let (_, told) = state.register(Channel::new(5), SUM).unwrap();
    assert_eq!(told, set(&[MALLORY]));
}

#[test]
fn a_restart_of_the_registry_keeps_what_is_registered_and_tells_all() {
    let lasting = lasting();
    let mut state = RegistryState::new(&TWO, lasting);
    state.register(PROVIDER, BELL).unwrap();
    state.register(PROVIDER, BELL).unwrap();
    state.register(Channel::new(5), SUM).unwrap();
    state.withdraw(Channel::new(5), SUM).unwrap();
    let mut state = RegistryState::new(&TWO, lasting);
    assert_eq!(state.opened(), set(&[ALICE, MALLORY]));
    assert_eq!(find(&mut state, ALICE, BELL), Some((2, 2)));
    assert_eq!(find(&mut state, ALICE, SUM), None);
    let (epoch, _) = state.register(Channel::new(5), SUM).unwrap();
    assert_eq!(epoch.number(), 2);
}

#[test]
fn nobody_offers_or_withdraws_what_is_not_his() {
    let mut state = RegistryState::new(&TWO, lasting());
    state.register(PROVIDER, BELL).unwrap();
    let before = format!("{state:?}");
    for who in 0..62 {
        let who = Channel::new(who);
        for name in [BELL, SUM, NOBODY] {
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
fn what_may_not_be_found_leaves_no_trace() {
    let mut state = RegistryState::new(&TWO, lasting());
    state.register(PROVIDER, BELL).unwrap();
    let before = format!("{state:?}");
    // Registered and not granted, and nothing at all.
    assert_eq!(find(&mut state, MALLORY, BELL), None);
    assert_eq!(find(&mut state, MALLORY, NOBODY), None);
    assert_eq!(find(&mut state, Channel::new(40), SUM), None);
    state.forget(MALLORY, BELL);
    assert_eq!(format!("{state:?}"), before);
    assert_eq!(state.withdraw(PROVIDER, BELL), Ok(set(&[])));
}

/// Two services whose names differ in one byte, by `difference`; `ALICE` may find the first.
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

/// A name and a caller that are both wrong do not make up for each other, whatever their bits.
#[test]
fn two_wrongs_are_no_right() {
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
#[should_panic(expected = "the registry needs 3 words that outlive it, but the region has 2")]
fn too_little_lasting_memory_is_refused() {
    RegistryState::new(&TWO, &lasting()[6..]);
}

#[test]
fn a_registry_is_as_large_as_it_is() {
    // 32 services, a state and a set of channels each, and the table and the region.
    assert_eq!(size_of::<Registry>(), 32 * 16 + 32);
    assert_eq!(size_of_val(&TABLE), 32);
}

/// One call.
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
                .map_or(set(&[]), |(_, told)| told),
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
    /// Calls of those who offer nothing, between those of all others: nobody is told by them, and
    /// nobody else gets another answer because of them.
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
                let others = |told: ChannelSet| -> Vec<usize> {
                    let told = told.iter().map(|channel| channel.index());
                    told.filter(|channel| *channel <= 3 || *channel == 5).collect()
                };
                prop_assert_eq!(others(one), others(other));
                let answer = |state: &mut RegistryState| state.lookup(call.who, call.name);
                prop_assert_eq!(answer(&mut with), answer(&mut without));
            }
        }
    }

    /// Whenever the registry is restarted, it answers as one that was not.
    #[test]
    fn a_restart_changes_no_answer(calls in calls(0usize..6), at in 0usize..40) {
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
