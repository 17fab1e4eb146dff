//! Invocations of threads.

use conformance::code::{DONE, add};
use conformance::{A, B, CODE, LAST, Registers, Stage, info, show, status};
use microkit_console::println;
use sel4::sys::invocation as label;
use sel4::{MessageInfo, cap, msg_reg};

use super::{
    A_NOTIFICATION, A_SC, A_TCB, B_NOTIFICATION, B_SC, B_TCB, CONSOLE_TCB, EMPTY, INPUT, OWN_TCB,
    REPLY, VSPACE, answer, invoke,
};

pub(crate) fn run(stage: &mut Stage) {
    println!("== threads");
    for puppet in [A, B] {
        let e = stage.run(puppet, &[DONE], Registers::new());
        show!(e, "{puppet} has run");
    }
    read_registers();
    write_registers();
    copy_registers();
    suspend_and_resume(stage);
    priorities();
    sched_params();
    spaces();
    notifications();
    timeout_endpoint();
    tls_base();
    flags();
}

fn read_registers() {
    let what = "ReadRegisters";
    let read = |rest: &str, tcb, words: &[u64]| {
        invoke(
            format_args!("{what}, {rest}"),
            tcb,
            label::TCBReadRegisters,
            &[],
            words,
        );
    };
    read("no words", A_TCB, &[]);
    read("one word", A_TCB, &[0]);
    read("0 registers", A_TCB, &[0, 0]);
    read("37 registers", A_TCB, &[0, 37]);
    read("2^32 + 1 registers", A_TCB, &[0, 1 << 32 | 1]);
    read("one's own", OWN_TCB, &[0, 1]);
    read("1 register", A_TCB, &[0, 1]);
    read("4 registers", A_TCB, &[0, 4]);
    read("5 registers", A_TCB, &[0, 5]);
    read("36 registers", A_TCB, &[0, 36]);
    read("all flags", A_TCB, &[!0, 3]);
    let (_, length) = answer(A_TCB, label::TCBReadRegisters, &[], &[0, 36]);
    print_words(length);
}

/// Prints the message registers. The third one contains the status register of a thread.
fn print_words(length: usize) {
    let mut words: [u64; 36] = core::array::from_fn(msg_reg);
    words[2] = status(words[2]);
    for chunk in words[..length].chunks(12) {
        println!("    {chunk:x?}");
    }
}

fn write_registers() {
    let what = "WriteRegisters";
    let write = |rest: &str, tcb, words: &[u64]| {
        invoke(
            format_args!("{what}, {rest}"),
            tcb,
            label::TCBWriteRegisters,
            &[],
            words,
        );
        answer(A_TCB, label::TCBReadRegisters, &[], &[0, 4]);
        let [pc, sp, spsr, x0] = core::array::from_fn(msg_reg);
        let spsr = status(spsr);
        println!("    pc={pc:x} sp={sp:x} spsr={spsr:x} x0={x0:x}");
    };
    write("no words", A_TCB, &[]);
    write("one word", A_TCB, &[0]);
    write("none", A_TCB, &[0, 0]);
    write("one, but not given", A_TCB, &[0, 1]);
    write("three, but two are given", A_TCB, &[0, 3, 1, 2]);
    write("one, but two are given", A_TCB, &[0, 1, 0x100, 2]);
    write("three", A_TCB, &[0, 3, 0x200, 0x300, !0]);
    write("four", A_TCB, &[0, 4, 0x400, 0x500, 0, 0x600]);
    write("one's own", OWN_TCB, &[0, 1, 0]);
    let mut words = [7; 40];
    (words[0], words[1]) = (0, 38);
    write("more than there are", A_TCB, &words);
    words[1] = 39;
    write("more than are given", A_TCB, &words);
    let (_, length) = answer(A_TCB, label::TCBReadRegisters, &[], &[0, 36]);
    print_words(length);
}

/// Flags: 1 suspends the source, 2 resumes the destination, 4 and 8 select the registers.
fn copy_registers() {
    let copy = |rest: &str, caps: &[u64], words: &[u64]| {
        invoke(
            format_args!("CopyRegisters, {rest}"),
            B_TCB,
            label::TCBCopyRegisters,
            caps,
            words,
        );
    };
    copy("no words", &[A_TCB], &[]);
    copy("no source", &[], &[0]);
    copy("from an empty slot", &[EMPTY], &[0]);
    copy("from a vspace", &[VSPACE], &[0]);
    for flags in [0, 4, 8] {
        copy("from a", &[A_TCB], &[flags]);
        let (_, length) = answer(B_TCB, label::TCBReadRegisters, &[], &[0, 36]);
        print_words(length);
    }
}

/// These invocations also work through system calls without a reply.
fn suspend_and_resume(stage: &mut Stage) {
    invoke("Suspend", A_TCB, label::TCBSuspend, &[], &[]);
    invoke("Suspend again", A_TCB, label::TCBSuspend, &[], &[1, 2]);
    invoke("Resume of oneself", OWN_TCB, label::TCBResume, &[], &[]);
    let program = &[add(5, 5, 1), DONE];
    for (how, is_call) in [("send", false), ("nb_send", true)] {
        stage.start(A, program, Registers::new());
        invoke("Suspend", A_TCB, label::TCBSuspend, &[], &[]);
        let resume = info(label::TCBResume, 0);
        // SAFETY: see *Puppets* in the crate documentation.
        unsafe {
            let tcb = cap::Unspecified::from_bits(A_TCB);
            match is_call {
                true => tcb.nb_send(resume),
                false => tcb.send(resume),
            }
        }
        let e = stage.settle();
        show!(e, "Resume by {how}");
    }
    // These invocations fail in the send phase of a system call that also receives.
    stage.start(A, program, Registers::new());
    invoke("Suspend", A_TCB, label::TCBSuspend, &[], &[]);
    stage.start(LAST, &[DONE], Registers::new());
    // SAFETY: see *Puppets* in the crate documentation.
    unsafe {
        cap::Unspecified::from_bits(A_TCB).nb_send_recv(
            info(label::TCBResume, 0),
            cap::Endpoint::from_bits(INPUT),
            cap::Reply::from_bits(REPLY),
        );
    }
    let e = stage.settle();
    show!(e, "Resume by nb_send_recv");
}

fn priorities() {
    for (what, label) in [
        ("SetPriority", label::TCBSetPriority),
        ("SetMCPriority", label::TCBSetMCPriority),
    ] {
        let set = |rest: &str, tcb, caps: &[u64], words: &[u64]| {
            invoke(format_args!("{what}, {rest}"), tcb, label, caps, words);
        };
        set("no words", A_TCB, &[OWN_TCB], &[]);
        set("no authority", A_TCB, &[], &[11]);
        set("authority of an empty slot", A_TCB, &[EMPTY], &[11]);
        set("authority of a vspace", A_TCB, &[VSPACE], &[11]);
        set("201, by the driver", A_TCB, &[OWN_TCB], &[201]);
        set("256, by the driver", A_TCB, &[OWN_TCB], &[256]);
        set(
            "the greatest number, by the driver",
            A_TCB,
            &[OWN_TCB],
            &[!0],
        );
        set("12, by a", A_TCB, &[A_TCB], &[12]);
        set("11, by a", A_TCB, &[A_TCB], &[11]);
        set("0, by a", A_TCB, &[A_TCB], &[0]);
        set("11, by the driver", A_TCB, &[OWN_TCB], &[11]);
        set("201, by the console", A_TCB, &[CONSOLE_TCB], &[201]);
        set("11, by the driver", A_TCB, &[OWN_TCB], &[11]);
    }
    // A thread that has lowered its own MCP cannot raise the MCP again, but keeps its priority.
    let own = |what: &str, label, caps: &[u64], words: &[u64]| {
        invoke(what, OWN_TCB, label, caps, words);
    };
    let (priority, mcp) = (label::TCBSetPriority, label::TCBSetMCPriority);
    own("the driver's MCP to 5", mcp, &[OWN_TCB], &[5]);
    own(
        "the driver's MCP to 6, by the driver",
        mcp,
        &[OWN_TCB],
        &[6],
    );
    own(
        "the driver's priority to 6, by the driver",
        priority,
        &[OWN_TCB],
        &[6],
    );
    own(
        "the driver's MCP to 200, by the console",
        mcp,
        &[CONSOLE_TCB],
        &[200],
    );
}

fn sched_params() {
    let set = |rest: &str, tcb, caps: &[u64], words: &[u64]| {
        invoke(
            format_args!("SetSchedParams, {rest}"),
            tcb,
            label::TCBSetSchedParams,
            caps,
            words,
        );
    };
    set("one word", A_TCB, &[OWN_TCB, A_SC, INPUT], &[11]);
    set("two capabilities", A_TCB, &[OWN_TCB, A_SC], &[11, 11]);
    set(
        "authority of a vspace",
        A_TCB,
        &[VSPACE, A_SC, INPUT],
        &[11, 11],
    );
    set("MCP too high", A_TCB, &[OWN_TCB, A_SC, INPUT], &[201, 11]);
    set(
        "priority too high",
        A_TCB,
        &[OWN_TCB, A_SC, INPUT],
        &[11, 202],
    );
    set(
        "a vspace for a scheduling context",
        A_TCB,
        &[OWN_TCB, VSPACE, INPUT],
        &[11, 11],
    );
    set("that of b", A_TCB, &[OWN_TCB, B_SC, INPUT], &[11, 11]);
    set(
        "none for oneself",
        OWN_TCB,
        &[OWN_TCB, EMPTY, INPUT],
        &[200, 200],
    );
    set(
        "a vspace for a fault endpoint",
        A_TCB,
        &[OWN_TCB, A_SC, VSPACE],
        &[11, 11],
    );
    set(
        "a notification for a fault endpoint",
        A_TCB,
        &[OWN_TCB, A_SC, A_NOTIFICATION],
        &[11, 11],
    );
    set(
        "no fault endpoint",
        A_TCB,
        &[OWN_TCB, A_SC, EMPTY],
        &[11, 11],
    );
    set(
        "the driver's endpoint",
        A_TCB,
        &[OWN_TCB, A_SC, INPUT],
        &[11, 11],
    );
    set(
        "no scheduling context",
        A_TCB,
        &[OWN_TCB, EMPTY, INPUT],
        &[11, 11],
    );
    set(
        "that of b, when a has none",
        A_TCB,
        &[OWN_TCB, B_SC, INPUT],
        &[11, 11],
    );
    set(
        "its own, when it has none",
        A_TCB,
        &[OWN_TCB, A_SC, INPUT],
        &[11, 11],
    );
}

/// PDs have no capability to a CNode or a page, so all these invocations fail.
fn spaces() {
    for (what, label, words) in [
        ("Configure", label::TCBConfigure, &[0, 0, 0][..]),
        ("SetSpace", label::TCBSetSpace, &[0, 0]),
    ] {
        let set = |rest: &str, caps: &[u64], words: &[u64]| {
            invoke(format_args!("{what}, {rest}"), A_TCB, label, caps, words);
        };
        set("no words", &[EMPTY, EMPTY, EMPTY], &[]);
        set("two capabilities", &[EMPTY, EMPTY], words);
        set("empty slots", &[EMPTY, EMPTY, EMPTY], words);
        set("vspaces", &[VSPACE, VSPACE, VSPACE], words);
        set(
            "vspaces with data",
            &[VSPACE, VSPACE, VSPACE],
            &[1, 1, 0][..words.len()],
        );
    }
    let set = |rest: &str, caps: &[u64], words: &[u64]| {
        invoke(
            format_args!("SetIPCBuffer, {rest}"),
            A_TCB,
            label::TCBSetIPCBuffer,
            caps,
            words,
        );
    };
    set("no words", &[VSPACE], &[]);
    set("no page", &[], &[CODE]);
    set("an empty slot", &[EMPTY], &[CODE]);
    set("a vspace", &[VSPACE], &[CODE]);
    set("a vspace, unaligned", &[VSPACE], &[CODE + 8]);
}

fn notifications() {
    let bind = |rest: &str, tcb, caps: &[u64]| {
        invoke(
            format_args!("BindNotification, {rest}"),
            tcb,
            label::TCBBindNotification,
            caps,
            &[],
        );
    };
    let unbind = |rest: &str| {
        invoke(
            format_args!("UnbindNotification, {rest}"),
            A_TCB,
            label::TCBUnbindNotification,
            &[],
            &[],
        );
    };
    bind("none", A_TCB, &[]);
    bind("when one is bound", A_TCB, &[A_NOTIFICATION]);
    unbind("when one is bound");
    unbind("when none is");
    bind("of an empty slot", A_TCB, &[EMPTY]);
    bind("a vspace", A_TCB, &[VSPACE]);
    bind("that of b", A_TCB, &[B_NOTIFICATION]);
    bind("its own", A_TCB, &[A_NOTIFICATION]);
}

fn timeout_endpoint() {
    let set = |rest: &str, caps: &[u64]| {
        invoke(
            format_args!("SetTimeoutEndpoint, {rest}"),
            A_TCB,
            label::TCBSetTimeoutEndpoint,
            caps,
            &[],
        );
    };
    set("none", &[]);
    set("a vspace", &[VSPACE]);
    set("a notification", &[A_NOTIFICATION]);
    set("an endpoint", &[INPUT]);
    set("an empty slot", &[EMPTY]);
}

fn tls_base() {
    let set = |rest: &str, words: &[u64]| {
        invoke(
            format_args!("SetTLSBase, {rest}"),
            A_TCB,
            label::TCBSetTLSBase,
            &[],
            words,
        );
    };
    set("no words", &[]);
    set("0x1234", &[0x1234]);
    answer(A_TCB, label::TCBReadRegisters, &[], &[0, 36]);
    println!(
        "    tpidr_el0={:x} tpidrro_el0={:x}",
        msg_reg(34),
        msg_reg(35)
    );
}

/// The kernel defines only one TCB flag.
fn flags() {
    let set = |rest: &str, words: &[u64]| {
        invoke(
            format_args!("SetFlags, {rest}"),
            A_TCB,
            label::TCBSetFlags,
            &[],
            words,
        );
    };
    set("no words", &[]);
    set("one word", &[0]);
    set("set none", &[0, 0]);
    set("set all", &[0, !0]);
    set("set none", &[0, 0]);
    set("clear and set", &[1, 1]);
    set("clear all", &[!0, 0]);
    let set_flags = MessageInfo::new(label::TCBSetFlags, 0, 0, 2);
    // SAFETY: see *Puppets* in the crate documentation.
    unsafe { cap::Unspecified::from_bits(A_TCB).send_with_mrs(set_flags, [0, 1]) };
    set("clear all, after a send that has set it", &[!0, 0]);
}
