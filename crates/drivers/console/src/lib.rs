//! Printing through the `console` protection domain, which drives the board's serial port.
//!
//! seL4 prints only in the configuration `debug`. With this, the same system prints in `release`
//! too. A protection domain that prints has a channel [`CHANNEL`] with `pp="true"` to `console`,
//! which must have the higher priority.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(not(target_os = "none"))]
pub mod host;
pub mod lines;

use core::fmt::{self, Write};

use sel4_microkit::panicking::PanicInfo;
use sel4_microkit::{Backtrace, Channel, MessageInfo, pd_name};

/// The channel to `console`, by the identifier that it has in those that print.
pub const CHANNEL: Channel = Channel::new(0);

/// Bytes of one call: four words, which travel in registers, so that printing leaves the message
/// registers as they are.
pub const BYTES_PER_CALL: usize = 32;

/// Prints a line.
///
/// **Blocks:** while `console` writes it. **Panics:** inside a borrow of the message registers.
#[macro_export]
macro_rules! println {
    ($($arg:tt)*) => {
        $crate::print(::core::format_args!("{}\n", ::core::format_args!($($arg)*)))
    };
}

/// Prints, as [`println!`] does, without ending the line.
pub fn print(arguments: fmt::Arguments<'_>) {
    let mut printer = Printer {
        bytes: [0; BYTES_PER_CALL],
        length: 0,
    };
    // An error is one of a value's own formatting; what was formatted before it is printed.
    printer.write_fmt(arguments).ok();
    printer.flush();
}

/// Prints a panic's message and place, and how the program came there; to be given to `sel4_microkit::panicking::set_hook`.
pub fn panic_hook(info: &PanicInfo<'_>) {
    println!("{}: {info}", pd_name().unwrap_or("?"));
    let trace = Backtrace::here();
    if !trace.is_empty() {
        println!("{trace}");
    }
}

struct Printer {
    bytes: [u8; BYTES_PER_CALL],
    length: usize,
}

impl Printer {
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
