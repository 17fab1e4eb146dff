//! Adds one to each word of a call.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, protection_domain, with_msg_regs_mut,
};

struct Server;

#[protection_domain]
fn init() -> Server {
    Server
}

impl Handler for Server {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        let count = msg_info.count();
        with_msg_regs_mut(|regs| regs.iter_mut().take(count).for_each(|word| *word += 1));
        Ok(MessageInfo::new(0, count))
    }
}
