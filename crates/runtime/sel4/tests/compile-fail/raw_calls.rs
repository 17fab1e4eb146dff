//! A message with any label could make any invocation of an object that answers invocations.

#![forbid(unsafe_code)]

use sel4::{MessageInfo, cap};

const COPY_REGISTERS: MessageInfo = MessageInfo::new(4, 0, 1, 1);

fn of_a_thread(tcb: cap::Tcb, endpoint: cap::Endpoint, reply: cap::Reply) {
    tcb.call(COPY_REGISTERS);
    tcb.call_with_mrs(COPY_REGISTERS, [0]);
    tcb.send(COPY_REGISTERS);
    tcb.send_with_mrs(COPY_REGISTERS, [0]);
    tcb.nb_send(COPY_REGISTERS);
    tcb.nb_send_recv(COPY_REGISTERS, endpoint, reply);
    tcb.nb_send_recv_with_mrs(COPY_REGISTERS, [0], endpoint, reply);
    tcb.nb_send_wait(COPY_REGISTERS, endpoint);
}

fn of_others(vspace: cap::VSpace, sc: cap::SchedContext, irq: cap::IrqHandler, cnode: cap::CNode) {
    vspace.call(MessageInfo::new(45, 0, 0, 2));
    sc.call(MessageInfo::new(45, 0, 0, 2));
    irq.call(MessageInfo::new(45, 0, 0, 2));
    cnode.call(MessageInfo::new(45, 0, 0, 2));
}

fn receives_from(endpoint: cap::Endpoint, tcb: cap::Tcb, reply: cap::Reply) {
    endpoint.nb_send_recv(MessageInfo::new(0, 0, 0, 0), tcb, reply);
}

fn main() {}
