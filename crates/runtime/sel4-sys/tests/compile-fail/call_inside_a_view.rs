//! Rejects a system call inside a view for writing: the kernel would write to the viewed buffer.

use sel4_sys::{IpcBufferToken, MessageInfo};

fn inside(token: &mut IpcBufferToken) {
    token.with_mut(|view| {
        view.msg_regs_mut()[0] = 1;
        unsafe { sel4_sys::call(token, 1, MessageInfo::new(0, 0, 0, 1), [1, 0, 0, 0]) };
    });
}

fn main() {}
