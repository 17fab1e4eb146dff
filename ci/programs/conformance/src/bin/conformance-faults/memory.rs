//! VM faults. The words of the message are: program counter, address, whether the access was an
//! instruction fetch, and the syndrome.

use conformance::code::{DONE, Instruction, load, store};
use conformance::{A, CODE, DATA, HOLE, Registers, SEALED, Stage, show};
use microkit_console::println;

/// `ldrb w0, [x10]`
const LOAD_BYTE: Instruction = 0x3940_0140;

/// `strh w0, [x10]`
const STORE_HALF: Instruction = 0x7900_0140;

/// `ldrsw x3, [x10]`
const LOAD_SIGNED: Instruction = 0xb980_0143;

/// `ldp x0, x1, [x10]`
const LOAD_PAIR: Instruction = 0xa940_0540;

/// `ldr x0, [x10], #8`
const LOAD_NEXT: Instruction = 0xf840_8540;

/// `ldxr x0, [x10]`
const LOAD_EXCLUSIVE: Instruction = 0xc85f_7d40;

/// The first address above the user address space.
const TOP: u64 = sel4::config::USER_TOP as u64 + 1;

pub(crate) fn run(stage: &mut Stage) {
    println!("== memory");
    let cases: [(&str, Instruction, u64); 19] = [
        ("load from a hole", load(0, 10), HOLE),
        ("load from a hole, its last word", load(0, 10), HOLE + 0xff8),
        ("load from a hole into x9", load(9, 10), HOLE),
        ("load of a byte from a hole", LOAD_BYTE, HOLE + 3),
        ("load of a signed word from a hole", LOAD_SIGNED, HOLE + 4),
        ("load of a pair from a hole", LOAD_PAIR, HOLE),
        ("load that moves on, from a hole", LOAD_NEXT, HOLE),
        ("load that is exclusive, from a hole", LOAD_EXCLUSIVE, HOLE),
        ("load across into a hole", load(0, 10), DATA + 0xffc),
        ("store to a hole", store(0, 10), HOLE),
        ("store of a half to a hole", STORE_HALF, HOLE + 2),
        ("load from sealed memory", load(0, 10), SEALED),
        ("store to sealed memory", store(0, 10), SEALED + 8),
        ("store to code", store(0, 10), CODE),
        ("load from address 0", load(0, 10), 0),
        ("load from far away", load(0, 10), 0x80_0000_0000),
        ("load from the top", load(0, 10), TOP),
        ("store to the top", store(0, 10), TOP + 0x1000),
        ("load from the last word", load(0, 10), !7),
    ];
    for (what, instruction, address) in cases {
        let registers = Registers::new().with(10, address);
        let e = stage.run(A, &[instruction, DONE], registers);
        show!(e, "{what}");
    }
    for (what, pc) in [
        ("a hole", HOLE),
        ("data", DATA),
        ("sealed memory", SEALED),
        ("address 0", 0),
        ("the top", TOP),
        ("the last instruction", !3),
        ("between instructions", CODE + 2),
    ] {
        stage.start_at(A, pc, Registers::new());
        let e = stage.settle();
        show!(e, "run at {what}");
    }
}
