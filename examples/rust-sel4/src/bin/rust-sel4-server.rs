//! Replies with the client's word in capital letters, and notifies the client. All names are names
//! of rust-sel4's `sel4-microkit`.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, debug_println, protection_domain, with_msg_bytes_mut,
};

/// The most bytes of a word.
const WORD_BYTES: usize = 16;

/// The label of the reply to a message that is not a word.
const REFUSED: u64 = 1;

struct Server;

#[protection_domain]
fn init() -> Server {
    debug_println!("server: ready");
    Server
}

impl Handler for Server {
    type Error = Infallible;

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        // A client may send any label and any number of message registers.
        let length = usize::try_from(msg_info.label()).unwrap_or(usize::MAX);
        if length > WORD_BYTES || length > 8 * msg_info.count() {
            return Ok(MessageInfo::new(REFUSED, 0));
        }
        with_msg_bytes_mut(|bytes| bytes[..length].make_ascii_uppercase());
        channel.notify();
        Ok(MessageInfo::new(0, length.div_ceil(8)))
    }
}
