//! The client's end for tasks, of which only one waits, and not the whole protection domain.

use embedded_io_async::{ErrorType, Read, Write};
use microkit_async::Listener;
use microkit_shared_memory::{ByteConsumer, ByteProducer};
use sel4_microkit::SharedWord;

use crate::Error;

/// As [`Serial`](crate::Serial), for a task.
#[derive(Debug)]
pub struct AsyncSerial {
    driver: Listener,
    output: ByteProducer,
    input: Option<ByteConsumer>,
}

impl AsyncSerial {
    /// A client that writes.
    ///
    /// **Needs:** as [`Serial::new`](crate::Serial::new).
    pub fn new(driver: Listener, output: &'static [SharedWord]) -> Self {
        Self {
            driver,
            output: ByteProducer::new(output),
            input: None,
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
}

impl ErrorType for AsyncSerial {
    type Error = Error;
}

impl Write for AsyncSerial {
    /// **Cancel safety:** bytes are put in the moment in which this returns. Dropped before, it has put
    /// nothing.
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        loop {
            let count = self.output.put(bytes)?;
            // Of half a line the driver can make nothing yet.
            if bytes[..count].contains(&b'\n') || count < bytes.len() {
                self.driver.channel().notify();
            }
            if count > 0 || bytes.is_empty() {
                return Ok(count);
            }
            if self.output.ask_for_room()? == self.output.capacity_bytes() {
                self.driver.notified().await;
            }
        }
    }

    /// Waits until the driver has taken all that was written.
    ///
    /// **Cancel safety:** it changes nothing, and can be called again.
    async fn flush(&mut self) -> Result<(), Error> {
        self.driver.channel().notify();
        while self.output.ask_for_room()? > 0 {
            self.driver.notified().await;
        }
        Ok(())
    }
}

impl Read for AsyncSerial {
    /// **Cancel safety:** bytes are taken in the moment in which this returns. Dropped before, it has
    /// taken nothing.
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        loop {
            let input = self.input.as_mut().ok_or(Error::NoInput)?;
            let count = input.take(buffer)?;
            if count > 0 || buffer.is_empty() {
                if input.was_asked_for_room() {
                    self.driver.channel().notify();
                }
                return Ok(count);
            }
            self.driver.notified().await;
        }
    }
}
