//! The first instructions, from the state at entry to a state in which Rust code can run.

use core::arch::global_asm;
use kernel_aarch64::layout::UART;
use kernel_aarch64::registers::{CPTR, MAIR, SCTLR_EL2, TCR};

/// The page tables during boot, until [`mmu`](super::mmu) installs stricter tables. Virtual
/// addresses equal physical addresses. The first gigabyte is device memory, and the next two
/// gigabytes are normal memory.
#[repr(C, align(4096))]
struct BootTables([u64; 512]);

static BOOT_TABLES: BootTables = {
    const BLOCK: u64 = 0b01;
    const DEVICE: u64 = 0 << 2;
    const MEMORY: u64 = 1 << 2 | 0b11 << 8;
    const ACCESSED: u64 = 1 << 10;
    const XN: u64 = 1 << 54;
    let mut tables = [0; 512];
    tables[0] = BLOCK | DEVICE | ACCESSED | XN;
    tables[1] = 1 << 30 | BLOCK | MEMORY | ACCESSED;
    tables[2] = 2 << 30 | BLOCK | MEMORY | ACCESSED | XN;
    BootTables(tables)
};

// The reasons for each step, from the Arm ARM:
//
// - All cores may start here. Only the core with affinity 0 in all levels continues (*MPIDR_EL1*).
// - The code works only at EL2. At another exception level, the code prints an error and stops. The
//   serial port works even then, because the MMU is off.
// - Floating-point instructions must not trap (*CPTR_EL2*), because Rust code may contain them.
// - When the MMU is turned on, the TLB and the instruction cache must not contain stale entries
//   (*Enabling stage 1 translation*). The barriers complete the invalidation before the MMU is on.
// - The stack is 16-byte aligned (AAPCS64).
global_asm!(
    r#"
    .section .text.start, "ax"
    .global _start
_start:
    msr     daifset, #0xf
    mrs     x0, mpidr_el1
    ldr     x1, =0xff00ffffff
    tst     x0, x1
    b.ne    3f

    mrs     x0, currentel
    cmp     x0, #(2 << 2)
    b.ne    2f

    msr     spsel, #1
    ldr     x0, ={cptr}
    msr     cptr_el2, x0
    ldr     x0, ={mair}
    msr     mair_el2, x0
    ldr     x0, ={tcr}
    msr     tcr_el2, x0
    adrp    x0, {tables}
    msr     ttbr0_el2, x0
    adrp    x0, exception_vectors
    add     x0, x0, :lo12:exception_vectors
    msr     vbar_el2, x0
    tlbi    alle2
    ic      iallu
    dsb     sy
    isb
    ldr     x0, ={sctlr}
    msr     sctlr_el2, x0
    isb

    adrp    x0, __stack_end
    add     x0, x0, :lo12:__stack_end
    mov     sp, x0
    mov     x29, xzr
    mov     x30, xzr
    b       {start}

2:  ldr     x0, ={uart}
    adr     x1, 4f
1:  ldrb    w2, [x1], #1
    cbz     w2, 3f
    str     w2, [x0]
    b       1b

3:  wfi
    b       3b

4:  .asciz  "MODEL|ERROR: the kernel must be started at EL2, with -machine virt,virtualization=on\r\n"
    .balign 4
    "#,
    cptr = const CPTR.bits(),
    mair = const MAIR.bits(),
    tcr = const TCR.bits(),
    sctlr = const SCTLR_EL2.bits(),
    uart = const UART.start,
    tables = sym BOOT_TABLES,
    start = sym super::start::start,
);
