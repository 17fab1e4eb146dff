//! The view would outlive its scope, and be alive during the next call.

use sel4_sys::IpcBufferToken;

fn kept(token: &mut IpcBufferToken) -> &mut [u64] {
    token.with_mut(|view| view.msg_regs_mut())
}

fn main() {}
