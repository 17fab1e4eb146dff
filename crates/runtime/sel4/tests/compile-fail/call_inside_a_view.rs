//! A call with a token must not compile inside a view of that token.

fn inside(endpoint: sel4::cap::Endpoint, mut token: sel4::IpcBufferToken) {
    token.with_mut(|view| {
        view.msg_regs_mut()[0] = 1;
        endpoint.with(&mut token).call(sel4::MessageInfo::new(0, 0, 0, 1));
    });
}

fn main() {}
