//! The client's end for tasks. While a task waits for the driver, the other tasks of the PD run.

use embedded_io_async::{ErrorType, Read, Write};
use microkit_async::Listener;
use microkit_shared_memory::{ByteConsumer, ByteProducer};
use sel4_microkit::SharedWord;

use crate::Error;

/// The client's end of the serial port for a task, with the traits of `embedded-io-async`.
///
/// # Examples
///
/// ```no_run
/// use embedded_io_async::Write;
/// use microkit_async::Listener;
/// use microkit_serial::AsyncSerial;
/// use sel4_microkit::{Channel, SharedWord, shared_words};
///
/// async fn print() -> Result<(), microkit_serial::Error> {
///     let driver = Listener::new(Channel::new(1)).expect("no other task listens to the driver");
///     let output = shared_words!(output, output_size, SharedWord);
///     let mut serial = AsyncSerial::new(driver, output);
///     serial.write_all(b"hello\n").await?;
///     serial.flush().await
/// }
/// ```
#[derive(Debug)]
pub struct AsyncSerial {
    driver: Listener,
    output: ByteProducer,
    input: Option<ByteConsumer>,
}

impl AsyncSerial {
    /// Creates a client that writes, with the output queue in `output`.
    ///
    /// **Rights:** the rights of [`Serial::new`](crate::Serial::new).
    ///
    /// # Panics
    ///
    /// Panics if the region has fewer than 25 words.
    pub fn new(driver: Listener, output: &'static [SharedWord]) -> Self {
        Self {
            driver,
            output: ByteProducer::new(output),
            input: None,
        }
    }

    /// Adds the input queue in `input`, so that the client can read.
    ///
    /// **Rights:** the rights of [`Serial::with_input`](crate::Serial::with_input).
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
}

impl ErrorType for AsyncSerial {
    type Error = Error;
}

impl Write for AsyncSerial {
    /// Writes as many bytes as fit into the queue. Waits until at least one byte fits.
    ///
    /// **Cancel safety:** a future that is dropped before it returns has written nothing.
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        loop {
            let count = self.output.put(bytes)?;
            // The driver does not print an incomplete line, so the driver needs no notification
            // before the line end.
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

    /// Waits until the driver has taken all bytes.
    ///
    /// **Cancel safety:** a dropped future has changed nothing. The caller can call the method
    /// again.
    async fn flush(&mut self) -> Result<(), Error> {
        self.driver.channel().notify();
        while self.output.ask_for_room()? > 0 {
            self.driver.notified().await;
        }
        Ok(())
    }
}

impl Read for AsyncSerial {
    /// Reads received bytes. Waits until at least one byte is received.
    ///
    /// **Cancel safety:** a future that is dropped before it returns has read nothing.
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
