//! User exceptions. The words of the message are: program counter, stack pointer, status register,
//! number and code.

use conformance::code::{DONE, Instruction, udf};
use conformance::{A, Registers, Stage, show};
use microkit_console::println;
use sel4::TcbFlagsBuilder;
use sel4::sys::fault;

/// `hvc #0`
const HVC: Instruction = 0xd400_0002;

/// `smc #0`
const SMC: Instruction = 0xd400_0003;

/// `brk #1`
const BRK: Instruction = 0xd420_0020;

/// `nop`
const NOP: Instruction = 0xd503_201f;

/// `eret`
const ERET: Instruction = 0xd69f_03e0;

/// `mrs x0, sctlr_el1`
const READ_SYSTEM_REGISTER: Instruction = 0xd538_1000;

/// `msr daifset, #2`
const MASK_INTERRUPTS: Instruction = 0xd503_42df;

/// `fmov d0, xzr`
const FLOAT: Instruction = 0x9e67_03e0;

/// `adds x0, x0, x0`
const ADD_AND_SET_FLAGS: Instruction = 0xab00_0000;

pub(crate) fn run(stage: &mut Stage) {
    println!("== exceptions");
    let cases: [(&str, &[Instruction]); 9] = [
        ("udf #0", &[udf(0)]),
        ("nop, udf #7", &[NOP, udf(7)]),
        ("udf, carry and zero are set", &[ADD_AND_SET_FLAGS, udf(0)]),
        ("no instruction", &[!0]),
        ("hvc", &[HVC]),
        ("smc", &[SMC]),
        ("eret", &[ERET]),
        ("mrs of sctlr_el1", &[READ_SYSTEM_REGISTER]),
        ("msr of daifset", &[MASK_INTERRUPTS]),
    ];
    for (what, program) in cases {
        let e = stage.run(A, program, Registers::new().with(0, 1 << 63));
        show!(e, "{what}");
    }
    floats(stage);
    breakpoint(stage);
}

/// Floating-point instructions fault while floating point is disabled.
fn floats(stage: &mut Stage) {
    let disabled = TcbFlagsBuilder::new().fpu_disabled(true).build();
    for (what, clear, set) in [("disabled", 0, disabled), ("enabled", disabled, 0)] {
        let flags = A.tcb().tcb_set_flags(clear, set);
        let e = stage.run(A, &[FLOAT, DONE], Registers::new());
        show!(e, "floating point, {what}, flags {flags:?}");
    }
}

/// The kind of the fault depends on whether the kernel has the hardware debug API.
fn breakpoint(stage: &mut Stage) {
    const DEBUG_EXCEPTION: u64 = 4;
    let wanted = if sel4::config::HARDWARE_DEBUG_API {
        DEBUG_EXCEPTION
    } else {
        fault::VCPUFault
    };
    stage.start(A, &[BRK], Registers::new());
    let event = stage.wait();
    let is_wanted = event.label() == wanted;
    println!("brk: the fault that this kernel gives: {is_wanted}");
}
