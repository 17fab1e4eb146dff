//! A client that opens notes until the server refuses because of the quota. Then the client closes
//! some notes and opens other notes.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use heapless::Vec;
use microkit_console::println;
use microkit_protocol::CallError;
use microkit_sessions::{Connection, OpenError, Session};
use sel4_microkit::{NullHandler, protection_domain, waits};
use sessions::{NOTES_PER_CLIENT, NoTitle, NotesClient, Title};

microkit_system::system! {
    "sessions.system", pd = "greedy";
    channel SERVER = "server";
}

waits! {
    in init { call microkit_console::CHANNEL; call SERVER.channel(); }
}

#[protection_domain]
fn init() -> NullHandler {
    if let Err(error) = play() {
        println!("greedy: {error:?}");
    }
    NullHandler::new()
}

fn play() -> Result<(), OpenError<NoTitle>> {
    let server = Connection::connect(SERVER).expect("the server has sessions");
    let notes = NotesClient::connect(SERVER).expect("both were built with the same protocol");
    let title: Title = "more".try_into().expect("it fits");
    let mut mine = Vec::<Session<SERVER>, { NOTES_PER_CLIENT + 1 }>::new();
    while let Ok(note) = server.open(|| notes.note(title.clone())) {
        mine.push(note).expect("the quota is smaller");
    }
    match server.open(|| notes.note(title.clone())) {
        Err(CallError::Method(error)) => {
            println!("greedy: with {} notes open: {error:?}", mine.len())
        }
        other => println!("greedy: {other:?}"),
    }

    // After a close there is room for another note, and the open notes still work.
    let first = mine.swap_remove(0);
    println!("greedy: closed: {:?}", first.close());
    mine.push(server.open(|| notes.note(title.clone()))?).ok();
    let text = "much".try_into().expect("it fits");
    println!("greedy: {:?}", notes.append(mine[0].id(), text));

    // The server closes the two empty notes. Their sessions then get an error.
    println!("greedy: closed the empty notes: {:?}", notes.close_empty());
    let gone = mine.pop().expect("three notes are open");
    println!("greedy: {:?}", notes.read(gone.id()));
    println!("greedy: closed: {:?}", gone.close());
    println!("greedy: {:?}", notes.read(mine[0].id()));
    Ok(())
}
