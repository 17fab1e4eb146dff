//! The server: keeps the notes of several clients, one in each session, and prints when a note is
//! opened or closed.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_sessions::{SessionError, SessionId, Sessions};
use sel4_microkit::{Channel, Handler, Infallible, MessageInfo, protection_domain, waits};
use sessions::{DOOMED, NOTES_PER_CLIENT, NoTitle, Notes, NotesServer, Overflow, Text, Title};

microkit_system::system! {
    "sessions.system", pd = "server";
    region NUMBERS = "numbers";
}

/// The quota of all five clients together.
const MOST_NOTES: usize = 5 * NOTES_PER_CLIENT;

const PARENT: Channel = Channel::new(1);

struct Note {
    title: Title,
    text: Text,
}

struct Server {
    notes: Sessions<Note, MOST_NOTES>,
}

/// A call and its client.
struct Call<'a> {
    server: &'a mut Server,
    client: Channel,
}

waits! {
    in init { call microkit_console::CHANNEL; }
    in protected { call microkit_console::CHANNEL; }
}

#[protection_domain]
fn init() -> Server {
    println!("server: ready");
    let notes = Sessions::new(&NUMBERS.words().as_slice()[0], NOTES_PER_CLIENT);
    Server {
        notes: notes.allow_reports(&[(PARENT, DOOMED)]),
    }
}

impl Notes for Call<'_> {
    fn note(&mut self, title: Title) -> Result<SessionId, SessionError<NoTitle>> {
        let client = self.client;
        self.server.notes.open_with(client, || {
            if title.is_empty() {
                return Err(NoTitle);
            }
            println!("server: client {} opens {title}", client.index());
            let text = Text::new();
            Ok(Note { title, text })
        })
    }

    fn append(&mut self, note: SessionId, text: Text) -> Result<u64, SessionError<Overflow>> {
        let note = self.server.notes.get_mut(self.client, &note)?;
        let room = note.text.capacity() - note.text.len();
        note.text.push_str(&text).map_err(|_| {
            let room = room as u64;
            SessionError::Method(Overflow { room })
        })?;
        Ok(note.text.len() as u64)
    }

    fn read(&mut self, note: SessionId) -> Result<Text, SessionError<()>> {
        let note = self.server.notes.get(self.client, &note)?;
        Ok(note.text.clone())
    }

    fn close_empty(&mut self) -> u64 {
        let before = self.server.notes.len();
        self.server.notes.retain(|client, note| {
            if note.text.is_empty() {
                println!(
                    "server: {} of client {} is empty",
                    note.title,
                    client.index()
                );
            }
            !note.text.is_empty()
        });
        (before - self.server.notes.len()) as u64
    }
}

impl Handler for Server {
    type Error = Infallible;

    fn protected(
        &mut self,
        client: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        let close = |note: Note| println!("server: {} is closed", note.title);
        if let Some(reply) = self.notes.answer(client, &msg_info, close) {
            return Ok(reply);
        }
        let server = self;
        Ok(NotesServer::dispatch(
            &mut Call { server, client },
            &msg_info,
        ))
    }
}
