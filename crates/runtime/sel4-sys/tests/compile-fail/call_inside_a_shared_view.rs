//! Rejects a system call inside a view for reading: the kernel would write to the viewed buffer.

use sel4_sys::IpcBufferToken;

fn inside(token: &mut IpcBufferToken) {
    token.with(|view| {
        unsafe { sel4_sys::signal(token, 1) };
        view.msg_regs()[0]
    });
}

fn main() {}
