//! Printing for every protection domain (PD), in every kernel configuration.
//!
//! The kernel prints only in the configuration `debug`. PDs that use this crate also print in
//! `release` and `benchmark`. The crate has two parts:
//!
//! - a library for PDs that print: [`println!`], and [`panic_hook`] for panics;
//! - the PD `console`, which drives the serial port. Its binary is `console`, and a system file
//!   names the binary `console.elf`. The PD does not mix the lines of different clients.
//!
//! # Which serial port
//!
//! The PD drives an Arm PL011 UART with a 24 MHz clock, at 115200 baud and 8N1. QEMU's `virt`
//! machine has this UART at physical address `0x900_0000`. The kernel of the configuration `debug`
//! prints on the same UART, so the kernel's output may appear in the middle of a line. The PD polls
//! the UART and uses no interrupt. Only one PD can map the UART. For input, or for clients that
//! must not wait for the UART, use `microkit-serial` instead.
//!
//! # The dependency
//!
//! In the `Cargo.toml` of the package with the system file:
//!
//! ```toml
//! [dependencies]
//! microkit-console = { path = "../sel4-microkit-rs/crates/drivers/console" }
//! ```
//!
//! `cargo microkit` then builds `console.elf`, the program of the PD, from this dependency.
//!
//! # The system file
//!
//! ```xml
//! <memory_region name="uart" size="0x1000" phys_addr="0x9000000" />
//!
//! <protection_domain name="console" priority="254" passive="true" stack_size="0x4000">
//!     <program_image path="console.elf" />
//!     <map mr="uart" vaddr="0x2000000" perms="rw" cached="false"
//!          setvar_vaddr="uart" setvar_size="uart_size" />
//! </protection_domain>
//!
//! <!-- For each client. -->
//! <channel>
//!     <end pd="hello" id="0" pp="true" />
//!     <end pd="console" id="0" />
//! </channel>
//! ```
//!
//! - A client's end has the `id` 0 ([`CHANNEL`]) and `pp="true"`.
//! - The console's ends have the `id`s 0 to 7, so the console serves up to eight clients.
//! - The console must have a higher priority than each client. With `passive="true"`, the console
//!   runs on the budget of the client that prints.
//!
//! # A client
//!
//! ```no_run
//! #![no_std]
//! #![no_main]
//!
//! use microkit_console::println;
//! use sel4_microkit::{NullHandler, panicking, protection_domain};
//!
//! #[protection_domain]
//! fn init() -> NullHandler {
//!     panicking::set_hook(&microkit_console::panic_hook);
//!     println!("hello, world");
//!     NullHandler::new()
//! }
//! ```
//!
//! Printing is a protected procedure call. A PD that declares its calls by `waits!` lists
//! `call microkit_console::CHANNEL`.
//!
//! A test on the host has no UART. So give `microkit-test` the program
//! `host::protection_domain` for `console.elf`.
//!
//! The crate has no features.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(not(target_os = "none"))]
pub mod host;
pub mod lines;

use core::fmt::{self, Write};

use sel4_microkit::panicking::PanicInfo;
use sel4_microkit::{Backtrace, Channel, MessageInfo, pd_name};

/// The channel to the PD `console`. The system file must use this identifier for each client.
pub const CHANNEL: Channel = Channel::new(0);

/// The largest number of bytes in one call.
///
/// A call passes the bytes in four CPU registers and does not change the message registers. So a
/// handler can print between two accesses to its message registers.
pub const BYTES_PER_CALL: usize = 32;

/// Prints a line, with the syntax of [`format_args!`].
///
/// **Blocking:** until the console has written the line.
///
/// # Panics
///
/// Panics inside a borrow of the message registers, such as `with_msg_regs`.
///
/// # Examples
///
/// ```no_run
/// let pongs = 3;
/// microkit_console::println!("{pongs} pongs");
/// ```
#[macro_export]
macro_rules! println {
    ($($arg:tt)*) => {
        $crate::print(::core::format_args!("{}\n", ::core::format_args!($($arg)*)))
    };
}

/// Prints text without ending the line.
///
/// The console keeps the text of a client until its line ends. A line of more than 128 bytes is
/// written in parts.
///
/// **Blocking:** until the console has taken the text.
///
/// # Panics
///
/// Panics inside a borrow of the message registers.
///
/// # Examples
///
/// ```no_run
/// for byte in [0xde, 0xad] {
///     microkit_console::print(format_args!("{byte:02x}"));
/// }
/// microkit_console::println!("");
/// ```
pub fn print(arguments: fmt::Arguments<'_>) {
    let mut printer = Printer {
        bytes: [0; BYTES_PER_CALL],
        length: 0,
    };
    // `Printer` never fails. If the `Display` of a value fails, the text before the value is
    // printed.
    printer.write_fmt(arguments).ok();
    printer.flush();
}

/// Prints the message and the source location of a panic, and a backtrace if the stack allows one.
///
/// Set this function with `sel4_microkit::panicking::set_hook`. Without a hook, the message goes to
/// the kernel's debug console. Only the configuration `debug` has this console.
///
/// # Examples
///
/// ```no_run
/// sel4_microkit::panicking::set_hook(&microkit_console::panic_hook);
/// ```
pub fn panic_hook(info: &PanicInfo<'_>) {
    println!("{}: {info}", pd_name().unwrap_or("?"));
    let trace = Backtrace::here();
    if !trace.is_empty() {
        println!("{trace}");
    }
}

/// Collects text and sends it in calls of [`BYTES_PER_CALL`].
struct Printer {
    bytes: [u8; BYTES_PER_CALL],
    length: usize,
}

impl Printer {
    /// Sends the collected bytes in message registers. The label is the number of bytes.
    fn flush(&mut self) {
        if self.length > 0 {
            let (chunks, _) = self.bytes.as_chunks::<8>();
            let words: [u64; 4] = core::array::from_fn(|index| u64::from_le_bytes(chunks[index]));
            CHANNEL.pp_call_with_mrs(MessageInfo::new(self.length as u64, 4), words);
            self.length = 0;
        }
    }
}

impl Write for Printer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.length == BYTES_PER_CALL {
                self.flush();
            }
            self.bytes[self.length] = byte;
            self.length += 1;
        }
        Ok(())
    }
}
