//! The entry point of a program.
//!
//! The code jumps from `_start` to `this_program_needs_…`, then to [`renew`](super::renew), and
//! then to [`entry`]. Before `entry` no Rust code runs, because the stack and the memory are not
//! ready.

use core::arch::naked_asm;
use core::ptr::{NonNull, with_exposed_provenance_mut};

use microkit_abi::limits;

unsafe extern "Rust" {
    /// The stack size that the program requires, in bytes. `#[protection_domain]` defines this
    /// symbol.
    pub(super) safe static sel4_microkit_stack_bytes: usize;

    /// Runs the rest of the program. `#[protection_domain]` defines this function. If the function
    /// is missing, the linker prints this name.
    safe fn no_function_is_marked_protection_domain() -> !;
}

/// The first address above the stack.
pub(super) const fn stack_top() -> usize {
    limits::stack_top(sel4::config::USER_TOP as u64) as usize
}

/// The program's entry point. It sets the stack pointer to the top of the stack that Microkit has
/// mapped. Then it checks that the stack is as large as the program requires, and restores the
/// program's memory ([`renew`](super::renew)).
///
/// # Safety
///
/// Only the kernel may start this function, at the start or a restart of the thread.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    // This frame is the outermost: x29 and x30 are 0, which ends a backtrace.
    naked_asm!(
        "ldr x9, ={stack_top}",
        "mov sp, x9",
        "mov x29, xzr",
        "mov x30, xzr",
        "adrp x17, {entry}",
        "add x17, x17, :lo12:{entry}",
        "adrp x10, sel4_microkit_stack_bytes",
        "ldr x10, [x10, :lo12:sel4_microkit_stack_bytes]",
        "sub x14, x9, x10",
        "b {look}",
        ".ltorg",
        stack_top = const stack_top(),
        entry = sym entry,
        look = sym this_program_needs_a_larger_stack_size_in_the_system_file,
    )
}

/// Reads the lowest byte of the required stack, at x14, and continues. If the system file gives a
/// smaller stack, the read faults. The name of this function is the symbol at the fault's program
/// counter.
///
/// # Safety
///
/// Only `_start` may jump to this function.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn this_program_needs_a_larger_stack_size_in_the_system_file() -> ! {
    naked_asm!(
        "ldrb w9, [x14]",
        "b {renew}",
        renew = sym super::renew::renew,
    )
}

extern "C" fn entry() -> ! {
    // The IPC buffer is in the last page of the address space.
    let address = limits::ipc_buffer_address(sel4::config::USER_TOP as u64) as usize;
    let buffer = NonNull::new(with_exposed_provenance_mut(address)).expect("not zero");
    // SAFETY: 1. The builder has set this address as the thread's IPC buffer (*builder* in
    //    `microkit_abi`), and the page of the buffer is readable and writable as long as the PD
    //    runs.
    // 2. This function runs once in an incarnation. A restart begins a new incarnation: code that
    //    held the old token never runs again.
    // 3. Nothing else is mapped at this address.
    let token = unsafe { sel4::IpcBufferToken::new(buffer) };
    // SAFETY: reason 2 above applies.
    unsafe { sel4::start_with_ipc_buffer(token) };
    super::panic::start();
    check_configuration(address);
    construct();
    no_function_is_marked_protection_domain()
}

/// Faults if the program was built for another kernel configuration.
///
/// The numbers of invocations differ between configurations. This invocation cleans a cache line,
/// so it changes no data. The intended kernel executes this invocation. In another kernel, the
/// number belongs to an invocation that an address space does not have.
#[inline(always)]
fn check_configuration(buffer_address: usize) {
    if crate::vspace()
        .vspace_clean_data(buffer_address, buffer_address + 1)
        .is_err()
    {
        this_program_was_built_for_another_kernel_configuration()
    }
}

/// Faults. The name of this function is the symbol at the fault's program counter.
#[cold]
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn this_program_was_built_for_another_kernel_configuration() -> ! {
    super::trap()
}

/// Calls the constructors of C and other libraries in `.init_array`.
fn construct() {
    type Constructor = extern "C" fn();

    unsafe extern "C" {
        static __init_array_start: Constructor;
        static __init_array_end: Constructor;
    }

    let mut next = &raw const __init_array_start;
    let end = &raw const __init_array_end;
    while next < end {
        // SAFETY: 1. The linker defines the two symbols around an array of function pointers
        //    (System V ABI, *Initialization and Termination Functions*).
        // 2. The constructors are called once, before the rest of the program.
        unsafe {
            (*next)();
            next = next.add(1);
        }
    }
}
