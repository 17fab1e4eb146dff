//! Prints more than the queue to the serial driver holds. Then logs whether the program had to wait
//! for room.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::cell::RefCell;
use core::fmt;
use critical_section::Mutex;
use embedded_io::Write;
use log::LevelFilter;
use microkit_serial::Serial;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, SharedWord, logging, pd_name, protection_domain,
    shared_words,
};

const DRIVER: Channel = Channel::new(1);

/// The reader. This program notifies the reader when everything is printed. Then the reader asks
/// whether the writer had to wait.
const READER: Channel = Channel::new(2);

const LINES: u32 = 20;

/// A text of 230 characters.
const TEXT: &str = concat!(
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ",
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ",
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ",
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ",
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ",
);

/// A static, so that the logger can reach it.
static SERIAL: Mutex<RefCell<Option<Serial>>> = Mutex::new(RefCell::new(None));

struct Writer;

#[protection_domain]
fn init() -> Writer {
    let serial = Serial::new(DRIVER, shared_words!(output, output_size, SharedWord));
    critical_section::with(|cs| SERIAL.borrow(cs).replace(Some(serial)));
    logging::init_with(print, LevelFilter::Info).expect("no other logger is set");
    log::debug!("below the level, so it is not printed");

    let name = pd_name().unwrap_or("?");
    for line in 1..=LINES {
        print(format_args!("{name} {line:02} {TEXT}\n"));
    }
    with_serial(|serial| {
        serial
            .flush()
            .expect("the driver follows the protocol of the queue")
    });
    READER.notify();
    Writer
}

impl Handler for Writer {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        // The driver also notifies when the queue has room again. No code waits for room here.
        if channels.contains(READER) {
            let has_waited = with_serial(|serial| serial.waits() > 0);
            log::info!("had to wait: {has_waited}");
            with_serial(|serial| {
                serial
                    .flush()
                    .expect("the driver follows the protocol of the queue")
            });
            READER.notify();
        }
        Ok(())
    }
}

fn print(arguments: fmt::Arguments<'_>) {
    with_serial(|serial| {
        serial
            .write_fmt(arguments)
            .expect("the driver follows the protocol of the queue")
    });
}

/// Calls `f` with the serial port. `f` may block inside the critical section, because the program
/// has only one thread.
fn with_serial<R>(f: impl FnOnce(&mut Serial) -> R) -> R {
    critical_section::with(|cs| {
        let mut serial = SERIAL.borrow_ref_mut(cs);
        f(serial
            .as_mut()
            .expect("it is set before anything is printed"))
    })
}
