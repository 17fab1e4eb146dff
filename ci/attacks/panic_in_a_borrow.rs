//! The message of a panic borrows from the IPC buffer, and the panic hook calls a server that
//! overwrites the buffer.
//!
//! prints: said: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
//| <protection_domain name="client" priority="100">
//|     <program_image path="panic_in_a_borrow.elf" />
//| </protection_domain>
//| <protection_domain name="server" priority="101">
//|     <program_image path="panic_in_a_borrow.elf" />
//| </protection_domain>
//| <channel>
//|     <end pd="client" id="1" pp="true" />
//|     <end pd="server" id="1" />
//| </channel>
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, debug_println, panicking, pd_name,
    protection_domain, with_msg_bytes, with_msg_bytes_mut, with_msg_regs_mut,
};

const SERVER: Channel = Channel::new(1);

struct Server;

#[protection_domain]
fn init() -> Server {
    if pd_name() == Ok("server") {
        return Server;
    }
    panicking::set_hook(&|info| {
        SERVER.pp_call_with_mrs(MessageInfo::new(0, 0), []);
        debug_println!("said: {}", info.message());
    });
    with_msg_bytes_mut(|bytes| bytes.fill(b'a'));
    with_msg_bytes(|bytes| {
        let text = core::str::from_utf8(bytes).expect("the bytes are UTF-8");
        panic!("{text:.2000}")
    })
}

impl Handler for Server {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, Infallible> {
        with_msg_regs_mut(|registers| registers.fill(!0));
        Ok(MessageInfo::new(0, 120))
    }
}
