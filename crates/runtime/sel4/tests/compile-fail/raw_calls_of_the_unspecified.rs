//! Removing the type of a capability does not make calls through the capability safe.

#![forbid(unsafe_code)]

use sel4::{MessageInfo, cap};

const COPY_REGISTERS: MessageInfo = MessageInfo::new(4, 0, 1, 1);

fn of_a_thread(tcb: cap::Tcb, endpoint: cap::Endpoint, reply: cap::Reply) {
    let any = tcb.upcast();
    any.call(COPY_REGISTERS);
    any.call_with_mrs(COPY_REGISTERS, [0]);
    any.send(COPY_REGISTERS);
    any.send_with_mrs(COPY_REGISTERS, [0]);
    any.nb_send(COPY_REGISTERS);
    any.recv(reply);
    any.recv_with_mrs(reply);
    any.nb_recv(reply);
    any.reply_recv(COPY_REGISTERS, reply);
    any.reply_recv_with_mrs(COPY_REGISTERS, [0], reply);
    any.nb_send_recv(COPY_REGISTERS, endpoint, reply);
    any.nb_send_recv_with_mrs(COPY_REGISTERS, [0], endpoint, reply);
    any.nb_send_wait(COPY_REGISTERS, endpoint);
}

fn main() {}
