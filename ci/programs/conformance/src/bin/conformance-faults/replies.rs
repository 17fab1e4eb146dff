//! The effects of a reply on a thread that has faulted.

use conformance::code::{DONE, Instruction, SYSTEM_CALL, load, udf};
use conformance::{A, B, CODE, DATA, HOLE, Puppet, Registers, Stage, info, show, status};
use core::sync::atomic::Ordering;
use microkit_console::println;
use sel4::MessageInfo;

use super::FAULTED;

/// A program that loads from the address in x10.
const LOAD: &[Instruction] = &[load(0, 10), DONE];

/// A program whose first instruction is undefined.
const UNDEFINED: &[Instruction] = &[udf(1), DONE];

/// The second instruction of a program of `a`.
const NEXT: u64 = CODE + 4;

pub(crate) fn run(stage: &mut Stage) {
    println!("== replies to faults");
    to_vm_faults(stage);
    to_exceptions(stage);
    to_system_calls(stage);
    to_capability_faults(stage);
    none(stage);
    too_late(stage);
}

/// Makes `a` fault, and replies.
fn fault_and_reply(
    stage: &mut Stage,
    program: &[Instruction],
    registers: Registers,
    message: MessageInfo,
    words: &[u64],
) -> conformance::Events {
    stage.start(A, program, registers);
    let event = stage.wait();
    assert!(event.puppet() == Some(A) && !event.is_done());
    reply(message, words);
    stage.settle()
}

fn reply(message: MessageInfo, words: &[u64]) {
    sel4::with_ipc_buffer_mut(|buffer| {
        buffer.msg_regs_mut()[..words.len()].copy_from_slice(words);
    });
    FAULTED.send(message);
}

/// Prints the registers that `show!` does not print.
fn show_rest(puppet: Puppet) {
    let registers = puppet
        .tcb()
        .tcb_read_all_registers(false)
        .expect("the puppet is a child");
    let (sp, spsr) = (registers.sp(), status(*registers.spsr()));
    let [x6, x7, x8, lr] = [6, 7, 8, 30].map(|index| registers.gpr(index));
    println!("    sp={sp:x} spsr={spsr:x} x6={x6:x} x7={x7:x} x8={x8:x} x30={lr:x}");
}

/// After a VM fault the instruction runs again, regardless of the reply.
fn to_vm_faults(stage: &mut Stage) {
    let registers = Registers::new().with(10, HOLE);
    for (label, length) in [(0, 0), (1, 0), (0, 4)] {
        let e = fault_and_reply(stage, LOAD, registers, info(label, length), &[1, 2, 3, 4]);
        show!(e, "VM fault, reply with label {label}, length {length}");
    }
    stage.data(0).store(0x77, Ordering::Relaxed);
    stage.start(A, LOAD, registers);
    let event = stage.wait();
    show!([event], "VM fault");
    let mut context = A.tcb().tcb_read_all_registers(false).expect("a child");
    *context.gpr_mut(10) = DATA;
    // SAFETY: see *Puppets* in the crate documentation.
    let written = unsafe { A.tcb().tcb_write_all_registers(false, &mut context) };
    let e = stage.settle();
    show!(e, "other registers: {written:?}");
    stage.start(B, LOAD, registers);
    let event = stage.wait();
    show!([event], "VM fault");
    let mut context = B.tcb().tcb_read_all_registers(false).expect("a child");
    *context.gpr_mut(10) = DATA;
    // SAFETY: see *Puppets* in the crate documentation.
    let written = unsafe { B.tcb().tcb_write_all_registers(false, &mut context) };
    reply(info(0, 0), &[]);
    let e = stage.settle();
    show!(e, "other registers: {written:?}, and reply");
}

/// A reply with label 0 resumes the thread at the program counter in the reply.
fn to_exceptions(stage: &mut Stage) {
    let registers = Registers::new();
    let words = [NEXT, 0x5f0, 0xf000_ffff, 4, 5];
    for length in [0, 1, 2, 3, 5] {
        let e = fault_and_reply(stage, UNDEFINED, registers, info(0, length), &words);
        show!(e, "exception, reply of length {length}");
        show_rest(A);
    }
    let e = fault_and_reply(stage, UNDEFINED, registers, info(1, 1), &words);
    show!(e, "exception, reply with label 1");
    A.resume();
    let e = stage.settle();
    show!(e, "and resume");
}

fn to_system_calls(stage: &mut Stage) {
    let registers = Registers::system_call(0, 0xf00);
    let words: [u64; 13] = [
        10,
        11,
        12,
        13,
        14,
        15,
        16,
        17,
        NEXT,
        0x5f0,
        0x530,
        0xf000_ffff,
        99,
    ];
    for length in [0, 3, 9, 12, 13] {
        let e = fault_and_reply(stage, SYSTEM_CALL, registers, info(0, length), &words);
        show!(e, "system call, reply of length {length}");
        show_rest(A);
    }
    let e = fault_and_reply(stage, SYSTEM_CALL, registers, info(1, 9), &words);
    show!(e, "system call, reply with label 1");
    A.resume();
    let e = stage.settle();
    show!(e, "and resume");
}

fn to_capability_faults(stage: &mut Stage) {
    let registers = Registers::wait(9);
    for (label, length) in [(0, 0), (1, 0), (0, 4)] {
        let message = info(label, length);
        let e = fault_and_reply(stage, SYSTEM_CALL, registers, message, &[1, 2, 3, 4]);
        show!(
            e,
            "capability fault, reply with label {label}, length {length}"
        );
    }
}

/// A thread without a reply stays blocked. The next fault reuses the reply object.
fn none(stage: &mut Stage) {
    stage.start(A, UNDEFINED, Registers::new());
    let event = stage.wait();
    show!([event], "exception");
    let e = stage.settle();
    show!(e, "no reply");
    stage.start(B, UNDEFINED, Registers::new());
    let event = stage.wait();
    show!([event], "exception of another");
    reply(info(1, 0), &[]);
    reply(info(0, 1), &[NEXT]);
    let e = stage.settle();
    show!(e, "two replies");
    for puppet in [A, B] {
        puppet.resume();
        let e = stage.settle();
        show!(e, "resume {puppet}");
    }
}

/// A reply has no effect after the thread was suspended or resumed.
fn too_late(stage: &mut Stage) {
    stage.start(A, UNDEFINED, Registers::new());
    let event = stage.wait();
    show!([event], "exception");
    A.suspend();
    reply(info(0, 1), &[NEXT]);
    let e = stage.settle();
    show!(e, "suspend, and reply");
    stage.start(A, UNDEFINED, Registers::new());
    let event = stage.wait();
    show!([event], "exception");
    A.resume();
    reply(info(0, 1), &[NEXT]);
    let e = stage.settle();
    show!(e, "resume, and reply");
}
