//! Dies in its first life, with two notes open. In another, it finds room for as many as ever.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::Ordering;

use microkit_console::println;
use microkit_sessions::Connection;
use sel4_microkit::{NullHandler, panicking, pd_name, protection_domain, waits};
use sessions::{NOTES_PER_CLIENT, NotesClient};

// `doomed` runs the same program, and has the same.
microkit_system::system! {
    "sessions.system", pd = "mortal";
    channel SERVER = "server";
    region LIFE = "life";
}

waits! {
    in init { call microkit_console::CHANNEL; call SERVER.channel(); }
}

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&|_| println!("{}: dies", pd_name().unwrap_or("?")));
    let life = LIFE.words().load(0, Ordering::Relaxed);
    LIFE.words().store(0, life + 1, Ordering::Relaxed);

    let server = Connection::connect(SERVER).expect("it is a server of sessions");
    let notes = NotesClient::connect(SERVER).expect("both are of one version");
    let mine: [_; NOTES_PER_CLIENT] = core::array::from_fn(|index| {
        let title = ["will", "letter", "list"][index];
        assert!(life > 0 || index < 2, "life is short");
        let note = server.open(|| notes.note(title.try_into().expect("it fits")));
        note.expect("there is room")
    });
    let name = pd_name().unwrap_or("?");
    println!("{name}: {} notes in life {life}", mine.len());
    NullHandler::new()
}
