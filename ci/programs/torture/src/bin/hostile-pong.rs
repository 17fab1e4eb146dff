//! The server of `hostile-ping`: replies with each word of the request plus one, and with the label
//! inverted.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, protection_domain, with_msg_regs_mut,
};

struct Pong;

#[protection_domain]
fn init() -> Pong {
    Pong
}

impl Handler for Pong {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        let count = msg_info.count();
        with_msg_regs_mut(|regs| regs.iter_mut().take(count).for_each(|word| *word += 1));
        let label = !msg_info.label() & ((1 << MessageInfo::label_width()) - 1);
        Ok(MessageInfo::new(label, count))
    }
}
