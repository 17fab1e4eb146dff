//! Stopping, resuming and restarting children.

use conformance::code::{DONE, Instruction, SVC, add};
use conformance::{B, C, CODE, D, Puppet, Registers, Stage, info, show};
use microkit_console::println;
use sel4_microkit::{Child, EntryPoint};

use super::{INPUT, REPLY, SIGNAL_DRIVER, TO_D};

/// A program that makes a system call, and then counts in x5.
const COUNT: &[Instruction] = &[SVC, add(5, 5, 1), add(5, 5, 1), DONE];

pub(crate) fn run(stage: &mut Stage) {
    println!("== threads");
    while_runnable(stage);
    while_waiting(stage);
    restart(stage);
}

/// Makes `c` signal the driver. The driver preempts `c` directly after the signal.
fn interrupt(stage: &mut Stage) {
    let signal = Registers::send(SIGNAL_DRIVER, info(0, 0), [1, 2, 3, 4]);
    stage.start(C, COUNT, signal);
    let event = stage.wait();
    show!([event], "a signal");
}

/// Prints the program counter and the count of `puppet`.
fn show_place(puppet: Puppet, suspend: bool) {
    let registers = puppet
        .tcb()
        .tcb_read_all_registers(suspend)
        .expect("the puppet is a child");
    let place = registers.pc() - CODE;
    println!("    at {place:x}, x5={:x}", registers.gpr(5));
}

fn while_runnable(stage: &mut Stage) {
    interrupt(stage);
    let e = stage.settle();
    show!(e, "it goes on");
    interrupt(stage);
    // A suspend sets the program counter to the instruction at which the thread would continue.
    show_place(C, false);
    C.suspend();
    C.suspend();
    show_place(C, false);
    let e = stage.settle();
    show!(e, "suspend");
    C.resume();
    C.resume();
    let e = stage.settle();
    show!(e, "resume");
    interrupt(stage);
    C.resume();
    let e = stage.settle();
    show!(e, "resume of one that runs");
    interrupt(stage);
    show_place(C, true);
    let e = stage.settle();
    show!(e, "its registers are read, and it is suspended");
    C.resume();
    let e = stage.settle();
    show!(e, "resume");
    interrupt(stage);
    stage.start_at(C, 2 * 0x100 + CODE + 8, Registers::new());
    let e = stage.settle();
    show!(e, "other registers for one that runs");
}

fn while_waiting(stage: &mut Stage) {
    stage.block(D, Registers::recv(INPUT, REPLY));
    show_place(D, false);
    D.suspend();
    show_place(D, false);
    let e = stage.act(B, Registers::nb_send(TO_D, info(1, 1), [1, 2, 3, 4]));
    show!(e, "recv, suspend, nb_send");
    D.resume();
    let e = stage.settle();
    show!(e, "resume");
    let e = stage.act(B, Registers::nb_send(TO_D, info(1, 1), [1, 2, 3, 4]));
    show!(e, "nb_send");
    stage.block(B, Registers::send(TO_D, info(2, 1), [1, 2, 3, 4]));
    B.suspend();
    let e = stage.act(D, Registers::nb_recv(INPUT, REPLY));
    show!(e, "send, suspend, nb_recv");
    B.resume();
    let e = stage.settle();
    show!(e, "resume");
    let e = stage.act(D, Registers::nb_recv(INPUT, REPLY));
    show!(e, "nb_recv");
}

/// A restart sets the program counter and keeps the other registers.
fn restart(stage: &mut Stage) {
    stage.start(C, COUNT, Registers::nb_wait(INPUT));
    let e = stage.settle();
    show!(e, "nb_wait, and count");
    let c = Child::new(3);
    // SAFETY: see *Puppets* in the crate documentation.
    let entry_point = unsafe { EntryPoint::new(c, CODE as usize + 2 * 0x100 + 4) };
    for _ in 0..2 {
        let restarted = c.restart(entry_point);
        let e = stage.settle();
        show!(e, "restart after the call: {restarted:?}");
    }
    stage.block(C, Registers::recv(INPUT, REPLY));
    let restarted = c.restart(entry_point);
    let e = stage.settle();
    show!(e, "restart of one that waits: {restarted:?}");
    let stopped = c.stop();
    let resumed = c.resume();
    println!("stop: {stopped:?}, resume: {resumed:?}");
    let e = stage.settle();
    show!(e, "and then");
}
