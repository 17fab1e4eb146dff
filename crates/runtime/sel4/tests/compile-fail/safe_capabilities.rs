//! A capability pointer with the wrong type would allow any message to the object.

#![forbid(unsafe_code)]

use sel4::{CPtr, Cap, cap, cap_type};

fn of_a_number() -> cap::Endpoint {
    Cap::from_bits(202)
}

fn of_a_pointer(pointer: CPtr) -> [cap::Endpoint; 2] {
    [Cap::from_cptr(pointer), pointer.cast()]
}

fn of_another(tcb: cap::Tcb) -> [cap::Endpoint; 2] {
    [tcb.cast(), tcb.upcast().downcast()]
}

fn of_another_by_name(vspace: cap::VSpace) {
    vspace.cast::<cap_type::CNode>();
}

fn main() {}
