//! Printing and reading through the `serial` protection domain (PD), which drives the board's
//! serial port.
//!
//! A client shares a queue of bytes with the driver, and another if it reads; a notification says
//! that there is something in one, or room again. Lines of several clients do not mix: the driver
//! takes them whole.
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

/// Bytes of a line that are kept together; a longer one goes out as several.
pub const LINE_BYTES: usize = 256;

/// A client's end: what it writes is printed, line by line, and what it reads was typed.
///
/// An unfinished line is not printed before its end comes.
#[derive(Debug)]
pub struct Serial {
    driver: Channel,
    output: ByteProducer,
    input: Option<ByteConsumer>,
    missed: ChannelSet,
    waits: u32,
}

impl Serial {
    /// A client that writes.
    ///
    /// **Needs:** a channel to the driver, and the region that the driver calls `output_N` on its
    /// channel *N*.
    pub fn new(driver: Channel, output: &'static [SharedWord]) -> Self {
        Self {
            driver,
            output: ByteProducer::new(output),
            input: None,
            missed: ChannelSet::default(),
            waits: 0,
        }
    }

    /// Lets the client read too.
    ///
    /// **Needs:** the region that the driver calls `input`.
    pub fn with_input(self, input: &'static [SharedWord]) -> Self {
        Self {
            input: Some(ByteConsumer::new(input)),
            ..self
        }
    }

    /// The channels that were notified while this waited for its own, to be handled as those that
    /// [`Handler::notified`](sel4_microkit::Handler::notified) is given.
    pub fn take_missed(&mut self) -> ChannelSet {
        core::mem::take(&mut self.missed)
    }

    /// How often this has waited.
    pub fn waits(&self) -> u32 {
        self.waits
    }

    /// Waits for the driver's next notification.
    fn wait(&mut self) {
        self.waits += 1;
        ipc::wait_for(self.driver, &mut self.missed);
    }
}

/// Why nothing can be written or read any more.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Error {
    /// The driver's end of a queue is broken.
    Broken,
    /// The client has no input.
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
            Self::NoInput => f.write_str("this client of the serial driver was given no input"),
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
    /// **Blocks:** while the queue is full. What is notified meanwhile is for
    /// [`take_missed`](Serial::take_missed).
    /// **Needs:** a PD that nobody calls and that has no children.
    /// **Panics:** if it is called while it waits, and inside a borrow of the message registers.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        loop {
            let count = self.output.put(bytes)?;
            // Of half a line the driver can make nothing yet.
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

    /// Waits until the driver has taken all that was written.
    ///
    /// **Blocks and panics:** as [`write`](Self::write).
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
    /// **Blocks:** until something is typed; otherwise as [`write`](Self::write).
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
