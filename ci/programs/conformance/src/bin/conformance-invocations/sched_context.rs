//! Invocations of scheduling contexts.

use conformance::code::{COUNT, DONE};
use conformance::{A, B, LAST, Registers, Stage, info, show};
use microkit_console::println;
use sel4::cap;
use sel4::sys::invocation as label;

use super::{
    A_NOTIFICATION, A_SC, A_TCB, B_NOTIFICATION, B_SC, B_TCB, CONSOLE_TCB, EMPTY, INPUT, OWN_SC,
    OWN_TCB, REPLY, VSPACE, answer, invoke,
};

pub(crate) fn run(stage: &mut Stage) {
    println!("== scheduling contexts");
    consumed(stage);
    bind();
    unbind_object();
    unbind();
    yield_to();
    by_other_calls(stage);
}

/// Prints whether the consumed time is more than zero after a run, and zero after a read. The
/// amount depends on the machine, so it is not printed.
fn consumed(stage: &mut Stage) {
    let consumed = || {
        let (error, length) = answer(A_SC, label::SchedContextConsumed, &[], &[]);
        (error, length, sel4::msg_reg(0))
    };
    consumed();
    println!("Consumed, it has not run: {:?}", consumed());
    let registers = Registers::new().with(2, 1_000_000);
    let e = stage.run(A, COUNT, registers);
    let (error, length, time) = consumed();
    println!(
        "Consumed, it has run: {error:?} {length}, more than nothing: {}",
        time > 0
    );
    println!("Consumed, again: {:?}", consumed());
    assert!(e.len() == 1);
}

fn bind() {
    let bind = |rest: &str, sc, caps: &[u64]| {
        invoke(
            format_args!("Bind, {rest}"),
            sc,
            label::SchedContextBind,
            caps,
            &[],
        );
    };
    bind("nothing", A_SC, &[]);
    bind("an empty slot", A_SC, &[EMPTY]);
    bind("a vspace", A_SC, &[VSPACE]);
    bind("itself", A_SC, &[A_SC]);
    bind("its thread", A_SC, &[A_TCB]);
    bind("another's thread", A_SC, &[B_TCB]);
    bind("a notification", A_SC, &[A_NOTIFICATION]);
    bind("a second notification", A_SC, &[B_NOTIFICATION]);
    bind("another's to that notification", B_SC, &[A_NOTIFICATION]);
}

fn unbind_object() {
    let unbind = |rest: &str, sc, caps: &[u64]| {
        invoke(
            format_args!("UnbindObject, {rest}"),
            sc,
            label::SchedContextUnbindObject,
            caps,
            &[],
        );
    };
    unbind("nothing", A_SC, &[]);
    unbind("an empty slot", A_SC, &[EMPTY]);
    unbind("a vspace", A_SC, &[VSPACE]);
    unbind("another's thread", A_SC, &[B_TCB]);
    unbind("another's notification", A_SC, &[B_NOTIFICATION]);
    unbind("one's own thread", OWN_SC, &[OWN_TCB]);
    unbind("its notification", A_SC, &[A_NOTIFICATION]);
    unbind("its notification, again", A_SC, &[A_NOTIFICATION]);
    unbind("its thread", A_SC, &[A_TCB]);
    unbind("its thread, again", A_SC, &[A_TCB]);
    let bind = |rest: &str, sc, caps: &[u64]| {
        invoke(
            format_args!("Bind, {rest}"),
            sc,
            label::SchedContextBind,
            caps,
            &[],
        );
    };
    bind("a thread that has another", A_SC, &[B_TCB]);
    bind("a thread that has none", A_SC, &[A_TCB]);
}

fn unbind() {
    let unbind = |rest: &str, sc| {
        invoke(
            format_args!("Unbind, {rest}"),
            sc,
            label::SchedContextUnbind,
            &[],
            &[],
        );
    };
    unbind("one's own", OWN_SC);
    invoke(
        "Bind, a notification",
        A_SC,
        label::SchedContextBind,
        &[A_NOTIFICATION],
        &[],
    );
    unbind("a thread and a notification", A_SC);
    unbind("nothing", A_SC);
    invoke(
        "Bind, a thread",
        A_SC,
        label::SchedContextBind,
        &[A_TCB],
        &[],
    );
    invoke(
        "Bind, a notification",
        A_SC,
        label::SchedContextBind,
        &[A_NOTIFICATION],
        &[],
    );
    unbind("both again", A_SC);
}

/// `a` has no scheduling context at this point.
fn yield_to() {
    let yield_to = |rest: &str, sc| {
        invoke(
            format_args!("YieldTo, {rest}"),
            sc,
            label::SchedContextYieldTo,
            &[],
            &[],
        );
    };
    answer(B_SC, label::SchedContextConsumed, &[], &[]);
    yield_to("one's own", OWN_SC);
    yield_to("that of no thread", A_SC);
    yield_to("that of a suspended thread", B_SC);
    let mcp = label::TCBSetMCPriority;
    invoke("the driver's MCP to 5", OWN_TCB, mcp, &[OWN_TCB], &[5]);
    yield_to("that of a thread above the MCP", B_SC);
    invoke(
        "the driver's MCP to 200",
        OWN_TCB,
        mcp,
        &[CONSOLE_TCB],
        &[200],
    );
}

/// These invocations also work through system calls without a reply, but not in the send phase of a
/// system call that also receives.
fn by_other_calls(stage: &mut Stage) {
    sel4::with_ipc_buffer_mut(|buffer| buffer.caps_or_badges_mut()[0] = A_TCB);
    let bind = sel4::MessageInfo::new(label::SchedContextBind, 0, 1, 0);
    // SAFETY: an unspecified capability promises nothing about its type.
    let sc = unsafe { cap::Unspecified::from_bits(A_SC) };
    stage.start(LAST, &[DONE], Registers::new());
    sel4::with_ipc_buffer_mut(|buffer| buffer.caps_or_badges_mut()[0] = A_TCB);
    // SAFETY: see *Puppets* in the crate documentation.
    unsafe {
        sc.nb_send_recv(
            bind,
            cap::Endpoint::from_bits(INPUT),
            cap::Reply::from_bits(REPLY),
        );
    }
    invoke(
        "YieldTo, after Bind by nb_send_recv",
        A_SC,
        label::SchedContextYieldTo,
        &[],
        &[],
    );
    sel4::with_ipc_buffer_mut(|buffer| buffer.caps_or_badges_mut()[0] = A_TCB);
    // SAFETY: see *Puppets* in the crate documentation.
    unsafe { sc.send(bind) };
    invoke(
        "YieldTo, after Bind by send",
        A_SC,
        label::SchedContextYieldTo,
        &[],
        &[],
    );
    // SAFETY: see *Puppets* in the crate documentation.
    unsafe { sc.nb_send(info(label::SchedContextUnbind, 0)) };
    invoke(
        "YieldTo, after Unbind by nb_send",
        A_SC,
        label::SchedContextYieldTo,
        &[],
        &[],
    );
    invoke("Bind", A_SC, label::SchedContextBind, &[A_TCB], &[]);
    let e = stage.run(B, &[DONE], Registers::new());
    show!(e, "b runs");
}
