//! Says what is typed: reads and writes the serial port in a task, by the traits of
//! `embedded-io-async`. Reads that take too long are given up and begun again, and lose nothing.
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

/// Bytes of a line that are kept.
const LINE_BYTES: usize = 100;

/// How long a read is waited for, before it is begun again.
const PATIENCE: Duration = Duration::from_millis(2);

static MEMORY: TaskMemory<4096> = TaskMemory::new();

waits! {
    in init { call TIMER; }
    in notified { call TIMER; }
}

#[protection_domain]
fn init() -> impl Handler {
    let tasks = Tasks::new(&MEMORY).with_alarm(TIMER, Timer::new(TIMER));
    let listener = Listener::new(SERIAL).expect("nobody else listens");
    let serial = AsyncSerial::new(listener, shared_words!(output, output_size, SharedWord))
        .with_input(shared_words!(input, input_size, SharedWord));
    tasks
        .spawner()
        .spawn(0, runs(serial))
        .expect("there is room");
    tasks
}

async fn runs(mut serial: AsyncSerial) {
    if let Err(error) = echoes(&mut serial).await {
        debug_println!("serial-echo: {error}");
    }
}

/// Says each line that was typed. A terminal ends lines with a carriage return.
async fn echoes<S: Read<Error = Error> + Write>(serial: &mut S) -> Result<(), Error> {
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
