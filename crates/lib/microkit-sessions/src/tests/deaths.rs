//! Tests clients and servers that die at any step, with and without a restart.

use microkit_protocol::CallError;
use microkit_test::{Explorer, Run};
use sel4_microkit::debug_println;

use super::system::*;
use crate::rules::{Rules, Sound};
use crate::{Refused, ReportError, Session, SessionError, SessionId};

/// Opens two sessions and closes both. A refusal means that an earlier incarnation's sessions are
/// still open.
fn opens_and_closes_two() {
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

/// Opens one session and never closes it.
fn keeps_one() {
    let (server, files) = connect();
    let session = server.open(|| files.file(10)).expect("there is room");
    core::mem::forget(session);
}

/// Checks that session 10 is open, and that every other session was closed exactly once.
#[track_caller]
fn check_only_kept_sessions_are_open(run: &Run) {
    check_no_session_is_lost(run);
    let (mut opened, mut closed) = (opened(run), closed(run));
    opened.sort();
    closed.sort();
    let kept = opened.iter().position(|name| name == "10");
    opened.remove(kept.unwrap_or_else(|| panic!("10 was not opened: {}", run.log())));
    assert_eq!(opened, closed, "{}", run.log());
}

#[test]
fn a_client_that_restarts_at_any_step_closes_only_its_own_sessions() {
    let system = system_with_parent::<Sound>(Death::IsRestarted, opens_and_closes_two, keeps_one);
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("one")
        .check(check_only_kept_sessions_are_open);
    std::println!("{explored}");
    assert!(explored.is_complete());
}

struct ConnectClosesNothing;

impl Rules for ConnectClosesNothing {
    const CONNECT_ENDS_SESSIONS: bool = false;
}

struct ConnectClosesAll;

impl Rules for ConnectClosesAll {
    const CONNECT_SPARES_OTHERS: bool = false;
}

#[track_caller]
fn check_death_is_found<R: Rules + 'static>(death: Death) {
    let system = system_with_parent::<R>(death, opens_and_closes_two, keeps_one);
    let found = Explorer::new(&system)
        .by_priority()
        .crash("one")
        .try_check(check_only_kept_sessions_are_open)
        .expect_err("the explorer did not find the defect");
    std::println!("found in {}: {}", found.schedule(), found.log());
}

#[test]
fn a_connect_that_closes_too_little_or_too_much_is_found() {
    check_death_is_found::<ConnectClosesNothing>(Death::IsRestarted);
    check_death_is_found::<ConnectClosesAll>(Death::IsRestarted);
}

#[test]
fn a_client_that_dies_at_any_step_leaves_no_session() {
    let system = system_with_parent::<Sound>(Death::IsReported, opens_and_closes_two, keeps_one);
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("one")
        .check(check_only_kept_sessions_are_open);
    std::println!("{explored}");
    assert!(explored.is_complete());
}

struct ReportsWithoutRights;

impl Rules for ReportsWithoutRights {
    const REPORTS_NEED_A_RIGHT: bool = false;
}

/// Reports the death of `one` without the right to report.
fn reports_falsely() {
    let (server, _) = connect();
    if server.report_end(ONE) != Err(ReportError::NotAllowed) {
        debug_println!("the report was accepted");
    }
}

fn uses_twice() {
    let (server, files) = connect();
    let session = server.open(|| files.file(1)).expect("there is room");
    check_open(&files, session.id(), 1);
    check_open(&files, session.id(), 1);
}

#[test]
fn a_report_without_the_right_is_refused() {
    let system = system(uses_twice, reports_falsely);
    let explored = Explorer::new(&system).check(|run| {
        check_no_session_is_lost(run);
        assert!(!run.log().contains("accepted"), "{}", run.log());
    });
    assert!(explored.is_complete());
    let system = system_of::<ReportsWithoutRights>(uses_twice, reports_falsely);
    let found = Explorer::new(&system).try_check(check_no_session_is_lost);
    assert!(found.is_err());
}

/// Prints "cut off" unless the session is stale or its file is `name`.
fn check_open_or_stale(files: &FilesClient, id: SessionId, name: u64) {
    let stale = CallError::Method(SessionError::Refused(Refused::Stale));
    match files.name(id) {
        Ok(found) if found == name => {}
        Err(error) if error == stale => debug_println!("{name} is stale"),
        other => debug_println!("cut off from {name}: {other:?}"),
    }
}

/// Opens two sessions. Uses and closes the first session, and then uses the second session.
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
fn a_server_that_dies_at_any_step_closes_no_session_of_its_next_incarnation() {
    let system = system_with_parent::<Sound>(Death::IsRestarted, outlives_the_server, keeps_one);
    let explored = Explorer::new(&system)
        .by_priority()
        .crash("server")
        .allow_stuck()
        .check(check_no_session_is_lost);
    std::println!("{explored}");
    assert!(explored.is_complete());
}

struct NumbersRestart;

impl Rules for NumbersRestart {
    const NUMBERS_ARE_NEW: bool = false;
    const NUMBERS_OUTLIVE_THE_SERVER: bool = false;
}

/// Checks that no client has read the session of another client.
#[track_caller]
fn check_no_client_reads_another(run: &Run) {
    assert!(!run.log().contains(": Ok("), "{}", run.log());
}

#[test]
fn a_server_whose_numbers_start_from_1_again_is_found() {
    let system =
        system_with_parent::<NumbersRestart>(Death::IsRestarted, outlives_the_server, keeps_one);
    let found = Explorer::new(&system)
        .by_priority()
        .crash("server")
        .allow_stuck()
        .try_check(check_no_client_reads_another)
        .expect_err("the explorer did not find the defect");
    std::println!("found in {}: {}", found.schedule(), found.log());
}
