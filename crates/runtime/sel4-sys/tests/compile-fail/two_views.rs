//! Rejects two views for writing at the same time.

use sel4_sys::IpcBufferToken;

fn twice(token: &mut IpcBufferToken) {
    token.with_mut(|one| {
        token.with_mut(|two| {
            one.msg_regs_mut()[0] = two.msg_regs()[0];
        });
    });
}

fn main() {}
