//! Waits until both writers have printed everything, and asks each writer whether it had to wait.
//! Then reads lines, and prints each line with its length.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use embedded_io::{Read, ReadReady, Write, WriteFmtError};
use heapless::Vec;
use microkit_serial::Serial;
use sel4_microkit::{Channel, ChannelSet, Handler, SharedWord, protection_domain, shared_words};

const DRIVER: Channel = Channel::new(1);

const WRITERS: [Channel; 2] = [Channel::new(2), Channel::new(3)];

/// The maximum number of bytes that are kept of a line.
const LINE_BYTES: usize = 100;

struct Reader {
    serial: Serial,
    line: Vec<u8, LINE_BYTES>,
    progress: Progress,
}

/// The event for which the reader waits.
#[derive(Copy, Clone)]
enum Progress {
    /// The end of both writers. An entry is true if that writer has printed everything.
    Done([bool; WRITERS.len()]),
    /// The answer of this writer.
    Asked(usize),
    /// Typed lines.
    Typed,
}

#[protection_domain]
fn init() -> Reader {
    let output = shared_words!(output, output_size, SharedWord);
    let input = shared_words!(input, input_size, SharedWord);
    Reader {
        serial: Serial::new(DRIVER, output).with_input(input),
        line: Vec::new(),
        progress: Progress::Done([false; WRITERS.len()]),
    }
}

impl Handler for Reader {
    type Error = WriteFmtError<microkit_serial::Error>;

    fn notified(&mut self, mut channels: ChannelSet) -> Result<(), Self::Error> {
        while !channels.is_empty() {
            for (index, writer) in WRITERS.into_iter().enumerate() {
                if channels.contains(writer) {
                    self.heard(index)?;
                }
            }
            while self.serial.read_ready().map_err(WriteFmtError::Other)? {
                let mut byte = [0];
                self.serial.read(&mut byte).map_err(WriteFmtError::Other)?;
                self.take(byte[0])?;
            }
            channels = self.serial.take_missed();
        }
        Ok(())
    }
}

impl Reader {
    /// Handles a notification from a writer.
    fn heard(&mut self, index: usize) -> Result<(), WriteFmtError<microkit_serial::Error>> {
        self.progress = match self.progress {
            Progress::Done(mut done) => {
                done[index] = true;
                if done == [true; WRITERS.len()] {
                    WRITERS[0].notify();
                    Progress::Asked(0)
                } else {
                    Progress::Done(done)
                }
            }
            Progress::Asked(asked) => match WRITERS.get(asked + 1) {
                Some(next) => {
                    next.notify();
                    Progress::Asked(asked + 1)
                }
                None => {
                    writeln!(self.serial, "now type")?;
                    Progress::Typed
                }
            },
            Progress::Typed => Progress::Typed,
        };
        Ok(())
    }

    /// Handles a typed byte. A terminal ends a line with a carriage return.
    fn take(&mut self, byte: u8) -> Result<(), WriteFmtError<microkit_serial::Error>> {
        if byte != b'\r' {
            self.line.push(byte).ok();
            return Ok(());
        }
        let line = core::mem::take(&mut self.line);
        match core::str::from_utf8(&line) {
            Ok(text) => writeln!(self.serial, "{} characters: {text}", text.chars().count()),
            Err(_) => writeln!(self.serial, "{} bytes that are not UTF-8", line.len()),
        }
    }
}
