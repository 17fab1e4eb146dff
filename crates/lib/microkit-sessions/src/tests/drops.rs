//! Tests drops of a handle in different places, shared handles, and a client's reaction to each
//! reply.

use std::rc::Rc;

use microkit_test::{Run, System};
use sel4_microkit::{
    Channel, DeferredAction, DeferredActionSlot, Handler, Infallible, MessageInfo, debug_println,
    get_mr, set_mr, with_msg_regs, with_msg_regs_mut,
};

use super::system::*;
use crate::{CloseError, ConnectError, Connection, OpenError, Owner, Session, SessionId, Shared};

/// Runs a client alone until the system is idle.
fn run(one: fn()) -> Run {
    let mut run = system(one, || ()).start();
    run.until_idle();
    run
}

fn open(name: u64) -> Session {
    let (server, files) = connect();
    server.open(|| files.file(name)).expect("there is room")
}

#[test]
fn a_drop_does_not_change_the_message_registers() {
    let run = run(|| {
        let session = open(1);
        for index in 0..64 {
            set_mr(index, index as u64 + 7);
        }
        drop(session);
        assert!((0..64).all(|index| get_mr(index) == index as u64 + 7));
        debug_println!("done");
    });
    assert!(run.log().contains("done"), "{}", run.log());
    assert_eq!(closed(&run), ["1"]);
}

/// Drops a session while the event loop takes the deferred action.
struct Defers {
    session: Option<Session>,
    notification: DeferredActionSlot,
}

impl Handler for Defers {
    type Error = Infallible;

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.session = None;
        self.notification.take()
    }
}

#[test]
fn a_drop_does_not_disturb_a_deferred_action() {
    let system = system(|| (), || ()).program("one.elf", || {
        let mut notification = DeferredActionSlot::new();
        notification.defer_notify(FIRST).expect("it is a channel");
        Defers {
            session: Some(open(1)),
            notification,
        }
    });
    let mut run = system.start();
    run.until_idle();
    assert_eq!(closed(&run), ["1"]);
    assert_eq!(
        run.calls("one")
            .filter(|call| call.notifies() == Some(1))
            .count(),
        1
    );
}

#[test]
fn a_drop_inside_a_borrow_names_the_place_of_the_borrow() {
    let run = run(|| {
        let session = open(1);
        with_msg_regs_mut(|registers| {
            registers[0] = 1;
            drop(session);
        });
    });
    let log = run.log();
    assert!(log.contains("the IPC buffer is wanted at"), "{log}");
    assert!(log.contains("it is still borrowed at"), "{log}");
    assert!(log.contains("drops.rs"), "{log}");
    // The program has stopped. The session stays open until the program connects again or its death
    // is reported.
    assert_eq!(run.faults().len(), 1);
    assert!(closed(&run).is_empty());
}

#[test]
fn a_panic_closes_nothing_and_is_printed_once() {
    let programs: [fn(); 2] = [
        || {
            let _session = open(1);
            panic!("the end")
        },
        || {
            let session = open(1);
            with_msg_regs(|_| {
                let _session = session;
                panic!("the end")
            })
        },
    ];
    for program in programs {
        let run = run(program);
        assert_eq!(run.log().matches("the end").count(), 1, "{}", run.log());
        assert_eq!(run.log().matches("panicked").count(), 1, "{}", run.log());
        assert!(closed(&run).is_empty());
    }
}

#[test]
fn a_forgotten_session_stays_open() {
    let run = run(|| {
        core::mem::forget(open(1));
        drop(open(2));
    });
    assert_eq!(closed(&run), ["2"]);
}

static SHARED: Shared = Shared::new(SERVER);

fn owner(name: u64) -> Owner {
    let (server, files) = connect();
    let owner = SHARED.owner(&server, || files.file(name));
    owner.expect("there is room")
}

#[test]
fn only_the_last_owner_closes() {
    let run = run(|| {
        let (_, files) = connect();
        let first = owner(1);
        let second = owner(2);
        let third = second.clone();
        assert_eq!(SHARED.owners(), 3);
        assert_eq!(first.id(), third.id());
        drop(first);
        assert_eq!(second.release(), Ok(1));
        check_open(&files, third.id(), 1);
        assert_eq!(third.release(), Ok(0));
        let again = owner(3);
        check_open(&files, again.id(), 3);
        drop(again);
        assert_eq!(SHARED.owners(), 0);
        debug_println!("done");
    });
    check_no_session_is_lost(&run);
    assert_eq!(opened(&run), ["1", "3"]);
    assert_eq!(closed(&run), ["1", "3"]);
    assert!(run.log().contains("done"), "{}", run.log());
}

#[test]
fn owners_created_within_the_opening_call_share_their_session() {
    let run = run(|| {
        let (server, files) = connect();
        let mut inner = None;
        let outer = SHARED.owner(&server, || {
            inner = Some(owner(1));
            files.file(2)
        });
        let outer = outer.expect("there is room");
        assert_eq!(name_of(&files, &outer), 1);
        drop(inner);
        assert_eq!(name_of(&files, &outer), 1);
    });
    assert_eq!(closed(&run), ["2", "1"]);
}

fn name_of(files: &FilesClient, owner: &Owner) -> u64 {
    files.name(owner.id()).expect("it is open")
}

#[test]
fn a_failed_open_creates_no_owner() {
    let run = run(|| {
        let (server, files) = connect();
        let kept = [open(1), open(2)];
        let refused = SHARED.owner(&server, || files.file(3));
        assert!(refused.is_err());
        assert_eq!(SHARED.owners(), 0);
        drop(kept);
        drop(owner(3));
        debug_println!("done");
    });
    assert_eq!(closed(&run), ["1", "2", "3"]);
}

#[test]
fn owners_of_a_closed_session_open_one_new_session() {
    let run = run(|| {
        let (server, files) = connect();
        let (first, second) = (owner(1), owner(1));
        let gone = first.id();
        files.kick(first.id()).expect("it is open");
        assert!(files.name(first.id()).is_err());
        for owner in [&first, &second] {
            let renewed = owner.renew(&gone, &server, || files.file(2));
            renewed.expect("there is room");
            check_open(&files, first.id(), 2);
            check_open(&files, second.id(), 2);
        }
    });
    check_no_session_is_lost(&run);
    assert_eq!(opened(&run), ["1", "2"]);
    assert_eq!(closed(&run), ["1", "2"]);
}

#[test]
fn a_session_can_be_shared_with_rc() {
    let run = run(|| {
        let (_, files) = connect();
        let first = Rc::new(open(1));
        let second = Rc::clone(&first);
        drop(first);
        check_open(&files, second.id(), 1);
    });
    check_no_session_is_lost(&run);
    assert_eq!(closed(&run), ["1"]);
}

#[test]
fn the_server_refuses_malformed_requests() {
    use crate::wire::{VERSION, reply, request};
    let run = run(|| {
        let raw = |label, words: &[u64]| {
            let (info, _) = SERVER.pp_call_with_mrs(MessageInfo::new(label, words.len()), words);
            info.label()
        };
        assert_eq!(raw(request::CONNECT, &[VERSION + 1]), reply::OTHER_VERSION);
        assert_eq!(raw(request::CONNECT, &[]), reply::WRONG_LENGTH);
        assert_eq!(raw(request::CLOSE, &[1, 2]), reply::WRONG_LENGTH);
        assert_eq!(raw(request::REPORT_END, &[62]), reply::NOT_ALLOWED);
        assert_eq!(raw(request::REPORT_END, &[!0]), reply::NOT_ALLOWED);
        // A label that is neither a request of this crate nor a method of the protocol.
        assert_eq!(raw(request::REPORT_END + 1, &[1]), 2);
        debug_println!("done");
    });
    assert!(run.log().contains("done"), "{}", run.log());
}

/// A server without sessions, which answers every request with label 0.
struct Other;

impl Handler for Other {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, Self::Error> {
        Ok(MessageInfo::new(0, 0))
    }
}

#[test]
fn a_server_without_sessions_is_detected() {
    let system = system(
        || {
            let found = Connection::connect(SERVER).map(|_| ());
            assert_eq!(found, Err(ConnectError::BadReply));
            // After a failed `connect`, the channel is not marked as connected, so the second call
            // sends a request again.
            let found = Connection::connect(SERVER).map(|_| ());
            assert_eq!(found, Err(ConnectError::BadReply));
            let session = Session::new(SERVER, 1);
            assert_eq!(session.close(), Err(CloseError::BadReply));
            debug_println!("done");
        },
        || (),
    )
    .program("server.elf", || Other);
    let mut run = system.start();
    run.until_idle();
    assert!(run.log().contains("done"), "{}", run.log());
}

/// A server that answers every request with fixed labels and words.
#[derive(Copy, Clone)]
struct Answers {
    to_connect: (u64, &'static [u64]),
    to_others: u64,
}

impl Handler for Answers {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        let is_connect = info.label() == crate::wire::request::CONNECT;
        let (label, words) = match is_connect {
            true => self.to_connect,
            false => (self.to_others, &[][..]),
        };
        debug_println!("server: {}", if is_connect { "connect" } else { "other" });
        for (index, word) in words.iter().enumerate() {
            set_mr(index, *word);
        }
        Ok(MessageInfo::new(label, words.len()))
    }
}

/// Runs a client with the server `answers` and returns the output of the client.
fn printed(answers: Answers, client: fn()) -> std::string::String {
    let system = system(client, || ()).program("server.elf", move || answers);
    let mut run = system.start();
    run.until_idle();
    let log = run.log();
    let lines = log.lines().filter_map(|line| line.strip_prefix("client: "));
    lines.collect()
}

#[test]
fn each_reply_to_a_connect_gives_its_result() {
    use crate::wire::{VERSION, reply};
    let check = |to_connect, expect: &str| {
        let answers = Answers {
            to_connect,
            to_others: reply::DONE,
        };
        let found = printed(answers, || {
            let found = Connection::connect(SERVER).map(|_| ());
            debug_println!("client: {found:?}");
        });
        assert_eq!(found, expect);
    };
    check((reply::DONE, &[VERSION]), "Ok(())");
    check((reply::DONE, &[VERSION + 1]), "Err(OtherVersion)");
    check((reply::OTHER_VERSION, &[]), "Err(OtherVersion)");
    check((reply::DONE, &[]), "Err(BadReply)");
    check((reply::DONE, &[VERSION, 0]), "Err(BadReply)");
    check((reply::STALE, &[VERSION]), "Err(BadReply)");
}

#[test]
fn each_reply_to_a_close_or_a_report_gives_its_result() {
    use crate::wire::{VERSION, reply};
    let check = |to_others, expect: &str| {
        let answers = Answers {
            to_connect: (reply::DONE, &[VERSION]),
            to_others,
        };
        let found = printed(answers, || {
            let server = Connection::connect(SERVER).expect("the server accepts");
            let closed = Session::new(SERVER, 1).close();
            debug_println!("client: {closed:?} {:?}", server.report_end(ONE));
        });
        assert_eq!(found, expect);
    };
    check(reply::DONE, "Ok(()) Ok(())");
    check(reply::NOT_OPEN, "Err(NotOpen) Err(BadReply)");
    check(reply::STALE, "Err(Stale) Err(BadReply)");
    check(reply::NOT_ALLOWED, "Err(BadReply) Err(NotAllowed)");
}

/// The client's channel to a second server.
const OTHER_SERVER: Channel = Channel::new(7);

const TWO_SERVERS: &str = r#"
    <system>
        <protection_domain name="server" priority="150">
            <program_image path="server.elf" />
        </protection_domain>
        <protection_domain name="other" priority="150">
            <program_image path="server.elf" />
        </protection_domain>
        <protection_domain name="client" priority="100">
            <program_image path="client.elf" />
        </protection_domain>
        <channel><end pd="client" id="0" pp="true" /><end pd="server" id="1" /></channel>
        <channel><end pd="client" id="7" pp="true" /><end pd="other" id="1" /></channel>
    </system>"#;

fn run_with_two_servers(client: fn()) -> Run {
    let answers = Answers {
        to_connect: (crate::wire::reply::DONE, &[crate::wire::VERSION]),
        to_others: crate::wire::reply::DONE,
    };
    let system = System::parse("two-servers.system", TWO_SERVERS)
        .unwrap()
        .program("server.elf", move || answers)
        .program("client.elf", move || {
            client();
            Client
        });
    let mut run = system.start();
    run.until_idle();
    run
}

#[test]
fn each_server_receives_one_connect_per_incarnation() {
    let run = run_with_two_servers(|| {
        for channel in [SERVER, OTHER_SERVER, OTHER_SERVER, SERVER] {
            Connection::connect(channel).expect("the server accepts");
        }
    });
    assert_eq!(run.log(), "server: connect\nserver: connect\n");
}

#[test]
fn a_shared_session_rejects_a_connection_to_another_server() {
    let run = run_with_two_servers(|| {
        let other = Connection::connect(OTHER_SERVER).expect("the server accepts");
        let owner = SHARED.owner(&other, || Ok::<_, OpenError>(SessionId::new(1)));
        debug_println!("it is an owner: {}", owner.is_ok());
    });
    let log = run.log();
    let expect = "the session uses channel 0, but the connection uses channel 7";
    assert!(log.contains(expect), "{log}");
    assert!(!log.contains("it is an owner"), "{log}");
}
