//! A parent replies to a fault with words, to make the kernel write them to the child's registers.
//!
//! prints: the reply to a fault
//| <protection_domain name="parent" priority="100">
//|     <program_image path="invocation_of_a_fault.elf" />
//|     <protection_domain name="child" id="1" priority="90">
//|         <program_image path="invocation_of_a_fault.elf" />
//|     </protection_domain>
//| </protection_domain>
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{
    Child, Handler, Infallible, MessageInfo, debug_println, pd_name, protection_domain, set_mr,
};

struct Parent;

#[protection_domain]
fn init() -> Parent {
    if pd_name() == Ok("child") {
        panic!("the parent replies");
    }
    Parent
}

impl Handler for Parent {
    type Error = Infallible;

    fn fault(&mut self, _: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        debug_println!("the child has faulted");
        set_mr(0, 0x20_1234);
        set_mr(1, 0x20_8000);
        Ok(Some(MessageInfo::new(0, 3)))
    }
}
