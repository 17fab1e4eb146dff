//! Serves every caller, and answers each notification from `ping`.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, panicking, protection_domain,
    with_msg_regs_mut,
};

const PING: Channel = Channel::new(1);

struct Pong;

#[protection_domain]
fn init() -> Pong {
    panicking::set_hook(&microkit_console::panic_hook);
    Pong
}

impl Handler for Pong {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(PING) {
            PING.notify();
        }
        Ok(())
    }

    /// Replies to any caller with each word inverted.
    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        with_msg_regs_mut(|registers| {
            for word in &mut registers[..msg_info.count()] {
                *word = !*word;
            }
        });
        Ok(msg_info)
    }
}
