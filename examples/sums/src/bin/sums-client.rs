//! A client that opens sums until it reaches its quota, and adds to one of them. Two PDs run this
//! program.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_sessions::{Connection, OpenError};
use sel4_microkit::{Channel, NullHandler, pd_name, protection_domain, waits};
use sums_protocol::SumsClient;

const SERVER: Channel = Channel::new(1);

waits! {
    in init { call microkit_console::CHANNEL; call SERVER; }
}

#[protection_domain]
fn init() -> NullHandler {
    let name = pd_name().unwrap_or("client");
    if let Err(error) = play(name) {
        println!("{name}: {error:?}");
    }
    NullHandler::new()
}

fn play(name: &str) -> Result<(), OpenError> {
    let server = Connection::connect(SERVER).expect("the server has sessions");
    let sums = SumsClient::connect(SERVER).expect("both were built with the same protocol");
    let first = server.open(|| sums.open())?;
    let second = server.open(|| sums.open())?;
    println!(
        "{name}: a third sum: {:?}",
        server.open(|| sums.open()).err()
    );
    // The drop of a session closes it.
    drop(second);
    for amount in 1..=3 {
        println!("{name}: add {amount}: {}", sums.add(first.id(), amount)?);
    }
    println!("{name}: closed: {:?}", first.close());
    Ok(())
}
