//! Macros that print on the kernel's debug console.

/// Prints on the kernel's debug console, as `print!` does.
///
/// In the configurations `release` and `benchmark`, the kernel has no debug output, and the macro
/// compiles to nothing. The arguments of such a call are type-checked but not evaluated.
///
/// ```no_run
/// sel4_microkit::debug_print!("{} of {}", 1, 2);
/// ```
///
/// **Blocking:** never. Each byte is a system call.
#[macro_export]
macro_rules! debug_print {
    ($($arg:tt)*) => {
        if $crate::_private::PRINTING {
            $crate::_private::print(::core::format_args!($($arg)*));
        }
    };
}

/// Prints a line on the kernel's debug console, as `println!` does.
///
/// ```no_run
/// sel4_microkit::debug_println!("ready");
/// ```
///
/// **Blocking:** never. Compiles to nothing in the same configurations as [`debug_print!`].
#[macro_export]
macro_rules! debug_println {
    () => {
        $crate::debug_print!("\n")
    };
    ($($arg:tt)*) => {
        if $crate::_private::PRINTING {
            $crate::_private::print(::core::format_args!(
                "{}\n",
                ::core::format_args!($($arg)*)
            ));
        }
    };
}
