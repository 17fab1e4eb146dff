//! Calls the counter of `pong-typed` through the protocol, then sends requests that break the
//! protocol.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::Ordering;

use counter::{CounterClient, Direction};
use microkit_console::println;
use microkit_protocol::CallError;
use sel4_microkit::{ChannelSet, Handler, Infallible, MessageInfo, protection_domain};

microkit_system::system! {
    "ping-pong-typed.system", pd = "ping";
    channel PONG = "pong";
    region VALUE = "value";
}

struct Ping;

#[protection_domain]
fn init() -> Ping {
    let counter = CounterClient::connect(PONG).expect("both were built with the same protocol");
    if let Err(error) = play(&counter) {
        println!("ping: {error}");
    }
    misbehave();
    println!("ping: {:?}", counter.history().map(|values| values.len()));
    Ping
}

fn play(counter: &CounterClient<PONG>) -> Result<(), CallError> {
    counter.rename("rounds".try_into().expect("it fits"))?;
    println!("ping: the counter is called {}", counter.name()?);
    for amount in 1..=3 {
        println!("ping: add {amount}: {:?}", counter.add(amount));
    }
    println!(
        "ping: the direction was {:?}",
        counter.turn(Direction::Down)?
    );
    println!("ping: add 10: {:?}", counter.add(10));
    println!("ping: add 6: {:?}", counter.add(6));
    println!("ping: {:?}", counter.history()?);
    Ok(())
}

/// Makes calls that violate the protocol. The server refuses each of these calls and continues to
/// serve.
fn misbehave() {
    let requests: [(&str, u64, &[u64]); 5] = [
        ("another version", 0, &[1]),
        ("no such method", 99, &[]),
        ("too short", 1, &[]),
        ("too long", 1, &[1, 2]),
        ("no direction", 2, &[3]),
    ];
    for (what, label, words) in requests {
        let (reply, _) = PONG.pp_call_with_mrs(MessageInfo::new(label, words.len()), words);
        println!("ping: {what}: refused with {}", reply.label());
    }
}

impl Handler for Ping {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if PONG.is_in(channels) {
            let value = VALUE.words().load(0, Ordering::Relaxed);
            println!("ping: reads {value} in {} words", VALUE.words().len());
        }
        Ok(())
    }
}
