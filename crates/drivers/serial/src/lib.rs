//! A serial port for several protection domains (PDs), driven by its interrupt.
//!
//! The crate has two parts:
//!
//! - a library for clients: [`Serial`] with the traits of `embedded-io`, and [`AsyncSerial`] for
//!   tasks;
//! - the PD `serial`, which drives the port. Its binary is `serial`, and a system file names the
//!   binary `serial.elf`. The PD prints whole lines, so the lines of different clients do not mix.
//!
//! A client shares a queue of bytes with the driver, and a second queue if the client reads. A
//! notification reports that a queue has bytes, or has room again. The driver does not trust its
//! clients: a client that breaks its queue loses only its own output.
//!
//! # Which serial port
//!
//! The PD drives an Arm PL011 UART with a 24 MHz clock, at 115200 baud and 8N1, by its interrupt.
//! QEMU's `virt` machine has this UART at physical address `0x900_0000` with interrupt 33. The
//! kernel of the configuration `debug` prints on the same UART. A system has either this PD or
//! `console` of `microkit-console`, because only one PD can map the UART.
//!
//! # The dependency
//!
//! In the `Cargo.toml` of the package with the system file:
//!
//! ```toml
//! [dependencies]
//! microkit-serial = { path = "../sel4-microkit-rs/crates/drivers/serial" }
//! ```
//!
//! `cargo microkit` then builds `serial.elf`, the program of the PD, from this dependency.
//!
//! # The system file
//!
//! An example with one client, which also reads:
//!
//! ```xml
//! <memory_region name="uart" size="0x1000" phys_addr="0x9000000" />
//! <memory_region name="output_1" size="0x1000" />
//! <memory_region name="input" size="0x1000" />
//!
//! <protection_domain name="serial" priority="200" stack_size="0x4000">
//!     <program_image path="serial.elf" />
//!     <map mr="uart" vaddr="0x2000000" perms="rw" cached="false"
//!          setvar_vaddr="uart" setvar_size="uart_size" />
//!     <map mr="output_1" vaddr="0x4001000" perms="rw"
//!          setvar_vaddr="output_1" setvar_size="output_1_size" />
//!     <map mr="input" vaddr="0x4010000" perms="rw"
//!          setvar_vaddr="input" setvar_size="input_size" />
//!     <irq irq="33" id="0" />
//! </protection_domain>
//!
//! <protection_domain name="shell" priority="100">
//!     <program_image path="shell.elf" />
//!     <map mr="output_1" vaddr="0x4000000" perms="rw"
//!          setvar_vaddr="output" setvar_size="output_size" />
//!     <map mr="input" vaddr="0x4010000" perms="rw"
//!          setvar_vaddr="input" setvar_size="input_size" />
//! </protection_domain>
//!
//! <channel>
//!     <end pd="serial" id="1" />
//!     <end pd="shell" id="1" />
//! </channel>
//! ```
//!
//! - The interrupt has the `id` 0 at the driver.
//! - Up to four clients have the `id`s 1 to 4 at the driver. The driver maps the output queue of
//!   client *N* with the symbols `output_N` and `output_N_size`. The driver does not serve a client
//!   whose output queue is not mapped.
//! - The client with the `id` 1 at the driver may read. The input queue of this client has the
//!   symbols `input` and `input_size` at the driver. Without an input queue, received bytes are
//!   dropped.
//! - Both PDs map a queue with `perms="rw"`, because each end writes its own position. The names of
//!   the symbols and the `id`s at the client are the client's own choice.
//! - The PDs can have any priorities. A client with a higher priority than the driver fills its
//!   queue before the driver takes a byte.
//!
//! # A client
//!
//! ```no_run
//! #![no_std]
//! #![no_main]
//!
//! use embedded_io::{Read, Write};
//! use microkit_serial::Serial;
//! use sel4_microkit::{Channel, NullHandler, SharedWord, protection_domain, shared_words};
//!
//! #[protection_domain]
//! fn init() -> NullHandler {
//!     let mut serial = Serial::new(
//!         Channel::new(1),
//!         shared_words!(output, output_size, SharedWord),
//!     )
//!     .with_input(shared_words!(input, input_size, SharedWord));
//!     let mut typed = [0; 64];
//!     let count = serial.read(&mut typed).expect("the driver keeps to its queue");
//!     writeln!(serial, "{count} bytes").expect("the driver keeps to its queue");
//!     NullHandler::new()
//! }
//! ```
//!
//! Blocking methods wait for the driver's notification, and the whole PD waits. So these methods
//! are for PDs that no other PD calls. In a PD with tasks, [`AsyncSerial`] blocks only one task.
//!
//! # Features
//!
//! | feature | adds |
//! | --- | --- |
//! | `async` | [`AsyncSerial`], with the traits of `embedded-io-async`, for tasks of `microkit-async` |
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "async")]
mod for_tasks;

#[cfg(feature = "async")]
pub use for_tasks::AsyncSerial;

use core::fmt;
use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use microkit_shared_memory::{Broken, ByteConsumer, ByteProducer};
use sel4_microkit::ipc;
use sel4_microkit::{Channel, ChannelSet, SharedWord};

/// The largest length of a line in bytes. A longer line is printed as several lines.
pub const LINE_BYTES: usize = 256;

/// The client's end of the serial port, which writes lines and reads received bytes.
///
/// This type implements the traits of `embedded-io`. The driver prints a line after the client has
/// written the line end.
#[derive(Debug)]
pub struct Serial {
    driver: Channel,
    output: ByteProducer,
    input: Option<ByteConsumer>,
    missed: ChannelSet,
    waits: u32,
}

impl Serial {
    /// Creates a client that writes, with the output queue in `output`.
    ///
    /// **Rights:** a channel to the driver, and a `<map>` with `rw` of the region that the driver
    /// maps as `output_N` for its channel *N*.
    ///
    /// # Panics
    ///
    /// Panics if the region has fewer than 25 words.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use embedded_io::Write;
    /// use microkit_serial::Serial;
    /// use sel4_microkit::{Channel, SharedWord, shared_words};
    ///
    /// # fn print() -> Result<(), microkit_serial::Error> {
    /// let output = shared_words!(output, output_size, SharedWord);
    /// let mut serial = Serial::new(Channel::new(1), output);
    /// serial.write_all(b"hello\n")?;
    /// serial.flush()
    /// # }
    /// ```
    pub fn new(driver: Channel, output: &'static [SharedWord]) -> Self {
        Self {
            driver,
            output: ByteProducer::new(output),
            input: None,
            missed: ChannelSet::default(),
            waits: 0,
        }
    }

    /// Adds the input queue in `input`, so that the client can read.
    ///
    /// **Rights:** a `<map>` with `rw` of the region that the driver maps as `input`, and a channel
    /// whose `id` is 1 at the driver.
    ///
    /// # Panics
    ///
    /// Panics if the region has fewer than 25 words.
    pub fn with_input(self, input: &'static [SharedWord]) -> Self {
        Self {
            input: Some(ByteConsumer::new(input)),
            ..self
        }
    }

    /// Takes the channels that were notified while this client waited for the driver.
    ///
    /// Handle these channels as in [`Handler::notified`](sel4_microkit::Handler::notified): the
    /// event loop does not deliver these notifications again.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use sel4_microkit::{ChannelSet, Handler, Infallible};
    /// # struct Shell { serial: microkit_serial::Serial }
    /// # impl Handler for Shell {
    /// #     type Error = Infallible;
    /// fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
    ///     // … write and read …
    ///     let missed = self.serial.take_missed();
    ///     if !missed.is_empty() {
    ///         self.notified(missed)?;
    ///     }
    ///     Ok(())
    /// }
    /// # }
    /// ```
    pub fn take_missed(&mut self) -> ChannelSet {
        core::mem::take(&mut self.missed)
    }

    /// Returns the number of times that this client has waited for the driver.
    pub fn waits(&self) -> u32 {
        self.waits
    }

    /// Waits for the driver's next notification.
    fn wait(&mut self) {
        self.waits += 1;
        ipc::wait_for(self.driver, &mut self.missed);
    }
}

/// The error of a write or a read.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Error {
    /// The driver has written an impossible position to a queue. This error is permanent: restart
    /// the system.
    Broken,
    /// The client was created without [`with_input`](Serial::with_input).
    NoInput,
}

impl From<Broken> for Error {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => write!(f, "the serial driver: {Broken}"),
            Self::NoInput => f.write_str(
                "this client of the serial driver has no input queue: add it with `with_input`",
            ),
        }
    }
}

impl core::error::Error for Error {}

impl embedded_io::Error for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Broken => ErrorKind::InvalidData,
            Self::NoInput => ErrorKind::Unsupported,
        }
    }
}

impl ErrorType for Serial {
    type Error = Error;
}

impl Write for Serial {
    /// Writes as many bytes as fit into the queue. Waits until at least one byte fits.
    ///
    /// The driver is notified at the end of a line, or when the queue is full. The driver does not
    /// print an incomplete line.
    ///
    /// **Blocking:** while the queue is full. Notifications of other channels are kept for
    /// [`take_missed`](Serial::take_missed). **Rights:** a PD that no other PD calls and that has
    /// no children.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Broken`] if the driver has broken the queue.
    ///
    /// # Panics
    ///
    /// Panics inside a borrow of the message registers.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        loop {
            let count = self.output.put(bytes)?;
            if bytes[..count].contains(&b'\n') || count < bytes.len() {
                self.driver.notify();
            }
            if count > 0 || bytes.is_empty() {
                return Ok(count);
            }
            if self.output.ask_for_room()? == self.output.capacity_bytes() {
                self.wait();
            }
        }
    }

    /// Waits until the driver has taken all bytes.
    ///
    /// **Blocking:** until the queue is empty. The errors and panics are the same as in
    /// [`write`](Self::write).
    fn flush(&mut self) -> Result<(), Error> {
        self.driver.notify();
        while self.output.ask_for_room()? > 0 {
            self.wait();
        }
        Ok(())
    }
}

impl WriteReady for Serial {
    fn write_ready(&mut self) -> Result<bool, Error> {
        Ok(self.output.room_bytes()? > 0)
    }
}

impl Read for Serial {
    /// Reads received bytes. Waits until at least one byte is received.
    ///
    /// **Blocking:** until a byte is received. The panics are the same as in
    /// [`write`](Self::write).
    ///
    /// # Errors
    ///
    /// Returns [`Error::NoInput`] if the client has no input queue, and [`Error::Broken`] if the
    /// driver has broken the queue.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        loop {
            let input = self.input.as_mut().ok_or(Error::NoInput)?;
            let count = input.take(buffer)?;
            if count > 0 || buffer.is_empty() {
                if input.was_asked_for_room() {
                    self.driver.notify();
                }
                return Ok(count);
            }
            self.wait();
        }
    }
}

impl ReadReady for Serial {
    fn read_ready(&mut self) -> Result<bool, Error> {
        let input = self.input.as_ref().ok_or(Error::NoInput)?;
        Ok(input.filled_bytes()? > 0)
    }
}
