//! Echoes each line that is typed on the serial port. A task reads and writes the port with the
//! traits of `embedded-io-async`. A read that takes too long is cancelled and started again. No
//! byte is lost.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use embassy_time::{Duration, with_timeout};
use embedded_io_async::{Read, Write};
use heapless::Vec;
use microkit_async::{Listener, TaskMemory, Tasks};
use microkit_serial::{AsyncSerial, Error};
use microkit_timer::Timer;
use sel4_microkit::{
    Channel, Handler, SharedWord, debug_println, protection_domain, shared_words, waits,
};

const SERIAL: Channel = Channel::new(1);
const TIMER: Channel = Channel::new(2);

/// The maximum number of bytes that are kept of a line.
const LINE_BYTES: usize = 100;

/// The time after which a read is cancelled and started again.
const PATIENCE: Duration = Duration::from_millis(2);

static MEMORY: TaskMemory<4096> = TaskMemory::new();

waits! {
    in init { call TIMER; }
    in notified { call TIMER; }
}

#[protection_domain]
fn init() -> impl Handler {
    let tasks = Tasks::new(&MEMORY).with_alarm(TIMER, Timer::new(TIMER));
    let listener = Listener::new(SERIAL).expect("no other listener has this channel");
    let serial = AsyncSerial::new(listener, shared_words!(output, output_size, SharedWord))
        .with_input(shared_words!(input, input_size, SharedWord));
    tasks
        .spawner()
        .spawn(0, run(serial))
        .expect("there is room");
    tasks
}

async fn run(mut serial: AsyncSerial) {
    if let Err(error) = echo(&mut serial).await {
        debug_println!("serial-echo: {error}");
    }
}

/// Echoes each line that is typed. A terminal ends a line with a carriage return.
async fn echo<S: Read<Error = Error> + Write>(serial: &mut S) -> Result<(), Error> {
    let mut line: Vec<u8, LINE_BYTES> = Vec::new();
    serial.write_all(b"now type\n").await?;
    loop {
        let mut bytes = [0; 16];
        let Ok(count) = with_timeout(PATIENCE, serial.read(&mut bytes)).await else {
            continue;
        };
        for byte in &bytes[..count?] {
            if *byte != b'\r' {
                line.push(*byte).ok();
                continue;
            }
            serial.write_all(b"you said: ").await?;
            serial.write_all(&line).await?;
            serial.write_all(b"\n").await?;
            line.clear();
        }
    }
}
