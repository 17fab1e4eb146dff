//! The children: the instructions and registers of each.

use core::sync::atomic::{AtomicU64, Ordering};

use sel4::sys::syscall;
use sel4::{Fault, MessageInfo, UserContext, Word};
use sel4_microkit::{Child, vspace};

/// An instruction (Arm ARM, *A64 Base Instruction Descriptions*).
pub(crate) type Instruction = u32;

/// The end of every program: `udf #0xd09e`.
pub(crate) const DONE: Instruction = 0xd09e;

/// The instruction after whose fault the parent restarts a child: `udf #2`.
pub(crate) const AGAIN: Instruction = 2;

/// `udf #1`
const UNDEFINED: Instruction = 1;

/// `brk #0`
const BRK: Instruction = 0xd420_0000;

/// `svc #0`
const SVC: Instruction = 0xd400_0001;

/// `ldr x2, [x10]`
const LOAD: Instruction = 0xf940_0142;

/// `str x2, [x10]`
const STORE: Instruction = 0xf900_0142;

/// `b .`
const FOR_EVER: Instruction = 0x1400_0000;

/// The address of the children's programs in their address spaces, mapped with `r` and `x`.
const CODE: Word = 0x400_0000;

/// The address of the region that parent and children share, in the children's address spaces,
/// mapped with `r` and `w`.
pub(crate) const DATA: Word = 0x500_0000;

/// A region that the children may only read.
const SEALED: Word = 0x600_0000;

/// An address where nothing is mapped.
const HOLE: Word = 0x700_0000;

/// The name of each child. The index is its identifier minus one.
pub(crate) const NAMES: [&str; 9] = [
    "reads",
    "writes",
    "executes",
    "calls the kernel",
    "is undefined",
    "breaks",
    "uses a capability",
    "takes too long",
    "is restarted",
];

/// The endpoint of the parent, in each child.
pub(crate) const PARENT: Word = microkit_abi::slots::BASE_ENDPOINT + 1;

/// The number of the system call by which a child reports that it continues.
pub(crate) const CALL: Word = syscall::Call.cast_unsigned();

/// The word that a child reports, unless its parent has changed it.
const WORD: Word = 0x21;

/// A slot beyond the CSpace.
const BEYOND: Word = 0x200;

/// The size of the code of one child.
const PROGRAM_BYTES: Word = 0x100;

/// The address of the program of child `id` in its address space.
pub(crate) const fn code_of(id: usize) -> Word {
    CODE + id as Word * PROGRAM_BYTES
}

/// The children, and the memory that they share with their parent.
pub(crate) struct Children {
    code: &'static [AtomicU64],
}

impl Children {
    /// Stops all children before any child has run, and writes their programs.
    pub(crate) fn new(code: &'static [AtomicU64], data: &'static [AtomicU64]) -> Self {
        data[0].store(0x5eed, Ordering::Relaxed);
        let children = Self { code };
        for (id, program) in (1..).zip(PROGRAMS) {
            children
                .child(id)
                .stop()
                .expect("the system file declares this child");
            children.load(id, program);
        }
        children
    }

    pub(crate) const fn child(&self, id: usize) -> Child {
        Child::new(id)
    }

    /// Starts child `id`.
    pub(crate) fn start(&self, id: usize) -> sel4::Result<()> {
        let child = self.child(id);
        // SAFETY: the child's own program never runs, and its instructions expect these registers.
        unsafe { child.write_registers(&mut registers(id))? };
        child.resume()
    }

    /// Returns the instruction that raised an exception in a child, if the parent wrote it.
    pub(crate) fn instruction(&self, fault: &Fault) -> Option<Instruction> {
        let Fault::UserException(fault) = fault else {
            return None;
        };
        let offset = fault.fault_ip().checked_sub(CODE)?;
        let pair = self.code.get(offset as usize / 8)?.load(Ordering::Relaxed);
        Some((pair >> (offset % 8 * 8)) as Instruction)
    }

    /// Writes a program to the code of child `id`.
    fn load(&self, id: usize, program: &[Instruction]) {
        let first = (code_of(id) - CODE) as usize / 8;
        let place = &self.code[first..][..program.len().div_ceil(2)];
        for (word, pair) in place.iter().zip(program.chunks(2)) {
            let high = pair.get(1).copied().unwrap_or(DONE);
            word.store(
                Word::from(high) << 32 | Word::from(pair[0]),
                Ordering::Relaxed,
            );
        }
        let bytes = place.as_ptr_range();
        vspace()
            .vspace_unify_instruction(bytes.start as usize, bytes.end as usize)
            .expect("the program is in one page");
    }
}

/// The program of each child: the faulting instruction, the call that reports that the child
/// continues, and the end.
const PROGRAMS: [&[Instruction]; 9] = [
    &[LOAD, SVC, DONE],
    &[STORE, SVC, DONE],
    // This child faults before its first instruction.
    &[SVC, DONE],
    &[SVC, SVC, DONE],
    &[UNDEFINED, SVC, DONE],
    &[BRK, SVC, DONE],
    // The first call faults, and the child repeats the call.
    &[SVC, DONE],
    &[FOR_EVER, SVC, DONE],
    &[AGAIN, SVC, DONE],
];

/// The initial registers of a child. They include the arguments of the child's call.
fn registers(id: usize) -> UserContext {
    let mut registers = UserContext::default();
    *registers.pc_mut() = code_of(id);
    *registers.gpr_mut(0) = PARENT;
    *registers.gpr_mut(1) = MessageInfo::new(0, 0, 0, 1).into_word();
    *registers.gpr_mut(2) = WORD;
    *registers.gpr_mut(7) = CALL;
    match id {
        1 => *registers.gpr_mut(10) = HOLE,
        2 => *registers.gpr_mut(10) = SEALED,
        3 => *registers.pc_mut() = DATA,
        4 => *registers.gpr_mut(7) = super::DOUBLE,
        7 => *registers.gpr_mut(0) = BEYOND,
        _ => {}
    }
    registers
}
