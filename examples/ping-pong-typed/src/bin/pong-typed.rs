//! Serves a counter to `ping-typed`. Shows the value in memory that is read-only for the client.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::Ordering;

use counter::{Counter, CounterServer, Direction, HISTORY, Overflow};
use heapless::{String, Vec};
use microkit_console::println;
use sel4_microkit::{Channel, Handler, Infallible, MessageInfo, protection_domain};

microkit_system::system! {
    "ping-pong-typed.system", pd = "pong";
    channel PING = "ping";
    region VALUE = "value";
}

#[protection_domain]
fn init() -> Pong {
    println!("pong: ready");
    Pong {
        direction: Direction::Up,
        name: String::new(),
        history: Vec::new(),
    }
}

struct Pong {
    direction: Direction,
    name: String<24>,
    history: Vec<u64, HISTORY>,
}

impl Counter for Pong {
    fn add(&mut self, amount: u64) -> Result<u64, Overflow> {
        let value = self.history.last().copied().unwrap_or(0);
        let (room, next) = match self.direction {
            Direction::Up => (u64::MAX - value, value.checked_add(amount)),
            Direction::Down => (value, value.checked_sub(amount)),
        };
        let next = next.ok_or(Overflow { room })?;
        if self.history.is_full() {
            self.history.remove(0);
        }
        self.history.push(next).ok();
        VALUE.words().store(0, next, Ordering::Relaxed);
        // A relaxed store is enough: the notification orders it before the peer's load.
        PING.notify();
        Ok(next)
    }

    fn turn(&mut self, direction: Direction) -> Direction {
        core::mem::replace(&mut self.direction, direction)
    }

    fn rename(&mut self, name: String<24>) {
        self.name = name;
    }

    fn name(&self) -> String<24> {
        self.name.clone()
    }

    fn history(&self) -> Vec<u64, HISTORY> {
        self.history.clone()
    }
}

impl Handler for Pong {
    type Error = Infallible;

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        assert!(channel == PING, "only `ping` has a channel with calls");
        Ok(CounterServer::dispatch(self, &msg_info))
    }
}
