//! Enters a protection domain (PD), and returns at its next exception.
//!
//! For the kernel, a run of a PD is a function call. [`run`] loads the registers of a PD and enters
//! EL0. The next exception stores the registers and returns. Meanwhile, the kernel's stack pointer
//! does not change. The kernel's stack holds the two pointers that the exception handler needs.

use super::halt::kernel_exception;
use core::arch::{asm, global_asm};
use core::mem::offset_of;
use core::ptr;
use kernel_aarch64::registers::CPTR;
use kernel_model::UserContext;

/// The floating-point registers of a PD.
#[derive(Debug, Clone)]
#[repr(C, align(16))]
pub(super) struct FloatingPoint {
    q: [u128; 32],
    fpsr: u64,
    fpcr: u64,
}

impl FloatingPoint {
    /// The registers of a PD that has never run.
    pub(super) const NEW: Self = Self {
        q: [0; 32],
        fpsr: 0,
        fpcr: 0,
    };
}

/// The reason why a PD stopped running.
#[derive(Debug, Copy, Clone)]
pub(super) enum Exit {
    /// An exception with this syndrome stopped the PD.
    Exception(u64),
    /// An interrupt stopped the PD.
    Interrupt,
}

/// Runs a PD until the next exception. Loads the PD's registers from `context` at the start, and
/// stores them there at the end. Without `floating_point`, floating-point instructions trap.
///
/// # Safety
///
/// The address space at EL0 must be the PD's, and the processor must be
/// [prepared](super::cpu::prepare).
#[inline]
pub(super) unsafe fn run(
    context: &mut UserContext,
    floating_point: Option<&mut FloatingPoint>,
) -> Exit {
    let floating_point = floating_point.map_or(ptr::null_mut(), ptr::from_mut);
    let esr: u64;
    // SAFETY: 1. `enter_user` changes only the state that is declared here: all registers except
    // x19, x29 and the stack pointer, and the memory at the two pointers. This function has
    // exclusive references to that memory. 2. The PD also changes memory. By the contract, the
    // kernel does not own the memory that the PD changes. Memory that the kernel and the PD share
    // is atomic. 3. Interrupts stay masked in the kernel. Interrupts are not masked in the PD,
    // because the model sets only user bits of `SPSR_EL2`. 4. The vectors return to this point,
    // because they find the kernel's stack as `enter_user` left it.
    unsafe {
        asm!(
            "bl enter_user",
            inlateout("x0") ptr::from_mut(context) => esr,
            in("x1") floating_point,
            out("x20") _, out("x21") _, out("x22") _, out("x23") _, out("x24") _,
            out("x25") _, out("x26") _, out("x27") _, out("x28") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _,
            out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            clobber_abi("C"),
        );
    }
    match esr {
        INTERRUPT => Exit::Interrupt,
        _ => Exit::Exception(esr),
    }
}

/// The value that the vectors return for an interrupt. This value is not a valid syndrome (Arm ARM,
/// *`ESR_EL2`*).
const INTERRUPT: u64 = u64::MAX;

/// `CPTR_EL2.TFP`: floating-point instructions trap.
const TFP: u64 = 1 << 10;

// Entry: the code pushes the registers and pointers that the vectors need, and then loads all of
// the PD's registers. The exception return makes the writes to control registers take effect (Arm
// ARM, *Context synchronization event*).
//
// Exit: the vector saves two registers on the stack, so that it can store the others. Then the code
// loads the kernel's registers, and the function returns the syndrome. Floating-point registers are
// stored before Rust code runs, because Rust code may use them. If floating point trapped in the
// PD, the code turns off the trap before Rust code can use floating point (`isb`).
//
// An asynchronous error (SError) is attributed to the running PD. A fast interrupt, or any
// exception in the kernel itself, is a bug in the kernel.
global_asm!(
    r#"
    .macro vector target
    .balign 128
    b       \target
    .endm

    .macro store_general
    stp     x0, x1, [sp, #-16]!
    ldr     x0, [sp, #(16 + 24)]
    stp     x2, x3, [x0, #{x} + 16]
    stp     x4, x5, [x0, #{x} + 32]
    stp     x6, x7, [x0, #{x} + 48]
    stp     x8, x9, [x0, #{x} + 64]
    stp     x10, x11, [x0, #{x} + 80]
    stp     x12, x13, [x0, #{x} + 96]
    stp     x14, x15, [x0, #{x} + 112]
    stp     x16, x17, [x0, #{x} + 128]
    stp     x18, x19, [x0, #{x} + 144]
    stp     x20, x21, [x0, #{x} + 160]
    stp     x22, x23, [x0, #{x} + 176]
    stp     x24, x25, [x0, #{x} + 192]
    stp     x26, x27, [x0, #{x} + 208]
    stp     x28, x29, [x0, #{x} + 224]
    str     x30, [x0, #{x} + 240]
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0, #{x}]
    .endm

    .section .text.vectors, "ax"
    .balign 2048
    .global exception_vectors
exception_vectors:
    vector  from_kernel
    vector  from_kernel
    vector  from_kernel
    vector  from_kernel

    vector  from_kernel
    vector  from_kernel
    vector  from_kernel
    vector  from_kernel

    vector  exception_of_user
    vector  interrupt_of_user
    vector  from_kernel
    vector  exception_of_user

    vector  from_kernel
    vector  from_kernel
    vector  from_kernel
    vector  from_kernel

exception_of_user:
    store_general
    mrs     x1, esr_el2
    b       leave_user

interrupt_of_user:
    store_general
    mov     x1, #-1
    b       leave_user

leave_user:
    mrs     x2, sp_el0
    mrs     x3, elr_el2
    mrs     x4, spsr_el2
    mrs     x5, tpidr_el0
    str     x2, [x0, #{sp}]
    str     x3, [x0, #{pc}]
    str     x4, [x0, #{spsr}]
    str     x5, [x0, #{tpidr}]
    mov     x0, x1
    ldr     x1, [sp, #32]
    cbz     x1, 1f
    stp     q0, q1, [x1, #0]
    stp     q2, q3, [x1, #32]
    stp     q4, q5, [x1, #64]
    stp     q6, q7, [x1, #96]
    stp     q8, q9, [x1, #128]
    stp     q10, q11, [x1, #160]
    stp     q12, q13, [x1, #192]
    stp     q14, q15, [x1, #224]
    stp     q16, q17, [x1, #256]
    stp     q18, q19, [x1, #288]
    stp     q20, q21, [x1, #320]
    stp     q22, q23, [x1, #352]
    stp     q24, q25, [x1, #384]
    stp     q26, q27, [x1, #416]
    stp     q28, q29, [x1, #448]
    stp     q30, q31, [x1, #480]
    mrs     x2, fpsr
    mrs     x3, fpcr
    str     x2, [x1, #{fpsr}]
    str     x3, [x1, #{fpcr}]
    b       2f
1:  mrs     x2, cptr_el2
    bic     x2, x2, #{tfp}
    msr     cptr_el2, x2
    isb
2:  ldr     x19, [sp, #16]
    ldp     x29, x30, [sp], #48
    ret

    .global enter_user
enter_user:
    stp     x29, x30, [sp, #-48]!
    stp     x19, x0, [sp, #16]
    str     x1, [sp, #32]
    cbz     x1, 1f
    ldr     x2, [x1, #{fpsr}]
    ldr     x3, [x1, #{fpcr}]
    msr     fpsr, x2
    msr     fpcr, x3
    ldp     q0, q1, [x1, #0]
    ldp     q2, q3, [x1, #32]
    ldp     q4, q5, [x1, #64]
    ldp     q6, q7, [x1, #96]
    ldp     q8, q9, [x1, #128]
    ldp     q10, q11, [x1, #160]
    ldp     q12, q13, [x1, #192]
    ldp     q14, q15, [x1, #224]
    ldp     q16, q17, [x1, #256]
    ldp     q18, q19, [x1, #288]
    ldp     q20, q21, [x1, #320]
    ldp     q22, q23, [x1, #352]
    ldp     q24, q25, [x1, #384]
    ldp     q26, q27, [x1, #416]
    ldp     q28, q29, [x1, #448]
    ldp     q30, q31, [x1, #480]
    b       2f
1:  mrs     x2, cptr_el2
    orr     x2, x2, #{tfp}
    msr     cptr_el2, x2
2:  ldr     x2, [x0, #{sp}]
    ldr     x3, [x0, #{pc}]
    ldr     x4, [x0, #{spsr}]
    ldr     x5, [x0, #{tpidr}]
    ldr     x6, [x0, #{tpidrro}]
    msr     sp_el0, x2
    msr     elr_el2, x3
    msr     spsr_el2, x4
    msr     tpidr_el0, x5
    msr     tpidrro_el0, x6
    ldp     x2, x3, [x0, #{x} + 16]
    ldp     x4, x5, [x0, #{x} + 32]
    ldp     x6, x7, [x0, #{x} + 48]
    ldp     x8, x9, [x0, #{x} + 64]
    ldp     x10, x11, [x0, #{x} + 80]
    ldp     x12, x13, [x0, #{x} + 96]
    ldp     x14, x15, [x0, #{x} + 112]
    ldp     x16, x17, [x0, #{x} + 128]
    ldp     x18, x19, [x0, #{x} + 144]
    ldp     x20, x21, [x0, #{x} + 160]
    ldp     x22, x23, [x0, #{x} + 176]
    ldp     x24, x25, [x0, #{x} + 192]
    ldp     x26, x27, [x0, #{x} + 208]
    ldp     x28, x29, [x0, #{x} + 224]
    ldr     x30, [x0, #{x} + 240]
    ldp     x0, x1, [x0, #{x}]
    eret

from_kernel:
    adrp    x3, __emergency_stack_end
    add     x3, x3, :lo12:__emergency_stack_end
    mov     sp, x3
    ldr     x3, ={cptr}
    msr     cptr_el2, x3
    isb
    mrs     x0, esr_el2
    mrs     x1, far_el2
    mrs     x2, elr_el2
    b       {kernel_exception}
    "#,
    x = const offset_of!(UserContext, x),
    sp = const offset_of!(UserContext, sp),
    pc = const offset_of!(UserContext, pc),
    spsr = const offset_of!(UserContext, spsr),
    tpidr = const offset_of!(UserContext, tpidr),
    tpidrro = const offset_of!(UserContext, tpidrro),
    fpsr = const offset_of!(FloatingPoint, fpsr),
    fpcr = const offset_of!(FloatingPoint, fpcr),
    tfp = const TFP,
    cptr = const CPTR.bits(),
    kernel_exception = sym kernel_exception,
);
