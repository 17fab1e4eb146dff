//! Tests random requests of a client. The server must not panic, and other clients must not be
//! affected.

use std::boxed::Box;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::vec::Vec;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use sel4::sys::host as kernel;
use sel4_microkit::host::ProtectionDomain;
use sel4_microkit::{Channel, MessageInfo, SharedWord, get_mr, set_mr};

use super::system::{CAPACITY, Call, FilesServer, ONE, PARENT, QUOTA, TWO};
use crate::rules::{Rules, Sound};
use crate::wire::request;
use crate::{Refused, SessionId, Sessions};

fn numbers() -> &'static SharedWord {
    Box::leak(Box::new(SharedWord::new(0)))
}

fn table<R: Rules>(numbers: &'static SharedWord) -> Sessions<u64, CAPACITY, R> {
    Sessions::with_rules(numbers, QUOTA).allow_reports(&[(PARENT, ONE), (PARENT, TWO)])
}

/// Sets the IPC buffer of this thread, for a server that runs without a kernel. All system calls
/// are ignored.
fn as_server() {
    ProtectionDomain::default().set();
    kernel::install(Some(Rc::new(
        |_: &mut kernel::Registers, _: Option<kernel::HostBuffer<'_>>| (),
    )));
    sel4::set_ipc_buffer(kernel::new_ipc_buffer());
}

/// Calls the server and returns the reply's label and first word.
fn serve<R: Rules>(
    sessions: &mut Sessions<u64, CAPACITY, R>,
    channel: Channel,
    label: u64,
    words: &[u64],
) -> (u64, u64) {
    for (index, word) in words.iter().enumerate() {
        set_mr(index, *word);
    }
    let info = MessageInfo::new(label, words.len());
    let reply = match sessions.answer(channel, &info, drop) {
        Some(reply) => reply,
        None => FilesServer::dispatch(&mut Call { sessions, channel }, &info),
    };
    (reply.label(), get_mr(0))
}

fn label() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..5_u64,
        request::CONNECT..request::CONNECT + 4,
        0..1_u64 << 52,
    ]
}

fn words() -> impl Strategy<Value = Vec<u64>> {
    let word = prop_oneof![0..12_u64, any::<u64>()];
    prop_oneof![
        prop::collection::vec(word.clone(), 1),
        prop::collection::vec(word, 0..=64),
    ]
}

/// Requests, each with a label and its words.
type Calls = Vec<(u64, Vec<u64>)>;

fn calls() -> impl Strategy<Value = Calls> {
    prop::collection::vec((label(), words()), 0..60)
}

/// Makes the calls as one client, and checks that the sessions of another client do not change.
fn check_calls<R: Rules>(calls: Calls) -> Result<(), TestCaseError> {
    as_server();
    let mut sessions = table::<R>(numbers());
    let mine: Vec<SessionId> = (0..QUOTA as u64)
        .map(|name| sessions.open(TWO, name).expect("there is room"))
        .collect();
    for (label, words) in calls {
        serve(&mut sessions, ONE, label, &words);
        for (name, id) in mine.iter().enumerate() {
            prop_assert_eq!(sessions.get(TWO, id), Ok(&(name as u64)));
        }
        prop_assert!(sessions.count_of(ONE) <= QUOTA);
        prop_assert_eq!(sessions.count_of(TWO), QUOTA);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_hostile_client_does_not_affect_others(calls in calls()) {
        check_calls::<Sound>(calls)?;
    }
}

struct SessionsWithoutOwners;

impl Rules for SessionsWithoutOwners {
    const SESSIONS_HAVE_OWNERS: bool = false;
}

struct ReportsWithoutRights;

impl Rules for ReportsWithoutRights {
    const REPORTS_NEED_A_RIGHT: bool = false;
}

struct ConnectClosesAll;

impl Rules for ConnectClosesAll {
    const CONNECT_SPARES_OTHERS: bool = false;
}

/// Asserts that the random calls find the defect of a server without one of these rules.
#[test]
fn a_hostile_client_affects_others_where_a_rule_is_missing() {
    let check = |check: fn(Calls) -> Result<(), TestCaseError>| {
        let found = TestRunner::deterministic().run(&calls(), check);
        assert!(found.is_err());
    };
    check(check_calls::<SessionsWithoutOwners>);
    check(check_calls::<ReportsWithoutRights>);
    check(check_calls::<ConnectClosesAll>);
}

/// A step of a client, of the server or of its parent. A `usize` is an index into all session
/// numbers so far. A larger index selects an unused number.
#[derive(Debug, Clone)]
enum Step {
    Open(u8),
    Use(u8, usize),
    Close(u8, usize),
    Connect(u8),
    Report(u8, u8),
    Kick(usize),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let client = 1..4_u8;
    let which = 0..40_usize;
    prop_oneof![
        6 => client.clone().prop_map(Step::Open),
        6 => (client.clone(), which.clone()).prop_map(|(client, id)| Step::Use(client, id)),
        4 => (client.clone(), which.clone()).prop_map(|(client, id)| Step::Close(client, id)),
        1 => client.clone().prop_map(Step::Connect),
        1 => (client.clone(), client).prop_map(|(client, of)| Step::Report(client, of)),
        1 => which.prop_map(Step::Kick),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    /// Compares the table with a simple model that stores and searches a list of all numbers.
    #[test]
    fn the_table_behaves_like_its_model(steps in prop::collection::vec(step(), 0..200)) {
        as_server();
        let numbers = numbers();
        let mut sessions = table::<Sound>(numbers);
        // Every number so far, open or closed, with its client and its incarnation of the server.
        let mut given: Vec<(u64, u8, usize)> = Vec::new();
        let mut open: BTreeMap<u64, u8> = BTreeMap::new();
        let mut incarnation = 0;
        let channel = |client: u8| Channel::new(client.into());
        for step in steps {
            let number = |index: usize| given.get(index).map_or(1 << 40, |(number, ..)| *number);
            let expect = |client: u8, index: usize, open: &BTreeMap<u64, u8>| {
                match given.get(index) {
                    Some((.., opened_in)) if *opened_in < incarnation => Err(Refused::Stale),
                    Some((number, ..)) if open.get(number) == Some(&client) => Ok(*number),
                    _ => Err(Refused::NotOpen),
                }
            };
            match step {
                Step::Open(client) => {
                    let own = open.values().filter(|owner| **owner == client).count();
                    // The state is the expected number: the last number plus one.
                    let next = given.last().map_or(1, |(number, ..)| number + 1);
                    match sessions.open(channel(client), next) {
                        Ok(id) => {
                            prop_assert_eq!(id.serial(), next);
                            prop_assert!(own < QUOTA && open.len() < CAPACITY);
                            given.push((next, client, incarnation));
                            open.insert(next, client);
                        }
                        Err(Refused::Quota) => prop_assert_eq!(own, QUOTA),
                        Err(error) => {
                            prop_assert_eq!(error, Refused::Full);
                            prop_assert_eq!(open.len(), CAPACITY);
                        }
                    }
                }
                Step::Use(client, index) => {
                    let id = SessionId::new(number(index));
                    let found = sessions.get(channel(client), &id).copied();
                    prop_assert_eq!(found, expect(client, index, &open));
                }
                Step::Close(client, index) => {
                    let id = SessionId::new(number(index));
                    let found = sessions.close(channel(client), &id);
                    prop_assert_eq!(found, expect(client, index, &open));
                    if let Ok(number) = found {
                        open.remove(&number);
                    }
                }
                Step::Connect(client) => {
                    serve(&mut sessions, channel(client), request::CONNECT, &[1]);
                    open.retain(|_, owner| *owner != client);
                }
                Step::Report(client, of) => {
                    serve(&mut sessions, channel(client), request::REPORT_END, &[of.into()]);
                    if channel(client) == PARENT && channel(of) != PARENT {
                        open.retain(|_, owner| *owner != of);
                    }
                }
                Step::Kick(index) => {
                    let id = SessionId::new(number(index));
                    let found = sessions.kick(&id);
                    prop_assert_eq!(found.is_some(), open.remove(&id.serial()).is_some());
                }
                Step::Restart => {
                    sessions = table(numbers);
                    open.clear();
                    incarnation += 1;
                }
            }
            let all: Vec<(u64, usize)> = sessions
                .iter()
                .map(|(owner, id, state)| {
                    assert_eq!(id.serial(), *state);
                    (id.serial(), owner.index())
                })
                .collect();
            let expected: Vec<(u64, usize)> =
                open.iter().map(|(number, owner)| (*number, usize::from(*owner))).collect();
            prop_assert_eq!(all, expected);
        }
    }
}

#[test]
fn numbers_stay_unique_if_another_pd_writes_the_word() {
    let numbers = numbers();
    let mut sessions = table::<Sound>(numbers);
    let first = sessions.open(ONE, 1).expect("there is room");
    numbers.store(0, core::sync::atomic::Ordering::Relaxed);
    let second = sessions.open(ONE, 2).expect("there is room");
    assert_ne!(first, second);
    assert_eq!(sessions.close(ONE, &first), Ok(1));
    numbers.store(u64::MAX, core::sync::atomic::Ordering::Relaxed);
    assert_eq!(sessions.open(TWO, 3), Err(Refused::Full));
    assert_eq!(sessions.get(ONE, &second), Ok(&2));
}

#[test]
fn a_server_iterates_over_its_sessions_and_closes_some() {
    let mut sessions = table::<Sound>(numbers());
    assert_eq!((sessions.len(), sessions.is_empty()), (0, true));
    let ids = [ONE, TWO, ONE].map(|channel| sessions.open(channel, 0).expect("there is room"));
    for (count, (_, _, state)) in sessions.iter_mut().enumerate() {
        *state = count as u64;
    }
    assert_eq!(sessions.get(TWO, &ids[1]), Ok(&1));
    *sessions.get_mut(ONE, &ids[2]).expect("it is open") = 7;
    sessions.retain(|channel, state| channel == TWO || *state == 7);
    assert_eq!(sessions.get(ONE, &ids[0]), Err(Refused::NotOpen));
    assert_eq!(sessions.get(ONE, &ids[2]), Ok(&7));
    assert_eq!((sessions.len(), sessions.is_empty()), (2, false));
    let mut ended = Vec::new();
    sessions.close_all(ONE, |state| ended.push(state));
    assert_eq!(ended, [7]);
    let made = sessions.open_with(ONE, || Err::<u64, _>("no such file"));
    assert_eq!(made, Err(crate::SessionError::Method("no such file")));
    assert_eq!(sessions.count_of(ONE), 0);
}
