//! An invocation is a system call, so it must not compile inside a view.

fn inside(irq: sel4::cap::IrqHandler, mut token: sel4::IpcBufferToken) {
    token.with(|view| {
        irq.with(&mut token).irq_handler_ack().ok();
        view.msg_regs()[0]
    });
}

fn main() {}
