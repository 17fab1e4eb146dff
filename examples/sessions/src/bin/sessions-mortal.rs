//! A client whose first incarnation dies with two notes open. The server closes these notes, so the
//! next incarnation can open as many notes as the quota allows.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::Ordering;

use microkit_console::println;
use microkit_sessions::Connection;
use sel4_microkit::{NullHandler, panicking, pd_name, protection_domain, waits};
use sessions::{NOTES_PER_CLIENT, NotesClient};

// The PD `doomed` runs the same program and has the same channel and region.
microkit_system::system! {
    "sessions.system", pd = "mortal";
    channel SERVER = "server";
    region INCARNATION = "incarnation";
}

waits! {
    in init { call microkit_console::CHANNEL; call SERVER.channel(); }
}

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&|_| println!("{}: dies", pd_name().unwrap_or("?")));
    let incarnation = INCARNATION.words().load(0, Ordering::Relaxed);
    INCARNATION
        .words()
        .store(0, incarnation + 1, Ordering::Relaxed);

    let server = Connection::connect(SERVER).expect("the server has sessions");
    let notes = NotesClient::connect(SERVER).expect("both were built with the same protocol");
    let mine: [_; NOTES_PER_CLIENT] = core::array::from_fn(|index| {
        let title = ["will", "letter", "list"][index];
        assert!(
            incarnation > 0 || index < 2,
            "the first incarnation dies here"
        );
        let note = server.open(|| notes.note(title.try_into().expect("it fits")));
        note.expect("there is room")
    });
    let name = pd_name().unwrap_or("?");
    println!("{name}: {} notes in incarnation {incarnation}", mine.len());
    NullHandler::new()
}
