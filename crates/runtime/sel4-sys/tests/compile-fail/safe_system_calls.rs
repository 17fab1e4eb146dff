//! Rejects system calls in safe code, because an arbitrary invocation could break memory safety.

#![forbid(unsafe_code)]

use sel4_sys::{IpcBufferToken, MessageInfo};

fn asks(token: &mut IpcBufferToken) {
    let info = MessageInfo::new(sel4_sys::invocation::TCBWriteRegisters, 0, 0, 3);
    sel4_sys::call(token, 202, info, [1, 1, 0x20_0000, 0]);
    sel4_sys::call_empty(token, 202, info);
    sel4_sys::send(token, 202, info, [1, 1, 0x20_0000, 0]);
    sel4_sys::send_empty(token, 202, info);
    sel4_sys::nb_send(token, 202, info, [1, 1, 0x20_0000, 0]);
    sel4_sys::nb_send_recv(token, 202, info, [1, 1, 0x20_0000, 0], 1, 4);
    sel4_sys::nb_send_recv_empty(token, 202, info, 1, 4);
    sel4_sys::nb_send_wait(token, 202, info, [1, 1, 0x20_0000, 0], 1);
    sel4_sys::signal(token, 74);
}

fn replies(token: &mut IpcBufferToken) {
    sel4_sys::recv(token, 1, 4);
    sel4_sys::nb_recv(token, 1, 4);
    sel4_sys::reply_recv(token, 1, MessageInfo::new(0, 0, 0, 3), [0x20_0000, 0, 0, 0], 4);
}

fn gives_memory_away(token: &mut IpcBufferToken) {
    sel4_sys::benchmark_set_log_buffer(70);
    token.with_mut(|buffer| buffer.set_receive_path(2, 1, 64));
}

fn main() {}
