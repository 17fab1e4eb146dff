//! From the kernel's first instruction to the initialisation.

use core::arch::naked_asm;
use core::ptr::{NonNull, with_exposed_provenance_mut};

use microkit_abi::limits;

unsafe extern "Rust" {
    /// Defined by `#[protection_domain]`: how large a stack the program asks for.
    pub(super) safe static sel4_microkit_stack_bytes: usize;

    /// Defined by `#[protection_domain]`. Its name is what the linker says is missing.
    safe fn no_function_is_marked_protection_domain() -> !;
}

/// The first address above the stack.
pub(super) const fn stack_top() -> usize {
    limits::stack_top(sel4::config::USER_TOP as u64) as usize
}

/// The program's entry point: takes the whole of the stack that Microkit has mapped, checks
/// that it is as large as the program asks for, and puts the program's memory into the state in
/// which it was first started ([`renew`](super::renew)).
///
/// # Safety
///
/// Only the kernel calls this, as the thread starts or is restarted.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    // No frame is below this one: x29 and x30 are 0 for who walks the stack.
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

/// Reads the lowest byte of the stack that the program asks for, at x14, and continues. If the
/// system file gives less, the read faults, and the fault's program counter leads to this name.
///
/// # Safety
///
/// As for `_start`: this is its second half.
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
    // The tool puts the buffer into the last page of the address space.
    let address = limits::ipc_buffer_address(sel4::config::USER_TOP as u64) as usize;
    let buffer = NonNull::new(with_exposed_provenance_mut(address)).expect("not zero");
    // SAFETY: 1. The kernel was told that this thread's buffer is there (*builder* in
    //    `microkit_abi`), and its page is mapped to be read and written as long as the PD
    //    lives.
    // 2. This function runs once in a thread's life. A thread that its parent restarts begins
    //    a new one: nothing that held the old token runs again.
    // 3. Nothing else is mapped there.
    let token = unsafe { sel4::IpcBufferToken::new(buffer) };
    // SAFETY: 2 above.
    unsafe { sel4::start_with_ipc_buffer(token) };
    super::panic::start();
    check_configuration(address);
    construct();
    no_function_is_marked_protection_domain()
}

/// Faults at once if the kernel is of another configuration than this program was built for.
///
/// The numbers of invocations differ between configurations. This one, which writes a clean
/// cache line back, changes nothing: the kernel that it is meant for does it; another takes it
/// for something that an address space cannot do.
#[inline(always)]
fn check_configuration(buffer_address: usize) {
    if crate::vspace()
        .vspace_clean_data(buffer_address, buffer_address + 1)
        .is_err()
    {
        this_program_was_built_for_another_kernel_configuration()
    }
}

/// The name is what the fault's program counter leads to.
#[cold]
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn this_program_was_built_for_another_kernel_configuration() -> ! {
    super::trap()
}

/// Runs the constructors that C and other libraries have left in `.init_array`.
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
        // 2. They are called once, before anything else of the program.
        unsafe {
            (*next)();
            next = next.add(1);
        }
    }
}
