//! A passive server: counts its calls and notifications, and replies with both counts.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, RestartReply, panicking, pd_is_passive,
    protection_domain, restart_reply, set_mr,
};

const CLIENT: Channel = Channel::new(1);

/// The label of the reply to a call that an earlier incarnation did not answer.
const RESTARTED: u64 = 1;

#[derive(Default)]
struct Server {
    calls: u64,
    notifications: u64,
}

#[protection_domain]
fn init() -> Server {
    panicking::set_hook(&microkit_console::panic_hook);
    println!("child: starts, passive: {}", pd_is_passive());
    Server::default()
}

impl Handler for Server {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        assert!(channels.contains(CLIENT));
        self.notifications += 1;
        Ok(())
    }

    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, Infallible> {
        self.calls += 1;
        set_mr(0, self.calls);
        set_mr(1, self.notifications);
        Ok(MessageInfo::new(0, 2))
    }

    fn restart_reply(&self) -> Option<RestartReply> {
        Some(restart_reply!(RESTARTED))
    }
}
