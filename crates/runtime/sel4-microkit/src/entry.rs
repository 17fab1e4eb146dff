//! From the kernel's first instruction to the event loop.

use microkit_abi::limits;

use crate::{Handler, panicking};

/// Declares the protection domain; what the attribute `#[protection_domain]` expands to.
#[doc(hidden)]
#[macro_export]
macro_rules! declare_protection_domain {
    { init = $init:ident, $($options:tt)* } => {
        $crate::declare_protection_domain! { @options [] [] [] $($options)* }
        $crate::declare_protection_domain! { @main $init }
    };
    { @options [] $heap:tt $kept:tt stack_size = $bytes:expr $(, $($rest:tt)*)? } => {
        $crate::declare_protection_domain! { @options [$bytes] $heap $kept $($($rest)*)? }
    };
    { @options $stack:tt [] $kept:tt heap_size = $bytes:expr $(, $($rest:tt)*)? } => {
        $crate::declare_protection_domain! { @options $stack [$bytes] $kept $($($rest)*)? }
    };
    { @options $stack:tt $heap:tt [] kept_data_size = $bytes:expr $(, $($rest:tt)*)? } => {
        $crate::declare_protection_domain! { @options $stack $heap [$bytes] $($($rest)*)? }
    };
    { @options [$($stack:expr)?] [$($heap:expr)?] [$($kept:expr)?] } => {
        $crate::declare_protection_domain! { @stack $($stack)? }
        $crate::declare_protection_domain! { @heap $($heap)? }
        $crate::declare_protection_domain! { @kept $($kept)? }
    };
    { @options $($other:tt)+ } => {
        ::core::compile_error!(
            "the options of #[protection_domain] are `stack_size = BYTES`, `heap_size = BYTES` and \
             `kept_data_size = BYTES`, each once"
        );
    };
    { @heap } => {};
    { @heap $bytes:expr } => {
        #[cfg(target_os = "none")]
        const _: () = {
            // Once, for two uses. A name that no constant in `$bytes` has: items have no hygiene.
            const __SEL4_MICROKIT_BYTES: usize = $bytes;

            // By its name `cargo microkit` knows the size.
            #[unsafe(no_mangle)]
            static sel4_microkit_heap: $crate::_private::HeapMemory<__SEL4_MICROKIT_BYTES> =
                $crate::_private::HeapMemory::new();

            // SAFETY: this is the only heap of that memory.
            #[global_allocator]
            static HEAP: $crate::_private::Heap<__SEL4_MICROKIT_BYTES> =
                unsafe { $crate::_private::Heap::new(&sel4_microkit_heap) };
        };
    };
    { @stack } => {
        $crate::declare_protection_domain! { @stack $crate::_private::LEAST_STACK_BYTES }
    };
    { @stack $bytes:expr } => {
        #[cfg(target_os = "none")]
        const _: () = {
            // By its name `cargo microkit` finds what to hold the system file against.
            #[unsafe(no_mangle)]
            static sel4_microkit_stack_bytes: usize = $crate::_private::stack_bytes($bytes);

            // The section has a record in every program, so that the linker defines its symbols.
            mod record {
                ::core::arch::global_asm!(
                    ".pushsection microkit_regions, \"aR\", %progbits",
                    ".balign {record}",
                    ".quad {first}",
                    ".quad {version}",
                    ".balign {record}",
                    ".popsection",
                    record = const $crate::_private::regions::RECORD_BYTES,
                    first = const $crate::_private::regions::FIRST,
                    version = const $crate::_private::regions::VERSION,
                );
            }
        };
    };
    { @kept } => {
        $crate::declare_protection_domain! { @kept $crate::_private::KEPT_DATA_BYTES }
    };
    { @kept $bytes:expr } => {
        #[cfg(target_os = "none")]
        const _: () = {
            // Once, for two uses. A name that no constant in `$bytes` has: items have no hygiene.
            const __SEL4_MICROKIT_BYTES: usize = $bytes;

            #[unsafe(no_mangle)]
            static sel4_microkit_kept: $crate::_private::Kept<__SEL4_MICROKIT_BYTES> =
                $crate::_private::Kept::new();

            #[unsafe(no_mangle)]
            static sel4_microkit_kept_bytes: usize = __SEL4_MICROKIT_BYTES;
        };
    };
    { @main $init:ident } => {
        #[cfg(target_os = "none")]
        const _: () = {
            #[unsafe(no_mangle)]
            extern "Rust" fn no_function_is_marked_protection_domain() -> ! {
                $crate::_private::run_main($init)
            }
        };

        #[cfg(not(target_os = "none"))]
        const _: () = {
            // Type-checks the initialisation on a host too.
            const _: fn() -> ! = || $crate::_private::run_main($init);

            #[cfg(not(test))]
            #[unsafe(no_mangle)]
            extern "C" fn main() -> ::core::ffi::c_int {
                $crate::_private::host_main(::core::option_env!("CARGO_BIN_NAME"))
            }
        };

        /// The initialisation of this protection domain, for tests on a host.
        #[cfg(not(target_os = "none"))]
        #[allow(dead_code, unreachable_pub)] // For tests that there may be, here or elsewhere.
        pub fn protection_domain() -> impl $crate::Handler {
            $init()
        }
    };
}

/// Runs the initialisation, then the event loop.
#[doc(hidden)]
pub fn run_main<H: Handler>(init: impl FnOnce() -> H) -> ! {
    match crate::handler::run(&mut init()) {
        Ok(never) => match never {},
        Err(error) => panicking::stop(format_args!("stopped: its handler returned: {error}")),
    }
}

/// What a protection domain says that was started on a host.
#[cfg(not(target_os = "none"))]
#[doc(hidden)]
pub fn host_main(name: Option<&str>) -> core::ffi::c_int {
    let name = name.unwrap_or("this");
    std::eprintln!(
        "{name} is a protection domain, which runs in a Microkit system: name it in a system file \
         as program_image path=\"{name}.elf\", and start that with `cargo microkit run`"
    );
    1
}

/// The least stack that a system file can give, in bytes, and what a program without `stack_size`
/// asks for.
#[doc(hidden)]
pub const LEAST_STACK_BYTES: usize = limits::MIN_STACK_BYTES as usize;

/// Checks the stack that a program asks for, in bytes: more than a system file can give does not
/// compile.
#[doc(hidden)]
pub const fn stack_bytes(bytes: usize) -> usize {
    assert!(
        bytes <= limits::MAX_STACK_BYTES as usize,
        "a system file gives a stack of 16 MiB at most"
    );
    if bytes < LEAST_STACK_BYTES {
        LEAST_STACK_BYTES
    } else {
        bytes
    }
}

#[cfg(target_os = "none")]
unsafe extern "Rust" {
    /// Defined by `#[protection_domain]`: how large a stack the program asks for.
    pub(crate) safe static sel4_microkit_stack_bytes: usize;
}

/// The first address above the stack.
#[cfg(target_os = "none")]
pub(crate) const fn stack_top() -> usize {
    limits::stack_top(sel4::config::USER_TOP as u64) as usize
}

#[cfg(target_os = "none")]
mod target {
    use core::arch::naked_asm;
    use core::ptr::{NonNull, with_exposed_provenance_mut};

    use microkit_abi::limits;

    unsafe extern "Rust" {
        /// Defined by `#[protection_domain]`. Its name is what the linker says is missing.
        safe fn no_function_is_marked_protection_domain() -> !;
    }

    /// The program's entry point: takes the whole of the stack that Microkit has mapped, checks
    /// that it is as large as the program asks for, and puts the program's memory into the state in
    /// which it was first started ([`renewal`](crate::renewal)).
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
            stack_top = const super::stack_top(),
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
            renew = sym crate::renewal::renew,
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
        crate::panicking::start();
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
        crate::panicking::trap()
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_asks_for_as_much_as_a_system_file_can_give() {
        let check = |asked, expect| assert_eq!(stack_bytes(asked), expect);
        check(0, 4096);
        check(4095, 4096);
        check(4097, 4097);
        check(16 << 20, 16 << 20);
    }

    #[test]
    #[should_panic(expected = "a system file gives a stack of 16 MiB at most")]
    fn more_than_a_system_file_can_give_is_refused() {
        stack_bytes((16 << 20) + 1);
    }
}
