//! Clients and servers that die at any step, and begin again or do not.

use microkit_protocol::CallError;
use microkit_test::{Explorer, Run};
use sel4_microkit::debug_println;

use super::system::*;
use crate::rules::{Rules, Sound};
use crate::{Refused, ReportError, Session, SessionError, SessionId};

/// Opens two sessions, and closes both. What is refused was left open by an earlier life.
fn is_mortal() {
    let (server, files) = connect();
    let open = |name| match server.open(|| files.file(name)) {
        Ok(session) => Some(session),
        Err(error) => {
            debug_println!("cut off from {name}: {error:?}");
            None
        }
    };
    drop((open(1), open(2)));
}

/// Opens one, and keeps it.
fn lives_on() {
    let (server, files) = connect();
    let session = server.open(|| files.file(10)).expect("there is room");
    core::mem::forget(session);
}

/// Holds that of what was opened, only what lives on is open, and the rest was closed once.
#[track_caller]
fn check_only_the_living_have_sessions(run: &Run) {
    check_nobody_is_cut_off(run);
    let (mut opened, mut closed) = (opened(run), closed(run));
    opened.sort();
    closed.sort();
    let kept = opened.iter().position(|name| name == "10");
    opened.remove(kept.unwrap_or_else(|| panic!("10 was not opened: {}", run.log())));
    assert_eq!(opened, closed, "{}", run.log());
}

#[test]
fn a_client_that_dies_anywhere_and_begins_again_loses_its_sessions_and_nobody_else() {
    let system = system_with_parent::<Sound>(Death::IsRestarted, is_mortal, lives_on);
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("one")
        .check(check_only_the_living_have_sessions);
    std::println!("{explored}");
    assert!(explored.is_complete());
}

struct ConnectEndsNothing;

impl Rules for ConnectEndsNothing {
    const CONNECT_ENDS_SESSIONS: bool = false;
}

struct ConnectEndsAll;

impl Rules for ConnectEndsAll {
    const CONNECT_SPARES_OTHERS: bool = false;
}

#[track_caller]
fn check_death_is_found<R: Rules + 'static>(death: Death) {
    let system = system_with_parent::<R>(death, is_mortal, lives_on);
    let found = Explorer::new(&system)
        .by_priority()
        .crash("one")
        .try_check(check_only_the_living_have_sessions)
        .expect_err("the mistake is not found");
    std::println!("found in {}: {}", found.schedule(), found.log());
}

#[test]
fn a_connect_that_ends_too_little_or_too_much_is_found() {
    check_death_is_found::<ConnectEndsNothing>(Death::IsRestarted);
    check_death_is_found::<ConnectEndsAll>(Death::IsRestarted);
}

#[test]
fn a_client_that_dies_anywhere_for_good_leaves_nothing() {
    let system = system_with_parent::<Sound>(Death::IsReported, is_mortal, lives_on);
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("one")
        .check(check_only_the_living_have_sessions);
    std::println!("{explored}");
    assert!(explored.is_complete());
}

struct AnybodyReports;

impl Rules for AnybodyReports {
    const REPORTS_NEED_A_RIGHT: bool = false;
}

/// Says that `one` has come to its end.
fn slanders() {
    let (server, _) = connect();
    if server.report_end(ONE) != Err(ReportError::NotAllowed) {
        debug_println!("the report was taken");
    }
}

fn uses_twice() {
    let (server, files) = connect();
    let session = server.open(|| files.file(1)).expect("there is room");
    check_open(&files, session.id(), 1);
    check_open(&files, session.id(), 1);
}

#[test]
fn who_may_not_report_a_death_is_refused() {
    let system = system(uses_twice, slanders);
    let explored = Explorer::new(&system).check(|run| {
        check_nobody_is_cut_off(run);
        assert!(!run.log().contains("taken"), "{}", run.log());
    });
    assert!(explored.is_complete());
    let system = system_of::<AnybodyReports>(uses_twice, slanders);
    let found = Explorer::new(&system).try_check(check_nobody_is_cut_off);
    assert!(found.is_err());
}

/// Holds that a session is as it was, or is said to have ended with the server.
fn check_open_or_stale(files: &FilesClient, id: SessionId, name: u64) {
    let stale = CallError::Method(SessionError::Refused(Refused::Stale));
    match files.name(id) {
        Ok(found) if found == name => {}
        Err(error) if error == stale => debug_println!("{name} is stale"),
        other => debug_println!("cut off from {name}: {other:?}"),
    }
}

/// Opens one session after the other, and uses and closes the first again when it has the second.
fn outlives_the_server() {
    let (server, files) = connect();
    let open = |name| -> Session { server.open(|| files.file(name)).expect("there is room") };
    let first = open(1);
    let second = open(2);
    check_open_or_stale(&files, first.id(), 1);
    drop(first);
    check_open_or_stale(&files, second.id(), 2);
}

#[test]
fn a_server_that_dies_anywhere_closes_no_session_of_its_next_life() {
    let system = system_with_parent::<Sound>(Death::IsRestarted, outlives_the_server, lives_on);
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("server")
        .allow_stuck()
        .check(check_nobody_is_cut_off);
    std::println!("{explored}");
    assert!(explored.is_complete());
}

struct NumbersAreForgotten;

impl Rules for NumbersAreForgotten {
    const NUMBERS_ARE_NEW: bool = false;
    const NUMBERS_OUTLIVE_THE_SERVER: bool = false;
}

/// Holds that nobody has read what another's session is.
#[track_caller]
fn check_nobody_reads_another(run: &Run) {
    assert!(!run.log().contains(": Ok("), "{}", run.log());
}

#[test]
fn a_server_whose_numbers_begin_again_is_found() {
    let system = system_with_parent::<NumbersAreForgotten>(
        Death::IsRestarted,
        outlives_the_server,
        lives_on,
    );
    let found = Explorer::new(&system)
        .by_priority()
        .crash("server")
        .allow_stuck()
        .try_check(check_nobody_reads_another)
        .expect_err("the mistake is not found");
    std::println!("found in {}: {}", found.schedule(), found.log());
}
