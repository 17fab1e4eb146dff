//! Safe code cannot make a raw system call with an arbitrary label.

#![forbid(unsafe_code)]

use sel4::{MessageInfo, cap_type};
use sel4_microkit::{Child, VCpu, user_cap, vspace};

fn main() {
    user_cap::<cap_type::Tcb>(1).call(MessageInfo::new(4, 0, 1, 1));
    vspace().call(MessageInfo::new(45, 0, 0, 2));
    user_cap::<cap_type::SchedContext>(2).send(MessageInfo::new(0, 0, 0, 0));
    Child::new(1).tcb().nb_send(MessageInfo::new(3, 0, 0, 3));
    VCpu::new(1).vcpu().call(MessageInfo::new(3, 0, 0, 3));
    user_cap::<cap_type::Endpoint>(1).call(MessageInfo::new(4, 0, 1, 1));
}
