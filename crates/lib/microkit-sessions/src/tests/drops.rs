//! Where handles are dropped, and what they are shared by.

use std::rc::Rc;

use microkit_test::{Run, System};
use sel4_microkit::{
    Channel, DeferredAction, DeferredActionSlot, Handler, Infallible, MessageInfo, debug_println,
    get_mr, set_mr, with_msg_regs, with_msg_regs_mut,
};

use super::system::*;
use crate::{CloseError, ConnectError, Connection, OpenError, Owner, Session, SessionId, Shared};

/// Runs a client alone, and returns when nothing can run.
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
fn a_drop_leaves_the_message_registers_as_they_are() {
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

/// Drops a session where the event loop asks for what was put off.
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
fn a_drop_beside_what_was_put_off_does_both() {
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
fn a_drop_inside_a_borrow_says_where_the_borrow_is() {
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
    // The program has stopped: its next life closes the session, and its end does if it is reported.
    assert_eq!(run.faults().len(), 1);
    assert!(closed(&run).is_empty());
}

#[test]
fn a_panic_drops_nothing_and_is_told_once() {
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
fn what_is_forgotten_stays_open_until_the_next_life() {
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
fn the_last_owner_closes_and_only_the_last() {
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
    check_nobody_is_cut_off(&run);
    assert_eq!(opened(&run), ["1", "3"]);
    assert_eq!(closed(&run), ["1", "3"]);
    assert!(run.log().contains("done"), "{}", run.log());
}

#[test]
fn an_owner_that_is_made_while_one_is_made_shares_its_session() {
    let run = run(|| {
        let (server, files) = connect();
        let mut inner = None;
        let outer = SHARED.owner(&server, || {
            inner = Some(owner(1));
            files.file(2)
        });
        let outer = outer.expect("there is room");
        assert_eq!(closed_name(&files, &outer), 1);
        drop(inner);
        assert_eq!(closed_name(&files, &outer), 1);
    });
    assert_eq!(closed(&run), ["2", "1"]);
}

fn closed_name(files: &FilesClient, owner: &Owner) -> u64 {
    files.name(owner.id()).expect("it is open")
}

#[test]
fn a_call_that_opens_nothing_makes_no_owner() {
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
fn owners_that_find_their_session_gone_open_one_together() {
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
    check_nobody_is_cut_off(&run);
    assert_eq!(opened(&run), ["1", "2"]);
    assert_eq!(closed(&run), ["1", "2"]);
}

#[test]
fn with_a_heap_a_session_is_shared_as_everything_is() {
    let run = run(|| {
        let (_, files) = connect();
        let first = Rc::new(open(1));
        let second = Rc::clone(&first);
        drop(first);
        check_open(&files, second.id(), 1);
    });
    check_nobody_is_cut_off(&run);
    assert_eq!(closed(&run), ["1"]);
}

#[test]
fn a_connect_says_what_the_other_end_is() {
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
        // Unknown to both.
        assert_eq!(raw(request::REPORT_END + 1, &[1]), 2);
        debug_println!("done");
    });
    assert!(run.log().contains("done"), "{}", run.log());
}

/// Answers everything as no server of sessions does.
struct Other;

impl Handler for Other {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, Self::Error> {
        Ok(MessageInfo::new(0, 0))
    }
}

#[test]
fn another_server_is_found_out() {
    let system = system(
        || {
            let found = Connection::connect(SERVER).map(|_| ());
            assert_eq!(found, Err(ConnectError::BadReply));
            // It is asked again.
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

/// A server that answers with these labels and words, whatever it is asked.
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

/// What a client prints that runs with this server.
fn printed(answers: Answers, client: fn()) -> std::string::String {
    let system = system(client, || ()).program("server.elf", move || answers);
    let mut run = system.start();
    run.until_idle();
    let log = run.log();
    let lines = log.lines().filter_map(|line| line.strip_prefix("client: "));
    lines.collect()
}

#[test]
fn a_reply_to_a_connect_is_taken_for_what_it_is() {
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
fn a_reply_to_a_close_or_a_report_is_taken_for_what_it_is() {
    use crate::wire::{VERSION, reply};
    let check = |to_others, expect: &str| {
        let answers = Answers {
            to_connect: (reply::DONE, &[VERSION]),
            to_others,
        };
        let found = printed(answers, || {
            let server = Connection::connect(SERVER).expect("it says so");
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
fn each_server_is_told_once_of_a_life() {
    let run = run_with_two_servers(|| {
        for channel in [SERVER, OTHER_SERVER, OTHER_SERVER, SERVER] {
            Connection::connect(channel).expect("it says so");
        }
    });
    assert_eq!(run.log(), "server: connect\nserver: connect\n");
}

#[test]
fn a_shared_session_takes_no_connection_with_another_server() {
    let run = run_with_two_servers(|| {
        let other = Connection::connect(OTHER_SERVER).expect("it says so");
        let owner = SHARED.owner(&other, || Ok::<_, OpenError>(SessionId::new(1)));
        debug_println!("it is an owner: {}", owner.is_ok());
    });
    let log = run.log();
    let expect =
        "the session is with the server of channel 0, the connection with that of channel 7";
    assert!(log.contains(expect), "{log}");
    assert!(!log.contains("it is an owner"), "{log}");
}
