//! Printing on the kernel's debug console.

/// Prints on the kernel's debug console, as `print!` does.
///
/// Where the kernel does not print, in the configurations `release` and `benchmark`, it compiles
/// to nothing; the arguments are checked but not evaluated.
///
/// **Blocks:** never; each byte is a system call.
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
/// Where the kernel does not print, it compiles to nothing, as [`debug_print!`].
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
