//! The instructions that puppets run (Arm ARM, *A64 Base Instruction Descriptions*).

/// An instruction.
pub type Instruction = u32;

/// A system call.
pub const SVC: Instruction = 0xd400_0001;

/// Ends a program: an undefined instruction with an immediate that no other program uses.
pub const DONE: Instruction = udf(0xd09e);

/// A program that makes the system call in its registers.
pub const SYSTEM_CALL: &[Instruction] = &[SVC, DONE];

/// A program that stores x9 at the address in x10, and ends.
pub const STORE: &[Instruction] = &[store(9, 10), DONE];

/// A program that copies x11 words from the address in x9 to the address in x10.
pub const COPY: &[Instruction] = &[
    load_next(12, 9),
    store_next(12, 10),
    subtract(11, 11, 1),
    branch_unless_zero(-3),
    DONE,
];

/// A program that counts x2 down to 0, and ends.
pub const COUNT: &[Instruction] = &[subtract(2, 2, 1), branch_unless_zero(-1), DONE];

/// A program that never ends: `b .`
pub const FOR_EVER: &[Instruction] = &[0x1400_0000, DONE];

/// `udf #immediate`
pub const fn udf(immediate: u16) -> Instruction {
    immediate as Instruction
}

/// `ldr x<to>, [x<address>]`
pub const fn load(to: u32, address: u32) -> Instruction {
    0xf940_0000 | address << 5 | to
}

/// `str x<from>, [x<address>]`
pub const fn store(from: u32, address: u32) -> Instruction {
    0xf900_0000 | address << 5 | from
}

/// `ldr x<to>, [x<address>], #8`
const fn load_next(to: u32, address: u32) -> Instruction {
    0xf840_8400 | address << 5 | to
}

/// `str x<from>, [x<address>], #8`
const fn store_next(from: u32, address: u32) -> Instruction {
    0xf800_8400 | address << 5 | from
}

/// `add x<to>, x<from>, #immediate`
pub const fn add(to: u32, from: u32, immediate: u32) -> Instruction {
    0x9100_0000 | immediate << 10 | from << 5 | to
}

/// `subs x<to>, x<from>, #immediate`
pub const fn subtract(to: u32, from: u32, immediate: u32) -> Instruction {
    0xf100_0000 | immediate << 10 | from << 5 | to
}

/// `b.ne`, with an offset in instructions.
pub const fn branch_unless_zero(by: i32) -> Instruction {
    0x5400_0001 | (by as u32 & 0x7_ffff) << 5
}
