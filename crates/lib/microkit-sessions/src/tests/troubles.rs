//! Tests the defects of systems in which dropping a handle closes a connection that is still in
//! use.

use microkit_test::{Explorer, Run, System};
use sel4_microkit::{ChannelSet, Handler, Infallible, debug_println};

use super::system::*;
use crate::rules::Rules;
use crate::session::close;
use crate::wire::request;
use crate::{CloseError, Connection, Owner, Refused, Session, SessionError, SessionId, Shared};
use microkit_protocol::CallError;

/// Runs `check` on every schedule.
#[track_caller]
fn check_every_schedule(system: &System, check: impl Fn(&Run)) {
    check_with(Explorer::new(system), check);
}

/// Runs `check` on every schedule that respects priorities. The server has a higher priority than
/// its clients, as Microkit requires. The clients run in any order.
#[track_caller]
fn check_every_order_of_clients(system: &System, check: impl Fn(&Run)) {
    check_with(Explorer::new(system).by_priority(), check);
}

#[track_caller]
fn check_with(explorer: Explorer<'_>, check: impl Fn(&Run)) {
    let explored = explorer.check(check);
    std::println!("{explored}");
    assert!(explored.is_complete());
}

/// Checks that the explorer finds the defect: a client loses its session.
#[track_caller]
fn check_is_found(system: &System) {
    let explorer = Explorer::new(system).by_priority();
    let found = explorer.try_check(check_no_session_is_lost);
    let found = found.expect_err("the explorer did not find the defect");
    std::println!("found in {}: {}", found.schedule(), found.log());
    assert!(found.log().contains("cut off"), "{found}");
}

// Defect: the count of owners falls to zero, and the close of the connection is deferred. Another
// owner takes the connection before the close.

/// A handle that counts its owners. One implementation is sound, and the other implementation is
/// defective.
trait Counted: Default + 'static {
    fn take(&mut self, server: &Connection, files: &FilesClient);
    fn drop_last(&mut self);
    /// Runs deferred work.
    fn run_deferred(&mut self);
    fn id(&self) -> Option<SessionId>;
}

static SHARED: Shared = Shared::new(SERVER);

#[derive(Default)]
struct Sound {
    owner: Option<Owner>,
}

impl Counted for Sound {
    fn take(&mut self, server: &Connection, files: &FilesClient) {
        let another = SHARED.owner(server, || files.file(1));
        self.owner = Some(another.expect("there is room"));
    }

    fn drop_last(&mut self) {
        self.owner = None;
    }

    fn run_deferred(&mut self) {}

    fn id(&self) -> Option<SessionId> {
        self.owner.as_ref().map(Owner::id)
    }
}

/// Counts its owners and defers the close. A new owner can take the same connection before the
/// close.
#[derive(Default)]
struct Defective {
    count: usize,
    number: Option<u64>,
}

impl Counted for Defective {
    fn take(&mut self, _: &Connection, files: &FilesClient) {
        let open = || files.file(1).expect("there is room").serial();
        self.number.get_or_insert_with(open);
        self.count += 1;
    }

    fn drop_last(&mut self) {
        self.count = 0;
    }

    fn run_deferred(&mut self) {
        // The count was zero when the close was deferred. The defect: the count is not checked
        // again.
        if let Some(number) = self.number {
            close(SERVER, number).ok();
        }
    }

    fn id(&self) -> Option<SessionId> {
        let number = self.number.filter(|_| self.count > 0);
        number.map(SessionId::new)
    }
}

/// Drops the handle at a notification of `FIRST`, and takes the handle at a notification of
/// `SECOND`. After the first drop, each notification runs deferred work.
struct Program<H> {
    server: Connection,
    files: FilesClient,
    handle: H,
    is_dropped: bool,
}

impl<H: Counted> Handler for Program<H> {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(FIRST) {
            self.handle.drop_last();
            self.is_dropped = true;
        }
        if channels.contains(SECOND) {
            self.handle.take(&self.server, &self.files);
        }
        if self.is_dropped {
            self.handle.run_deferred();
        }
        if let Some(id) = self.handle.id() {
            check_open(&self.files, id, 1);
        }
        Ok(())
    }
}

fn with_counted<H: Counted>() -> System {
    let notify = || {
        FIRST.notify();
        SECOND.notify();
        FIRST.notify();
    };
    system(|| (), notify).program("one.elf", || {
        let (server, files) = connect();
        let mut handle = H::default();
        handle.take(&server, &files);
        Program {
            server,
            files,
            handle,
            is_dropped: false,
        }
    })
}

#[test]
fn the_last_drop_does_not_close_a_session_that_was_just_opened() {
    check_every_schedule(&with_counted::<Sound>(), check_no_session_is_lost);
    check_is_found(&with_counted::<Defective>());
}

// Defect: a library has a copy of the connection that the count does not include.

/// Returns a client of the protocol, without a session.
fn files() -> FilesClient {
    FilesClient::connect(SERVER).expect("both use one version")
}

/// Models a library: connects separately and opens its own session.
fn library(files: &FilesClient, name: u64) -> Session {
    let server = Connection::connect(SERVER).expect("the peer is a session server");
    server.open(|| files.file(name)).expect("there is room")
}

fn two_libraries() {
    let files = files();
    let first = library(&files, 1);
    let second = library(&files, 2);
    check_open(&files, first.id(), 1);
    drop(first);
    let third = library(&files, 3);
    check_open(&files, second.id(), 2);
    drop(second);
    check_open(&files, third.id(), 3);
}

fn one_library() {
    let files = files();
    let session = library(&files, 10);
    check_open(&files, session.id(), 10);
}

#[test]
fn libraries_do_not_close_the_sessions_of_others() {
    let other = || drop(library(&files(), 10));
    check_every_order_of_clients(&system(two_libraries, other), |run| {
        check_no_session_is_lost(run);
        check_each_session_is_closed_once(run);
        assert_eq!(opened(run).len(), 4);
    });
    // The defect: a library sends another `CONNECT`, as if a new incarnation had started.
    check_is_found(&system(
        || {
            let files = files();
            let first = library(&files, 1);
            crate::connection::call(SERVER, request::CONNECT, crate::wire::VERSION);
            check_open(&files, first.id(), 1);
        },
        one_library,
    ));
}

// Defect: a number is used again, and a late close of the old session closes the new session.

struct ReusedNumbers;

impl Rules for ReusedNumbers {
    const NUMBERS_ARE_NEW: bool = false;
}

struct ReusedNumbersWithoutOwners;

impl Rules for ReusedNumbersWithoutOwners {
    const NUMBERS_ARE_NEW: bool = false;
    const SESSIONS_HAVE_OWNERS: bool = false;
}

struct SessionsWithoutOwners;

impl Rules for SessionsWithoutOwners {
    const SESSIONS_HAVE_OWNERS: bool = false;
}

/// Opens another session, and then closes the number of the first session again.
fn closes_late() {
    let files = files();
    let first = library(&files, 1);
    let late = first.id().serial();
    drop(first);
    let second = library(&files, 2);
    close(SERVER, late).ok();
    check_open(&files, second.id(), 2);
}

/// Closes a number twice.
fn closes_twice() {
    let first = library(&files(), 1);
    let late = first.id().serial();
    drop(first);
    close(SERVER, late).ok();
}

#[test]
fn a_late_close_does_not_close_a_newer_session() {
    check_every_order_of_clients(&system(closes_late, one_library), |run| {
        check_no_session_is_lost(run);
        check_each_session_is_closed_once(run);
    });
    check_is_found(&system_of::<ReusedNumbers>(closes_late, one_library));
    check_is_found(&system_of::<ReusedNumbersWithoutOwners>(
        closes_twice,
        one_library,
    ));
}

/// Reads and closes the numbers next to its own number.
fn closes_what_it_guesses() {
    let files = files();
    let own = library(&files, 1).id().serial();
    for number in [own - 1, own + 1] {
        if let Ok(name) = files.name(SessionId::new(number)) {
            debug_println!("cut off from its secret: {name}");
        }
        close(SERVER, number).ok();
    }
}

#[test]
fn a_forged_number_is_refused() {
    check_every_order_of_clients(
        &system(closes_what_it_guesses, one_library),
        check_no_session_is_lost,
    );
    check_is_found(&system_of::<SessionsWithoutOwners>(
        closes_what_it_guesses,
        one_library,
    ));
}

// Defect: one client uses up all sessions.

struct NoQuota;

impl Rules for NoQuota {
    const QUOTA_HOLDS: bool = false;
}

/// Opens sessions until the server refuses, and checks that the error gives the reason.
fn is_greedy() {
    let (server, files) = connect();
    let mut sessions = heapless::Vec::<Session, 8>::new();
    let refused = loop {
        match server.open(|| files.file(1)) {
            Ok(session) => sessions.push(session).expect("the server has less"),
            Err(error) => break error,
        }
    };
    let quota = CallError::Method(SessionError::Refused(Refused::Quota));
    let full = CallError::Method(SessionError::Refused(Refused::Full));
    assert!(refused == quota || refused == full, "{refused:?}");
    core::mem::forget(sessions);
}

fn opens_its_quota() {
    let (server, files) = connect();
    for _ in 0..QUOTA {
        match server.open(|| files.file(10)) {
            Ok(session) => core::mem::forget(session),
            Err(error) => debug_println!("cut off: {error:?}"),
        }
    }
}

#[test]
fn sessions_run_out_only_for_the_client_that_has_them() {
    check_every_schedule(&system(is_greedy, opens_its_quota), |run| {
        check_no_session_is_lost(run);
        assert_eq!(opened(run).len(), 2 * QUOTA);
    });
    check_is_found(&system_of::<NoQuota>(is_greedy, opens_its_quota));
}

#[test]
fn a_full_table_is_an_error_until_a_session_closes() {
    let system = system_of::<NoQuota>(
        || {
            let (server, files) = connect();
            let mut sessions = heapless::Vec::<Session, CAPACITY>::new();
            for name in 0..CAPACITY as u64 {
                let session = server.open(|| files.file(name)).expect("there is room");
                sessions.push(session).expect("it fits");
            }
            let full = CallError::Method(SessionError::Refused(Refused::Full));
            assert_eq!(server.open(|| files.file(9)).map(|_| ()), Err(full));
            assert_eq!(sessions.swap_remove(1).close(), Ok(()));
            sessions
                .push(server.open(|| files.file(9)).expect("there is room"))
                .ok();
        },
        || (),
    );
    let mut run = system.start();
    run.until_idle();
    assert_eq!(opened(&run).len(), CAPACITY + 1);
    check_each_session_is_closed_once(&run);
}

#[test]
fn many_sessions_in_turn_leave_nothing() {
    let system = system(
        || {
            let (server, files) = connect();
            let kept = server.open(|| files.file(1)).expect("there is room");
            for name in 2..1000 {
                let session = server.open(|| files.file(name)).expect("there is room");
                check_open(&files, session.id(), name);
                check_open(&files, kept.id(), 1);
            }
        },
        || (),
    );
    let mut run = system.start();
    run.until_idle();
    check_no_session_is_lost(&run);
    check_each_session_is_closed_once(&run);
    assert_eq!(opened(&run).len(), 999);
}

// Defect: errors of a close are not reported, and the use of a closed session stops the program.

#[test]
fn a_close_returns_its_error() {
    let system = system(
        || {
            let (server, files) = connect();
            let session = server.open(|| files.file(1)).expect("there is room");
            assert_eq!(session.close(), Ok(()));

            let session = server.open(|| files.file(2)).expect("there is room");
            files.kick(session.id()).expect("it is open");
            let gone = CallError::Method(SessionError::Refused(Refused::NotOpen));
            assert_eq!(files.name(session.id()), Err(gone));
            assert_eq!(session.close(), Err(CloseError::NotOpen));

            let session = server.open(|| files.file(3)).expect("there is room");
            files.kick(session.id()).expect("it is open");
            drop(session);
            debug_println!("done");
        },
        || (),
    );
    check_every_schedule(&system, |run| {
        check_each_session_is_closed_once(run);
        assert!(run.log().contains("done"), "{}", run.log());
    });
}
