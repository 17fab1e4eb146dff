//! The crate `sel4-sys` is reachable, but its system calls are `unsafe`.

#![forbid(unsafe_code)]

fn main() {
    sel4::with_ipc_buffer_token(|token| {
        let info = sel4::MessageInfo::new(4, 0, 1, 1);
        sel4::sys::call(token, 1 << 58, info, [0; 4]);
    });
    sel4::with_ipc_buffer_mut(|buffer| buffer.set_receive_path(2, 1, 64));
}
