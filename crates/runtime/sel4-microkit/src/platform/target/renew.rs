//! Restores the program's memory at the start of an incarnation ([`renewal`](crate::renewal)).

use crate::renewal::Kept;

/// Faults: `renew` jumps here if the initialised data does not fit into the copy. The name of this
/// function is the symbol at the fault's program counter.
#[cold]
#[unsafe(no_mangle)]
extern "C" fn this_program_needs_a_larger_kept_data_size_to_be_restarted() -> ! {
    super::trap()
}

/// Faults: `renew` jumps here if the thread-local variables do not fit on the stack. The name of
/// this function is the symbol at the fault's program counter.
#[cold]
#[unsafe(no_mangle)]
extern "C" fn this_program_needs_a_larger_stack_size_for_its_thread_local_variables() -> ! {
    super::trap()
}

/// Copies the program's initialised data at the first start, or restores the data at a restart.
/// Then creates the thread-local variables, and jumps to x17.
///
/// `renew` overwrites the registers x0 to x13, x15 and x16. The program headers in memory describe
/// the data (*System V ABI*, chapter 5): the segments with `PT_LOAD` (1) and the flag `PF_W` (bit
/// 1). The state in [`Kept`] has one of these values:
///
/// | state | meaning |
/// | --- | --- |
/// | 0 | The copy is not complete. After a restart in this state, `renew` starts the copy again. |
/// | 1 | The copy is complete. |
/// | 2 | A copy is impossible: the data does not fit, or the headers are not in memory. |
///
/// Thread-local variables (`PT_TLS`, 7) are at the top of the stack. x14 has the lowest address of
/// the stack. The thread pointer, `TPIDR_EL0`, points to 16 bytes for a runtime. The variables
/// follow at the next address that equals the segment's address modulo the segment's alignment
/// (*ELF for the Arm 64-bit Architecture*, 5.9, variant 1, as implemented by lld).
///
/// # Safety
///
/// After `renew`, only the code at x17 may run.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn renew() {
    // 1. The code writes to statics only by their address, while no reference to a static is alive:
    //    no code of an earlier incarnation runs again, and this incarnation has not started.
    // 2. The code writes only within writable segments. The code never fills `Kept` with zeros, and
    //    never writes beyond the end of `Kept`.
    // 3. The code lowers the stack pointer over unused memory. The stack pointer stays within the
    //    stack, and stays a multiple of 16. Each thread has its own TPIDR_EL0, and only this code
    //    sets TPIDR_EL0.
    core::arch::naked_asm!(
        "adrp x0, sel4_microkit_kept",
        "add  x0, x0, :lo12:sel4_microkit_kept",
        "adrp x3, sel4_microkit_kept_bytes",
        "ldr  x3, [x3, :lo12:sel4_microkit_kept_bytes]",
        // x1: the next byte of the copy; x3: the end of the copy; x2: the state.
        "add  x1, x0, #{bytes_offset}",
        "add  x3, x1, x3",
        "ldr  x2, [x0]",
        "cmp  x2, #2",
        "b.ne 0f",
        "b    {too_much}",
        "0:",
        // x4: the next program header; x5: the number of headers.
        ".weak __ehdr_start",
        "adrp x6, __ehdr_start",
        "add  x6, x6, :lo12:__ehdr_start",
        "cbz  x6, 7f",
        "ldr  x4, [x6, #{phoff}]",
        "add  x4, x4, x6",
        "ldrh w5, [x6, #{phnum}]",
        "1:",
        "cbz  x5, 8f",
        "sub  x5, x5, #1",
        "ldp  w7, w8, [x4]",
        "cmp  w7, #1",
        "b.ne 20f",
        "tbz  w8, #1, 6f",
        "cmp  x2, #2",
        "b.eq 6f",
        // x8: the next byte of the segment; x9: the end of the data; x10: the end of the segment.
        "ldr  x8, [x4, #{vaddr}]",
        "ldp  x9, x10, [x4, #{filesz}]",
        "add  x9, x8, x9",
        "add  x10, x8, x10",
        "sub  x11, x9, x8",
        "sub  x12, x3, x1",
        "cmp  x11, x12",
        "b.hi 4f",
        // x12: the source; x13: the destination.
        "cmp  x2, #0",
        "csel x12, x8, x1, eq",
        "csel x13, x1, x8, eq",
        "add  x1, x1, x11",
        // Copies two words at a time if the addresses are aligned.
        "orr  x15, x12, x13",
        "tst  x15, #7",
        "b.ne 3f",
        "2:",
        "subs x11, x11, #16",
        "b.lo 9f",
        "ldp  x15, x16, [x12], #16",
        "stp  x15, x16, [x13], #16",
        "b    2b",
        "9:",
        "add  x11, x11, #16",
        "3:",
        "cbz  x11, 5f",
        "ldrb w15, [x12], #1",
        "strb w15, [x13], #1",
        "sub  x11, x11, #1",
        "b    3b",
        "4:",
        "mov  x2, #2",
        "b    6f",
        // In the first incarnation, the rest of the segment is already zero.
        "5:",
        "cbz  x2, 6f",
        "mov  x8, x9",
        // x11: the end of the range to fill with zeros, or `Kept` if `Kept` comes first.
        "10:",
        "cmp  x0, x8",
        "ccmp x0, x10, #2, hs",
        "csel x11, x0, x10, lo",
        "11:",
        "cmp  x8, x11",
        "b.hs 15f",
        "tst  x8, #7",
        "b.eq 12f",
        "strb wzr, [x8], #1",
        "b    11b",
        "12:",
        "sub  x12, x11, x8",
        "13:",
        "subs x12, x12, #16",
        "b.lo 14f",
        "stp  xzr, xzr, [x8], #16",
        "b    13b",
        "14:",
        "cmp  x8, x11",
        "b.hs 15f",
        "strb wzr, [x8], #1",
        "b    14b",
        "15:",
        "cmp  x11, x10",
        "mov  x8, x3",
        "b.ne 10b",
        "6:",
        "add  x4, x4, #{phentsize}",
        "b    1b",
        "20:",
        "cmp  w7, #7",
        "b.ne 6b",
        // x8: the next byte of the image; x9: the image size; x10: the memory size; x11: the
        // alignment.
        "ldr  x8, [x4, #{vaddr}]",
        "ldp  x9, x10, [x4, #{filesz}]",
        "ldr  x11, [x4, #{align}]",
        // x12: the offset of the variables from the thread pointer.
        "sub  x12, x8, #16",
        "sub  x13, x11, #1",
        "and  x12, x12, x13",
        "add  x12, x12, #16",
        // x13: the thread pointer, aligned for the variables and for the stack.
        "add  x13, x12, x10",
        "mov  x7, sp",
        "sub  x13, x7, x13",
        "neg  x11, x11",
        "and  x13, x13, x11",
        "and  x13, x13, #-16",
        "cmp  x13, x14",
        "b.lo 23f",
        "mov  sp, x13",
        "msr  tpidr_el0, x13",
        "add  x13, x13, x12",
        "add  x10, x10, x13",
        "add  x9, x9, x8",
        "21:",
        "cmp  x8, x9",
        "b.hs 22f",
        "ldrb w11, [x8], #1",
        "strb w11, [x13], #1",
        "b    21b",
        "22:",
        "cmp  x13, x10",
        "b.hs 6b",
        "strb wzr, [x13], #1",
        "b    22b",
        "23:",
        "b    {no_room}",
        "7:",
        "mov  x2, #2",
        "8:",
        "cmp  x2, #2",
        "mov  x7, #1",
        "csel x2, x2, x7, eq",
        "str  x2, [x0]",
        "br   x17",
        bytes_offset = const core::mem::offset_of!(Kept<0>, bytes),
        no_room = sym this_program_needs_a_larger_stack_size_for_its_thread_local_variables,
        too_much = sym this_program_needs_a_larger_kept_data_size_to_be_restarted,
        phoff = const 32,
        phnum = const 56,
        vaddr = const 16,
        filesz = const 32,
        align = const 48,
        phentsize = const 56,
    )
}
