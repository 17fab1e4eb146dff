//! Prints more than its queue to the `serial` protection domain holds, then says whether it had to
//! wait.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use embedded_io::Write;
use sel4_microkit::{Channel, ChannelSet, Handler, pd_name, protection_domain, shared_words};
use serial::Serial;

const DRIVER: Channel = Channel::new(1);

/// Who is told when all is printed, and asks whether that took waiting.
const READER: Channel = Channel::new(2);

const LINES: u32 = 20;

struct Writer {
    serial: Serial,
    name: &'static str,
}

#[protection_domain]
fn init() -> Writer {
    let name = pd_name().unwrap_or("?");
    let mut serial = Serial::new(DRIVER, shared_words!(output, output_size));
    // 230 characters.
    const TEXT: &str = concat!(
        "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ",
        "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ",
        "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ",
        "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ",
        "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ",
    );
    for line in 1..=LINES {
        writeln!(serial, "{name} {line:02} {TEXT}").expect("the driver is sound");
    }
    serial.flush().expect("the driver is sound");
    READER.notify();
    Writer { serial, name }
}

impl Handler for Writer {
    type Error = serial::Error;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), serial::Error> {
        // The driver's notifications say that there is room, which nobody waits for.
        if channels.contains(READER) {
            let has_waited = self.serial.waits() > 0;
            let name = self.name;
            writeln!(self.serial, "{name} had to wait: {has_waited}").expect("the driver is sound");
            self.serial.flush()?;
            READER.notify();
        }
        Ok(())
    }
}
