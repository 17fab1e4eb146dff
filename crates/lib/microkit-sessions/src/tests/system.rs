//! The systems of the tests: a server, two clients, and sometimes a parent and a reporter.

use std::string::String;
use std::vec::Vec;

use microkit_protocol::protocol;
use microkit_test::{Run, System};
use sel4_microkit::{
    Channel, ChannelSet, Child, EntryPoint, FastWords, Handler, Infallible, MessageInfo,
    SharedWord, debug_println, shared_words,
};

use crate::rules::{Rules, Sound};
use crate::{Connection, SessionError, SessionId, Sessions};

/// A file system. The only property of a file is its name, a number.
#[protocol]
pub(crate) trait Files {
    fn file(&mut self, name: u64) -> Result<SessionId, SessionError<()>>;
    fn name(&mut self, file: SessionId) -> Result<u64, SessionError<()>>;
    /// Makes the server close the file itself.
    fn kick(&mut self, file: SessionId) -> Result<(), SessionError<()>>;
}

/// The clients' channel to the server.
pub(crate) const SERVER: Channel = Channel::new(0);

/// The server's channels to its clients.
pub(crate) const ONE: Channel = Channel::new(1);
pub(crate) const TWO: Channel = Channel::new(2);
pub(crate) const PARENT: Channel = Channel::new(3);

/// The channels between `one` and `two`.
pub(crate) const FIRST: Channel = Channel::new(1);
pub(crate) const SECOND: Channel = Channel::new(2);

/// The size of the table, and the quota of one client.
pub(crate) const CAPACITY: usize = 4;
pub(crate) const QUOTA: usize = 2;

/// A system with a parent of the server and of `one`.
const FILE: &str = r#"
    <system>
        <memory_region name="numbers" size="0x1000" />
        <protection_domain name="parent" priority="200">
            <program_image path="parent.elf" />
            <protection_domain name="server" id="1" priority="150">
                <program_image path="server.elf" />
                <map mr="numbers" vaddr="0x4000000" perms="rw" setvar_vaddr="numbers"
                     setvar_size="numbers_size" />
            </protection_domain>
            <protection_domain name="one" id="2" priority="100">
                <program_image path="one.elf" />
            </protection_domain>
        </protection_domain>
        <protection_domain name="two" priority="100">
            <program_image path="two.elf" />
        </protection_domain>
        <channel>
            <end pd="one" id="0" pp="true" /><end pd="server" id="1" />
        </channel>
        <channel>
            <end pd="two" id="0" pp="true" /><end pd="server" id="2" />
        </channel>
    </system>"#;

/// The elements that add a reporter. The parent notifies the reporter of deaths.
const REPORTER_FILE: &str = r#"
        <protection_domain name="reporter" priority="100">
            <program_image path="reporter.elf" />
        </protection_domain>
        <channel>
            <end pd="reporter" id="0" pp="true" /><end pd="server" id="3" />
        </channel>
        <channel><end pd="parent" id="4" /><end pd="reporter" id="4" /></channel>
    </system>"#;

/// A system without a parent, in which no PD dies.
const SMALL_FILE: &str = r#"
    <system>
        <memory_region name="numbers" size="0x1000" />
        <protection_domain name="server" priority="150">
            <program_image path="server.elf" />
            <map mr="numbers" vaddr="0x4000000" perms="rw" setvar_vaddr="numbers"
                 setvar_size="numbers_size" />
        </protection_domain>
        <protection_domain name="one" priority="100">
            <program_image path="one.elf" />
        </protection_domain>
        <protection_domain name="two" priority="100">
            <program_image path="two.elf" />
        </protection_domain>
        <channel>
            <end pd="one" id="0" pp="true" /><end pd="server" id="1" />
        </channel>
        <channel>
            <end pd="two" id="0" pp="true" /><end pd="server" id="2" />
        </channel>
        <channel><end pd="two" id="1" /><end pd="one" id="1" /></channel>
        <channel><end pd="two" id="2" /><end pd="one" id="2" /></channel>
    </system>"#;

/// The parent's channel to the reporter, for the death of `one`.
const REPORTER: Channel = Channel::new(4);

/// A server whose table keeps the rules `R`.
pub(crate) struct Server<R> {
    sessions: Sessions<u64, CAPACITY, R>,
}

pub(crate) fn server<R: Rules>() -> Server<R> {
    let numbers = &shared_words!(numbers, numbers_size, SharedWord)[0];
    Server {
        sessions: Sessions::with_rules(numbers, QUOTA).allow_reports(&[(PARENT, ONE)]),
    }
}

pub(crate) struct Call<'a, R> {
    pub(crate) sessions: &'a mut Sessions<u64, CAPACITY, R>,
    pub(crate) channel: Channel,
}

impl<R: Rules> Files for Call<'_, R> {
    fn file(&mut self, name: u64) -> Result<SessionId, SessionError<()>> {
        let id = self.sessions.open(self.channel, name)?;
        debug_println!("server: open {name}");
        Ok(id)
    }

    fn name(&mut self, file: SessionId) -> Result<u64, SessionError<()>> {
        Ok(*self.sessions.get(self.channel, &file)?)
    }

    fn kick(&mut self, file: SessionId) -> Result<(), SessionError<()>> {
        self.sessions.get(self.channel, &file)?;
        let name = self.sessions.kick(&file).expect("it is open");
        debug_println!("server: closed {name}");
        Ok(())
    }
}

impl<R: Rules> Handler for Server<R> {
    type Error = Infallible;

    fn protected_with_mrs(
        &mut self,
        channel: Channel,
        info: MessageInfo,
        words: FastWords,
    ) -> Result<(MessageInfo, FastWords), Infallible> {
        let closed = |name| debug_println!("server: closed {name}");
        let answer = self.sessions.answer_with_mrs(channel, &info, words, closed);
        if let Some(reply) = answer {
            return Ok(reply);
        }
        let sessions = &mut self.sessions;
        let mut call = Call { sessions, channel };
        Ok(FilesServer::dispatch_with_mrs(&mut call, &info, words))
    }
}

/// The parent's action when a child dies.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Death {
    /// The parent restarts the child.
    IsRestarted,
    /// The parent stops the child, and the reporter reports the death to the server.
    IsReported,
}

pub(crate) struct Parent {
    entry_points: [EntryPoint; 2],
    death: Death,
}

const CHILDREN: [Child; 2] = [Child::new(1), Child::new(2)];

impl Handler for Parent {
    type Error = sel4::Error;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Self::Error> {
        match self.death {
            Death::IsRestarted => child.restart(self.entry_points[child.index() - 1])?,
            Death::IsReported => {
                child.stop()?;
                REPORTER.notify();
            }
        }
        Ok(None)
    }
}

/// Reports the death of `one` to the server after a notification from the parent.
pub(crate) struct Reporter;

impl Handler for Reporter {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        let server = Connection::connect(SERVER).expect("the peer is a session server");
        server.report_end(ONE).expect("the server allows it");
        Ok(())
    }
}

/// A client that runs its test in `init` and ignores notifications.
pub(crate) struct Client;

impl Handler for Client {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Builds the system with a server that keeps the rules `R`. The clients run `one` and `two`.
pub(crate) fn system_of<R: Rules + 'static>(one: fn(), two: fn()) -> System {
    clients::<R>(SMALL_FILE, one, two)
}

/// Builds the system with a sound server.
pub(crate) fn system(one: fn(), two: fn()) -> System {
    system_of::<Sound>(one, two)
}

/// Builds the system with a parent of the server and of `one`.
pub(crate) fn system_with_parent<R: Rules + 'static>(death: Death, one: fn(), two: fn()) -> System {
    let parent = move || Parent {
        entry_points: CHILDREN.map(|child| child.entry_point().expect("it is a child")),
        death,
    };
    match death {
        Death::IsRestarted => clients::<R>(FILE, one, two),
        Death::IsReported => {
            let file = FILE.replace("</system>", REPORTER_FILE);
            clients::<R>(&file, one, two).program("reporter.elf", || Reporter)
        }
    }
    .program("parent.elf", parent)
}

fn clients<R: Rules + 'static>(file: &str, one: fn(), two: fn()) -> System {
    System::parse("sessions.system", file)
        .unwrap()
        .program("server.elf", server::<R>)
        .program("one.elf", move || {
            one();
            Client
        })
        .program("two.elf", move || {
            two();
            Client
        })
}

pub(crate) fn connect() -> (Connection, FilesClient) {
    let server = Connection::connect(SERVER).expect("the peer is a session server");
    let files = FilesClient::connect(SERVER).expect("both use one version");
    (server, files)
}

/// Prints "cut off" unless the session is open and its file is `name`.
pub(crate) fn check_open(files: &FilesClient, id: SessionId, name: u64) {
    match files.name(id) {
        Ok(found) if found == name => {}
        other => debug_println!("cut off from {name}: {other:?}"),
    }
}

/// Returns the names of the files that the server has opened, in order.
pub(crate) fn opened(run: &Run) -> Vec<String> {
    lines(run, "server: open ")
}

/// Returns the names of the files that the server has closed, in order.
pub(crate) fn closed(run: &Run) -> Vec<String> {
    lines(run, "server: closed ")
}

fn lines(run: &Run, beginning: &str) -> Vec<String> {
    let log = run.log();
    let lines = log.lines().filter_map(|line| line.strip_prefix(beginning));
    lines.map(String::from).collect()
}

/// Checks that no client lost a session of its own.
#[track_caller]
pub(crate) fn check_no_session_is_lost(run: &Run) {
    assert!(!run.log().contains("cut off"), "{}", run.log());
}

/// Checks that each session was closed exactly once.
#[track_caller]
pub(crate) fn check_each_session_is_closed_once(run: &Run) {
    let (mut opened, mut closed) = (opened(run), closed(run));
    opened.sort();
    closed.sort();
    assert_eq!(opened, closed, "{}", run.log());
}
