//! Unknown system calls. The words of the message are: x0 to x7, program counter, stack pointer,
//! link register, status register, and the number.

use conformance::code::{DONE, Instruction, SVC};
use conformance::{A, Registers, Stage, show};
use microkit_console::println;

/// `nop`
const NOP: Instruction = 0xd503_201f;

/// `svc #1`
const SVC_1: Instruction = 0xd400_0021;

/// `svc #0xffff`
const SVC_LAST: Instruction = 0xd41f_ffe1;

pub(crate) fn run(stage: &mut Stage) {
    println!("== system calls");
    for number in [0, 1, 100, -100, 1 << 32 | 0xffff_ffff, i64::MAX, i64::MIN] {
        let e = stage.act(A, Registers::system_call(number, 0xf00));
        show!(e, "system call {number}");
    }
    let unknown = Registers::system_call(0, 0xf00);
    let e = stage.run(A, &[NOP, SVC, DONE], unknown);
    show!(e, "nop, and system call 0");
    // The kernel ignores the immediate of `svc`.
    for (what, instruction) in [("1", SVC_1), ("0xffff", SVC_LAST)] {
        let e = stage.run(A, &[instruction, DONE], Registers::nb_wait(super::INPUT));
        show!(e, "svc #{what}");
    }
    let e = stage.act(A, Registers::r#yield());
    show!(e, "yield");
}
