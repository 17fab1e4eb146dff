//! The start of a PD's program: from `#[protection_domain]` to the event loop.

use microkit_abi::limits;

use crate::{Handler, panicking};

/// Declares the PD. The attribute `#[protection_domain]` expands to this macro.
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
            // This constant evaluates `$bytes` only once. Items have no hygiene, so `$bytes` must
            // not use a constant of this name.
            const __SEL4_MICROKIT_BYTES: usize = $bytes;

            // `cargo microkit` reads the size of this symbol.
            #[unsafe(no_mangle)]
            static sel4_microkit_heap: $crate::_private::HeapMemory<__SEL4_MICROKIT_BYTES> =
                $crate::_private::HeapMemory::new();

            // SAFETY: no other heap uses the memory of `sel4_microkit_heap`.
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
            // `cargo microkit` compares the system file with this symbol.
            #[unsafe(no_mangle)]
            static sel4_microkit_stack_bytes: usize = $crate::_private::stack_bytes($bytes);

            // Every program adds a record to the section, so that the linker defines the symbols at
            // the start and the end of the section.
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
            // This constant evaluates `$bytes` only once.
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

        /// Runs the initialisation of this protection domain on a host.
        #[cfg(not(target_os = "none"))]
        #[allow(dead_code, unreachable_pub)] // Only tests call the function.
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

/// The smallest stack that a system file can set, in bytes. A program without the option
/// `stack_size` requires this size.
#[doc(hidden)]
pub const LEAST_STACK_BYTES: usize = limits::MIN_STACK_BYTES as usize;

/// Checks the stack size that a program requires, in bytes. A size above the limit of system files
/// is a compile error.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_sizes_of_a_system_file_are_accepted() {
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
