//! Safe code cannot get the capabilities of a channel. With a server's endpoint, a client could
//! leave the server without a scheduling context.
#![forbid(unsafe_code)]

use sel4_microkit::{Channel, MessageInfo};

fn main() {
    Channel::new(1).endpoint().nb_send(sel4::MessageInfo::new(0, 0, 0, 0));
    Channel::new(1).notification().signal();
    Channel::new(1).irq_handler().irq_handler_clear();
    MessageInfo::from_inner(sel4::MessageInfo::new(0, 0, 3, 0));
    MessageInfo::default().into_inner();
}
