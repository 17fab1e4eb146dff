//! The view for reading would be alive while the kernel writes.

use sel4_sys::IpcBufferToken;

fn inside(token: &mut IpcBufferToken) {
    token.with(|view| {
        unsafe { sel4_sys::signal(token, 1) };
        view.msg_regs()[0]
    });
}

fn main() {}
