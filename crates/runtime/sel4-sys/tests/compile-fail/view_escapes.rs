//! Rejects a view that outlives its scope and would be alive during the next system call.

use sel4_sys::IpcBufferToken;

fn kept(token: &mut IpcBufferToken) -> &mut [u64] {
    token.with_mut(|view| view.msg_regs_mut())
}

fn main() {}
