//! A server in Rust for a client in C: replies with the complement of each word.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, panicking, protection_domain, with_msg_regs_mut,
};

const C_PLAYER: Channel = Channel::new(1);

struct Helper;

#[protection_domain]
fn init() -> Helper {
    panicking::set_hook(&microkit_console::panic_hook);
    Helper
}

impl Handler for Helper {
    type Error = Infallible;

    fn protected(
        &mut self,
        channel: Channel,
        request: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        assert_eq!(channel, C_PLAYER);
        let (label, count) = (request.label(), request.count());
        with_msg_regs_mut(|registers| {
            for word in &mut registers[..count] {
                *word = !*word;
            }
        });
        println!("rust-helper: was called from C, with label {label} and {count} words");
        Ok(MessageInfo::new(label + 1, count))
    }
}
