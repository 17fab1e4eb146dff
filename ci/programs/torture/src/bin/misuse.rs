//! PDs that misuse the API. The name of each PD describes its misuse. Each misuse must panic with a
//! message that explains the misuse.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{
    Channel, MessageInfo, NullHandler, panicking, pd_name, protection_domain, with_msg_regs,
    with_msg_regs_mut,
};

const PARENT: Channel = Channel::new(1);

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&microkit_console::panic_hook);
    match pd_name() {
        Ok("nested-borrow") => with_msg_regs_mut(|regs| {
            regs[0] = with_msg_regs(|regs| regs[1]);
        }),
        Ok("nested-call") => with_msg_regs_mut(|regs| {
            regs[0] = 1;
            microkit_console::CHANNEL.pp_call(MessageInfo::new(0, 1));
        }),
        Ok("wrong-channel") => drop(PARENT.pp_call(MessageInfo::new(0, 0))),
        Ok("wrong-register") => sel4_microkit::set_mr(120, 1),
        name => panic!("nothing is planned for {name:?}"),
    }
    NullHandler::new()
}
