//! What goes wrong where a handle's drop closes a connection that others know of too.

use microkit_test::{Explorer, Run, System};
use sel4_microkit::{ChannelSet, Handler, Infallible, debug_println};

use super::system::*;
use crate::rules::Rules;
use crate::session::close;
use crate::wire::request;
use crate::{CloseError, Connection, Owner, Refused, Session, SessionError, SessionId, Shared};
use microkit_protocol::CallError;

/// Runs every schedule, in all of which this holds.
#[track_caller]
fn check_every_schedule(system: &System, check: impl Fn(&Run)) {
    check_with(Explorer::new(system), check);
}

/// Runs every schedule in which a server goes before its clients, as Microkit wants it: a client
/// calls upwards. Clients go in any order.
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

/// Holds that a system with a mistake is found out: clients are cut off.
#[track_caller]
fn check_is_found(system: &System) {
    let explorer = Explorer::new(system).by_priority();
    let found = explorer.try_check(check_nobody_is_cut_off);
    let found = found.expect_err("the mistake is not found");
    std::println!("found in {}: {}", found.schedule(), found.log());
    assert!(found.log().contains("cut off"), "{found}");
}

// The count falls to zero; before the connection is closed, another takes it; then it is closed.

/// A handle whose owners are counted: ours, and one that is not sound.
trait Counted: Default + 'static {
    fn take(&mut self, server: &Connection, files: &FilesClient);
    fn drop_last(&mut self);
    /// What has been put off is done.
    fn go_on(&mut self);
    fn id(&self) -> Option<SessionId>;
}

static SHARED: Shared = Shared::new(SERVER);

#[derive(Default)]
struct Ours {
    owner: Option<Owner>,
}

impl Counted for Ours {
    fn take(&mut self, server: &Connection, files: &FilesClient) {
        let another = SHARED.owner(server, || files.file(1));
        self.owner = Some(another.expect("there is room"));
    }

    fn drop_last(&mut self) {
        self.owner = None;
    }

    fn go_on(&mut self) {}

    fn id(&self) -> Option<SessionId> {
        self.owner.as_ref().map(Owner::id)
    }
}

/// Counts, and closes when it comes to it: the connection that is there is taken meanwhile.
#[derive(Default)]
struct Theirs {
    count: usize,
    number: Option<u64>,
}

impl Counted for Theirs {
    fn take(&mut self, _: &Connection, files: &FilesClient) {
        let open = || files.file(1).expect("there is room").serial();
        self.number.get_or_insert_with(open);
        self.count += 1;
    }

    fn drop_last(&mut self) {
        self.count = 0;
    }

    fn go_on(&mut self) {
        // It was zero when this was put off, and nobody looks again.
        if let Some(number) = self.number {
            close(SERVER, number).ok();
        }
    }

    fn id(&self) -> Option<SessionId> {
        let number = self.number.filter(|_| self.count > 0);
        number.map(SessionId::new)
    }
}

/// Drops when one channel is notified, takes when the other is, and goes on with what was put off
/// whenever something comes.
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
            self.handle.go_on();
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
fn the_last_drop_does_not_close_what_another_has_just_opened() {
    check_every_schedule(&with_counted::<Ours>(), check_nobody_is_cut_off);
    check_is_found(&with_counted::<Theirs>());
}

// Copies of a connection of which the count does not know: a library's own.

/// The calls of the protocol, which hold nothing.
fn files() -> FilesClient {
    FilesClient::connect(SERVER).expect("they are of one version")
}

/// A library that uses the server by itself, and looks after its session.
fn library(files: &FilesClient, name: u64) -> Session {
    let server = Connection::connect(SERVER).expect("it is a server of sessions");
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
fn a_shadow_copy_is_not_cut_off() {
    let other = || drop(library(&files(), 10));
    check_every_order_of_clients(&system(two_libraries, other), |run| {
        check_nobody_is_cut_off(run);
        check_all_is_closed_once(run);
        assert_eq!(opened(run).len(), 4);
    });
    // A library that connects as if the life began with it.
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

// A connection number is given again, and a late close of the old one hits the new one.

struct NumbersComeAgain;

impl Rules for NumbersComeAgain {
    const NUMBERS_ARE_NEW: bool = false;
}

struct NumbersAreAnybodys;

impl Rules for NumbersAreAnybodys {
    const NUMBERS_ARE_NEW: bool = false;
    const SESSIONS_HAVE_OWNERS: bool = false;
}

struct SessionsAreAnybodys;

impl Rules for SessionsAreAnybodys {
    const SESSIONS_HAVE_OWNERS: bool = false;
}

/// Closes a number that it has closed before, after it has opened something else.
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
fn a_late_close_does_not_hit_who_came_after() {
    check_every_order_of_clients(&system(closes_late, one_library), |run| {
        check_nobody_is_cut_off(run);
        check_all_is_closed_once(run);
    });
    check_is_found(&system_of::<NumbersComeAgain>(closes_late, one_library));
    check_is_found(&system_of::<NumbersAreAnybodys>(closes_twice, one_library));
}

/// Reads and closes what has the numbers beside its own.
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
        check_nobody_is_cut_off,
    );
    check_is_found(&system_of::<SessionsAreAnybodys>(
        closes_what_it_guesses,
        one_library,
    ));
}

// Connections are few, and run out.

struct NoQuota;

impl Rules for NoQuota {
    const QUOTA_HOLDS: bool = false;
}

/// Opens as many as it gets, and holds that the last answer says why there are no more.
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

fn wants_its_share() {
    let (server, files) = connect();
    for _ in 0..QUOTA {
        match server.open(|| files.file(10)) {
            Ok(session) => core::mem::forget(session),
            Err(error) => debug_println!("cut off: {error:?}"),
        }
    }
}

#[test]
fn connections_run_out_for_who_has_them_and_nobody_else() {
    check_every_schedule(&system(is_greedy, wants_its_share), |run| {
        check_nobody_is_cut_off(run);
        assert_eq!(opened(run).len(), 2 * QUOTA);
    });
    check_is_found(&system_of::<NoQuota>(is_greedy, wants_its_share));
}

#[test]
fn a_table_that_is_full_is_an_error_and_a_place_is_free_again() {
    let system = system_of::<NoQuota>(
        || {
            let (server, files) = connect();
            let mut sessions = heapless::Vec::<Session, MOST>::new();
            for name in 0..MOST as u64 {
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
    assert_eq!(opened(&run).len(), MOST + 1);
    check_all_is_closed_once(&run);
}

#[test]
fn handles_that_come_and_go_leave_nothing() {
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
    check_nobody_is_cut_off(&run);
    check_all_is_closed_once(&run);
    assert_eq!(opened(&run).len(), 999);
}

// There is no close but a drop; and what is used after its end stops the program.

#[test]
fn a_close_says_what_is_wrong() {
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
        check_all_is_closed_once(run);
        assert!(run.log().contains("done"), "{}", run.log());
    });
}
