//! Reports the fault of each child and leaves the child stopped.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4::Fault;
use sel4_microkit::{Child, Handler, Infallible, MessageInfo, protection_domain};

struct Parent;

// Cargo enables the feature `alloc` for the whole package, so each of its programs needs a heap.
#[protection_domain(heap_size = 0x1000)]
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
        let kind = match msg_info.fault() {
            Fault::VmFault(_) => "a VM fault",
            Fault::CapFault(_) => "a capability fault",
            Fault::UnknownSyscall(_) => "an unknown system call",
            Fault::UserException(_) => "a user exception",
            _ => "another fault",
        };
        println!("parent: child {} stopped with {kind}", child.index());
        Ok(None)
    }
}
