//! The parent of the PDs of `misuse`: reports the fault of each child and leaves the child stopped.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4::Fault;
use sel4_microkit::{Child, Handler, Infallible, MessageInfo, protection_domain};

struct Parent;

#[protection_domain]
fn init() -> Parent {
    Parent
}

impl Handler for Parent {
    type Error = Infallible;

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, Infallible> {
        let is_panic = matches!(msg_info.fault(), Fault::UserException(_));
        let kind = if is_panic {
            "a user exception"
        } else {
            "another fault"
        };
        println!("parent: child {} stopped with {kind}", child.index());
        Ok(None)
    }
}
