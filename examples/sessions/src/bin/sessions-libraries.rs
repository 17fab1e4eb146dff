//! A client with two independent libraries that use the same server. Each object of the first
//! library has its own session. All users of the second library share one session.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_protocol::CallError;
use microkit_sessions::{Connection, OpenError, Owner, Session, Shared};
use sel4_microkit::{ChannelSet, Handler, Infallible, protection_domain, waits};
use sessions::{NoTitle, NotesClient};

microkit_system::system! {
    "sessions.system", pd = "libraries";
    channel SERVER = "server";
    channel HOSTILE = "hostile";
}

waits! {
    in init { call microkit_console::CHANNEL; call SERVER.channel(); }
    in notified(HOSTILE.channel()) { call microkit_console::CHANNEL; call SERVER.channel(); }
}

/// A library with one session for each object. The note is closed with the object.
mod diary {
    use super::{Connection, NoTitle, NotesClient, OpenError, SERVER, Session, println};

    pub(crate) struct Diary {
        notes: NotesClient<SERVER>,
        note: Session<SERVER>,
    }

    impl Diary {
        pub(crate) fn new(title: &str) -> Result<Self, OpenError<NoTitle>> {
            let server = Connection::connect(SERVER).expect("the server has sessions");
            let notes =
                NotesClient::connect(SERVER).expect("both were built with the same protocol");
            let title = title.try_into().expect("it fits");
            let note = server.open(|| notes.note(title))?;
            Ok(Self { notes, note })
        }

        pub(crate) fn write(&self, text: &str) {
            let text = text.try_into().expect("it fits");
            let length = self.notes.append(self.note.id(), text);
            println!("libraries: {length:?} bytes");
        }

        pub(crate) fn show(self) {
            println!("libraries: {:?}", self.notes.read(self.note.id()));
            println!("libraries: closed: {:?}", self.note.close());
        }
    }
}

/// A library with one session that all its users share.
mod log {
    use super::*;

    static LOG: Shared<SERVER> = Shared::new(SERVER);

    pub(crate) fn log() -> Result<Owner<SERVER>, OpenError<NoTitle>> {
        let server = Connection::connect(SERVER).expect("the server has sessions");
        let notes = NotesClient::connect(SERVER).expect("both were built with the same protocol");
        LOG.owner(&server, || notes.note("log".try_into().expect("it fits")))
    }
}

struct Libraries {
    diary: Option<diary::Diary>,
}

#[protection_domain]
fn init() -> Libraries {
    let diary = diary::Diary::new("diary").expect("there is room");
    let short = diary::Diary::new("short").expect("there is room");
    let one = log::log().expect("there is room");
    let other = log::log().expect("the session is open already");
    println!(
        "libraries: both have the same log: {}",
        one.id() == other.id()
    );
    drop(short);
    drop(one);
    diary.write("dear diary");
    println!("libraries: owners left: {:?}", other.release());
    let untitled = diary::Diary::new("").err();
    println!("libraries: {untitled:?}");
    assert!(matches!(untitled, Some(CallError::Method(_))));
    Libraries { diary: Some(diary) }
}

impl Handler for Libraries {
    type Error = Infallible;

    /// Handles the end of the hostile client, which runs last.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        if let Some(diary) = self.diary.take() {
            diary.write(", others came");
            diary.show();
        }
        Ok(())
    }
}
