//! Calls and notifies `pong`, and requests restarts of the child, until the parent has made enough
//! restarts. Then compares its counts with the counts of `pong`: no call and no notification may be
//! lost or doubled.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, panicking, protection_domain,
};

const PARENT: Channel = Channel::new(1);
const PONG: Channel = Channel::new(2);

/// The number of rounds between two requests to restart the child.
const ROUNDS_PER_RESTART: u64 = 4;

struct Ping {
    calls: u64,
    notifications: u64,
}

#[protection_domain]
fn init() -> Ping {
    panicking::set_hook(&microkit_console::panic_hook);
    let mut ping = Ping {
        calls: 0,
        notifications: 0,
    };
    ping.play();
    ping
}

impl Ping {
    fn play(&mut self) {
        let (reply, words) =
            PONG.pp_call_with_mrs(MessageInfo::new(1, 2), [self.calls, self.notifications]);
        assert_eq!(reply, MessageInfo::new(1, 2));
        assert_eq!(words[..2], [!self.calls, !self.notifications]);
        self.calls += 1;
        PONG.notify();
        self.notifications += 1;
        if self.calls.is_multiple_of(ROUNDS_PER_RESTART) {
            PARENT.notify();
        }
    }
}

impl Handler for Ping {
    type Error = Infallible;

    /// Handles an answer of `pong`, and the parent's notification that the restarts are done.
    /// Ignores a notification of the child.
    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(PARENT) {
            let (_, words) = PONG.pp_call_with_mrs(MessageInfo::new(2, 0), []);
            assert_eq!(words[..2], [self.calls, self.notifications]);
            println!("ping: every call was answered once, and every notification arrived once");
        } else if channels.contains(PONG) {
            self.play();
        }
        Ok(())
    }
}
