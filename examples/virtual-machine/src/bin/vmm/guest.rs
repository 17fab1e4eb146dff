//! The guest: machine code for a virtual machine whose memory starts at [`START`].

/// The start of the guest's memory, as a guest-physical address.
pub(crate) const START: u64 = 0x4000_0000;

/// The initial processor state: EL1 with its own stack pointer, all exceptions masked (Arm ARM,
/// *`SPSR_EL2`*).
pub(crate) const PSTATE: u64 = 0x3c5;

/// Hypercall: x1 is the value of the guest's `TPIDR_EL1`.
pub(crate) const HELLO: u64 = 1;
/// Hypercall: the guest is ready for an interrupt.
pub(crate) const READY: u64 = 2;
/// Hypercall: the guest has handled the interrupt whose number is in x1.
pub(crate) const HANDLED: u64 = 3;
/// Hypercall: the guest has nothing left to do.
pub(crate) const END: u64 = 4;

/// The code at [`START`]. A hypercall has its number in x0.
pub(crate) const MAIN: [u32; 25] = [
    0xd280_0020, // mov  x0, #1
    0xd538_d081, // mrs  x1, tpidr_el1
    0xd400_0002, // hvc  #0
    // The vectors are at START + 0x800.
    0x1000_3fa1, // adr  x1, vectors
    0xd518_c001, // msr  vbar_el1, x1
    // The interrupt controller's CPU interface: every priority, enabled.
    0xd2a1_0022, // mov  x2, #0x8010000
    0x5280_1e03, // mov  w3, #0xf0
    0xb900_0443, // str  w3, [x2, #4]
    0x5280_0023, // mov  w3, #1
    0xb900_0043, // str  w3, [x2]
    0xd503_3fdf, // isb
    0xd503_42ff, // msr  daifclr, #2
    0xd280_0040, // mov  x0, #2
    0xd400_0002, // hvc  #0
    // The virtual timer fires at once. The loop ends when its interrupt, 27, was handled.
    0xd51b_e35f, // msr  cntv_cval_el0, xzr
    0xd280_0023, // mov  x3, #1
    0xd51b_e323, // msr  cntv_ctl_el0, x3
    0xd503_3fdf, // isb
    0xf100_6c9f, // cmp  x4, #27
    0x54ff_ffe1, // b.ne, to the cmp
    0xd280_0080, // mov  x0, #4
    0xd400_0002, // hvc  #0
    // A write to unmapped memory.
    0xd280_0005, // mov  x5, #0
    0xf900_00a0, // str  x0, [x5]
    0x1400_0000, // b, to itself
];

/// The offset of the interrupt vector in the guest's memory: IRQ at the current exception level
/// with its own stack pointer (Arm ARM, *Exception vectors*).
pub(crate) const IRQ_OFFSET: usize = 0x800 + 0x280;

/// The interrupt handler: acknowledges the interrupt, stops the timer, reports the number in a
/// hypercall, and ends the interrupt.
pub(crate) const IRQ: [u32; 7] = [
    0xb940_0c44, // ldr  w4, [x2, #12]
    0xd51b_e33f, // msr  cntv_ctl_el0, xzr
    0xd280_0060, // mov  x0, #3
    0xaa04_03e1, // mov  x1, x4
    0xd400_0002, // hvc  #0
    0xb900_1044, // str  w4, [x2, #16]
    0xd69f_03e0, // eret
];
