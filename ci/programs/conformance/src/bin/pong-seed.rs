//! The server of `ping-seed`: replies with words that differ from the words of the request.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{Channel, Handler, Infallible, MessageInfo, protection_domain, set_mr};

struct Pong;

#[protection_domain]
fn init() -> Pong {
    Pong
}

impl Handler for Pong {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        for index in 0..msg_info.count() {
            set_mr(index, 0xab00 + index as u64);
        }
        Ok(MessageInfo::new(0, msg_info.count()))
    }
}
