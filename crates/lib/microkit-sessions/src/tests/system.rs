//! A server, two clients, and who looks after them.

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

/// A file system of files that have nothing but a name, which is a number.
#[protocol]
pub(crate) trait Files {
    fn file(&mut self, name: u64) -> Result<SessionId, SessionError<()>>;
    fn name(&mut self, file: SessionId) -> Result<u64, SessionError<()>>;
    /// The server closes it.
    fn kick(&mut self, file: SessionId) -> Result<(), SessionError<()>>;
}

/// The server, to its clients.
pub(crate) const SERVER: Channel = Channel::new(0);

/// The clients, to the server.
pub(crate) const ONE: Channel = Channel::new(1);
pub(crate) const TWO: Channel = Channel::new(2);
pub(crate) const PARENT: Channel = Channel::new(3);

/// Between `one` and `two`.
pub(crate) const FIRST: Channel = Channel::new(1);
pub(crate) const SECOND: Channel = Channel::new(2);

/// How many sessions there can be, and how many of one client.
pub(crate) const MOST: usize = 4;
pub(crate) const QUOTA: usize = 2;

/// With a parent.
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

/// Who is told of deaths, besides.
const UNDERTAKER_FILE: &str = r#"
        <protection_domain name="undertaker" priority="100">
            <program_image path="undertaker.elf" />
        </protection_domain>
        <channel>
            <end pd="undertaker" id="0" pp="true" /><end pd="server" id="3" />
        </channel>
        <channel><end pd="parent" id="4" /><end pd="undertaker" id="4" /></channel>
    </system>"#;

/// Nobody dies.
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

/// From the parent to the undertaker: `one` has come to its end.
const UNDERTAKER: Channel = Channel::new(4);

/// A server that keeps to these rules.
pub(crate) struct Server<R> {
    sessions: Sessions<u64, MOST, R>,
}

pub(crate) fn server<R: Rules>() -> Server<R> {
    let numbers = &shared_words!(numbers, numbers_size, SharedWord)[0];
    Server {
        sessions: Sessions::with_rules(numbers, QUOTA).allow_reports(&[(PARENT, ONE)]),
    }
}

pub(crate) struct Call<'a, R> {
    pub(crate) sessions: &'a mut Sessions<u64, MOST, R>,
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

/// What the parent does with a child that has died.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Death {
    /// It begins again.
    IsRestarted,
    /// It does not, and somebody reports it.
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
                UNDERTAKER.notify();
            }
        }
        Ok(None)
    }
}

/// Tells the server that `one` has come to its end, when it is told so; before, does something else.
pub(crate) struct Undertaker;

impl Handler for Undertaker {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        let server = Connection::connect(SERVER).expect("it is a server of sessions");
        server.report_end(ONE).expect("it is allowed");
        Ok(())
    }
}

/// A client that does something once, and is deaf after that.
pub(crate) struct Client;

impl Handler for Client {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A server that keeps to the rules `R`, and clients that do this.
pub(crate) fn system_of<R: Rules + 'static>(one: fn(), two: fn()) -> System {
    clients::<R>(SMALL_FILE, one, two)
}

/// The same with a sound server.
pub(crate) fn system(one: fn(), two: fn()) -> System {
    system_of::<Sound>(one, two)
}

/// The same, with a parent of the server and of `one`.
pub(crate) fn system_with_parent<R: Rules + 'static>(death: Death, one: fn(), two: fn()) -> System {
    let parent = move || Parent {
        entry_points: CHILDREN.map(|child| child.entry_point().expect("it is a child")),
        death,
    };
    match death {
        Death::IsRestarted => clients::<R>(FILE, one, two),
        Death::IsReported => {
            let file = FILE.replace("</system>", UNDERTAKER_FILE);
            clients::<R>(&file, one, two).program("undertaker.elf", || Undertaker)
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
    let server = Connection::connect(SERVER).expect("it is a server of sessions");
    let files = FilesClient::connect(SERVER).expect("they are of one version");
    (server, files)
}

/// Says that a session which was open is not, if it is not.
pub(crate) fn check_open(files: &FilesClient, id: SessionId, name: u64) {
    match files.name(id) {
        Ok(found) if found == name => {}
        other => debug_println!("cut off from {name}: {other:?}"),
    }
}

/// What the server has opened, and what it has closed, in its order.
pub(crate) fn opened(run: &Run) -> Vec<String> {
    lines(run, "server: open ")
}

pub(crate) fn closed(run: &Run) -> Vec<String> {
    lines(run, "server: closed ")
}

fn lines(run: &Run, beginning: &str) -> Vec<String> {
    let log = run.log();
    let lines = log.lines().filter_map(|line| line.strip_prefix(beginning));
    lines.map(String::from).collect()
}

/// Holds that nobody was cut off.
#[track_caller]
pub(crate) fn check_nobody_is_cut_off(run: &Run) {
    assert!(!run.log().contains("cut off"), "{}", run.log());
}

/// Holds that everything that was opened was closed once.
#[track_caller]
pub(crate) fn check_all_is_closed_once(run: &Run) {
    let (mut opened, mut closed) = (opened(run), closed(run));
    opened.sort();
    closed.sort();
    assert_eq!(opened, closed, "{}", run.log());
}
