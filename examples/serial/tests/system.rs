//! Runs the driver and its clients on the host. There the port is plain memory: the driver reads
//! the values that the test wrote to registers. If the driver sends several bytes, the test can see
//! only the last byte.

use core::sync::atomic::Ordering;

use embedded_io::Write;
use microkit_serial::Serial;
use microkit_test::{Explorer, Run, System};
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, SharedWord, debug_println, shared_words,
};

use clients::Clients;

#[path = "../../../crates/drivers/serial/src/client.rs"]
#[allow(clippy::duplicate_mod)] // The driver's own module is private to it.
mod clients;
#[path = "../../../crates/drivers/serial/src/main.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod driver;
#[path = "../src/bin/serial-hostile.rs"]
#[allow(unused_attributes)]
mod hostile;
#[path = "../src/bin/serial-reader.rs"]
#[allow(unused_attributes)]
mod reader;
#[path = "../src/bin/serial-writer.rs"]
#[allow(unused_attributes)]
mod writer;

const FILE: &str = include_str!("../../../microkit-systems/serial.system");

const DRIVER: Channel = Channel::new(1);

/// The indexes of registers in words of eight bytes. A register is the lower half of its word (DDI
/// 0183, *Summary of registers*).
mod register {
    pub(super) const DATA: usize = 0;
    pub(super) const FLAGS: usize = 0x18 / 8;
    pub(super) const MASKS: usize = 0x38 / 8;
    pub(super) const STATUS: usize = 0x40 / 8;
}

/// The flag for an empty receive FIFO.
const RECEIVED_NOTHING: u64 = 1 << 4;

// The interrupts in the mask and status registers.

/// A byte was received.
const RECEIVED: u64 = 1 << 4;
/// The port has room to send.
const SENT: u64 = 1 << 5;

fn write(run: &Run, register: usize, value: u64) {
    run.device("serial", "uart").write(register, value);
}

/// Reads the lower half of a word.
fn read(run: &Run, register: usize) -> u64 {
    run.device("serial", "uart").read(register) & 0xffff_ffff
}

/// Runs the system and makes the port send everything. Returns the visible bytes: the last byte of
/// each full FIFO of sixteen bytes, and the very last byte.
fn sent(run: &mut Run) -> Vec<u8> {
    let mut seen = Vec::new();
    loop {
        run.until_idle();
        seen.push(read(run, register::DATA) as u8);
        if read(run, register::MASKS) & SENT == 0 {
            return seen;
        }
        write(run, register::STATUS, SENT);
        run.raise_irq("serial", 0);
    }
}

/// Returns the visible bytes among `bytes`.
fn seen(bytes: &[u8]) -> Vec<u8> {
    let last = bytes.last();
    bytes
        .iter()
        .skip(15)
        .step_by(16)
        .chain(last)
        .copied()
        .collect()
}

/// The maximum number of bytes in a queue.
const QUEUE_BYTES: usize = 0x1000;

/// Returns lines of different lengths.
fn lines(name: &str, count: usize) -> Vec<String> {
    let line = |index: usize| format!("{name} {index} {}", "abcdefghijklm".repeat(index % 9));
    (0..count).map(line).collect()
}

/// A writer that has printed everything. The writer ignores notifications that there is room.
struct Writer;

impl Handler for Writer {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Prints this many lines.
fn print_lines(name: &'static str, count: usize) -> Writer {
    let mut serial = Serial::new(DRIVER, shared_words!(output, output_size, SharedWord));
    for line in lines(name, count) {
        writeln!(serial, "{line}").expect("the driver follows the protocol of the queue");
    }
    serial
        .flush()
        .expect("the driver follows the protocol of the queue");
    debug_println!("{name} is done, and has waited: {}", serial.waits() > 0);
    Writer
}

/// Returns a system in which `above` and `below` print this many lines.
fn system(above: usize, below: usize) -> System {
    System::parse("serial.system", FILE)
        .unwrap()
        .program("serial.elf", driver::protection_domain)
        .program("serial-reader.elf", reader::protection_domain)
        .program("serial-hostile.elf", hostile::protection_domain)
        .protection_domain("above", move || print_lines("above", above))
        .protection_domain("below", move || print_lines("below", below))
}

fn start(system: &System) -> Run {
    let run = system.start();
    write(&run, register::FLAGS, RECEIVED_NOTHING);
    run
}

/// `above` has a higher priority than the driver, so the queue holds all bytes before the driver
/// takes a byte. Therefore the driver fills the FIFO of sixteen bytes each time.
#[test]
fn all_bytes_are_sent_although_another_client_is_hostile() {
    const LINES: usize = 50;
    let system = system(LINES, 0);
    let mut run = start(&system);
    let bytes: Vec<u8> = lines("above", LINES)
        .iter()
        .flat_map(|line| [line.as_bytes(), b"\r\n"].concat())
        .collect();
    assert!((2000..QUEUE_BYTES).contains(&bytes.len()));
    assert_eq!(sent(&mut run), seen(&bytes));
}

/// Makes the port receive a byte, and runs the system until it is idle.
fn types(run: &mut Run, byte: u8) {
    let input = run.region("serial", "input");
    let put = || input[0].load(Ordering::Relaxed);
    let before = put();
    write(run, register::DATA, byte.into());
    write(run, register::FLAGS, 0);
    write(run, register::STATUS, RECEIVED);
    run.raise_irq("serial", 0);
    while put() == before {
        assert!(run.step(), "the driver takes the received byte");
    }
    // The driver checks for room in one step, and reads the flags again in the next step.
    write(run, register::FLAGS, RECEIVED_NOTHING);
    run.until_idle();
}

#[test]
fn typed_lines_reach_the_reader() {
    let system = system(0, 0);
    let mut run = start(&system);
    sent(&mut run);
    for (typed, answer) in [
        (&b"hello\r"[..], "5 characters: hello"),
        ("Grüße\r".as_bytes(), "5 characters: Grüße"),
        (b"\r", "0 characters: "),
        (b"\xff\r", "1 bytes that are not UTF-8"),
    ] {
        let output = run.region("reader", "output");
        let before = output[0].load(Ordering::Relaxed) as usize;
        typed.iter().for_each(|byte| types(&mut run, *byte));
        sent(&mut run);
        let put = output[0].load(Ordering::Relaxed) as usize;
        // The bytes start after three cache lines (`microkit_shared_memory::ByteProducer`).
        let bytes: Vec<u8> = output[3 * 8..]
            .iter()
            .flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes())
            .collect();
        assert_eq!(
            String::from_utf8_lossy(&bytes[before..put]),
            format!("{answer}\n")
        );
        assert_eq!(read(&run, register::DATA) as u8, b'\n');
        assert_eq!(read(&run, register::MASKS), RECEIVED | 1 << 6);
    }
}

/// Replaces the driver: prints the output of all clients, without the port.
struct Prints(Clients<4>);

fn without_port() -> Prints {
    let mut clients = Clients::new();
    let outputs = [
        shared_words!(output_1, output_1_size, SharedWord),
        shared_words!(output_2, output_2_size, SharedWord),
        shared_words!(output_3, output_3_size, SharedWord),
        shared_words!(output_4, output_4_size, SharedWord),
    ];
    for (place, output) in outputs.into_iter().enumerate() {
        clients.add(place, Channel::new(1 + place), output);
    }
    Prints(clients)
}

impl Handler for Prints {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        let bytes: Vec<u8> = core::iter::from_fn(|| self.0.next_byte()).collect();
        let text = String::from_utf8_lossy(&bytes);
        text.lines().for_each(|line| debug_println!("{line}"));
        Ok(())
    }
}

/// Returns the lines of the log that one client printed.
fn printed<'a>(log: &'a str, name: &str) -> Vec<&'a str> {
    let lines = log.lines().filter(|line| line.starts_with(name));
    lines.filter(|line| !line.contains("is done")).collect()
}

#[test]
fn a_client_that_prints_more_than_its_queue_holds_waits_and_loses_nothing() {
    const LINES: usize = 150;
    let lines_of = |name| lines(name, LINES);
    assert!(lines_of("above").concat().len() > 2 * QUEUE_BYTES);
    let mut run = system(LINES, LINES)
        .program("serial.elf", without_port)
        .start();
    run.until_idle();
    let log = run.log();
    for name in ["above", "below"] {
        assert_eq!(printed(&log, name), lines_of(name));
    }
    assert!(log.contains("above is done, and has waited: true"), "{log}");
}

/// The writer's port and logger are statics, which exist only once in the test process. So only
/// this test runs the writer, and runs it only once.
#[test]
fn the_writer_logs_on_request_that_it_had_to_wait() {
    let mut run = system(0, 0)
        .program("serial.elf", without_port)
        .protection_domain("above", writer::protection_domain)
        .protection_domain("below", asked)
        .start();
    run.until_idle();
    let log = run.log();
    let lines = printed(&log, "above ");
    assert_eq!(lines.len(), 21, "{log}");
    for (number, line) in (1..).zip(&lines[..20]) {
        assert!(
            line.starts_with(&format!("above {number:02} abc")),
            "{line}"
        );
        assert_eq!(line.len(), 239);
    }
    assert_eq!(lines[20], "above INFO system::writer: had to wait: true");
    // The reader asked `above`, then `below`, and continued after both answers.
    assert!(log.contains("below was asked"), "{log}");
    assert!(log.ends_with("now type\n"), "{log}");
}

/// A writer without output.
struct Asked;

const READER: Channel = Channel::new(2);

fn asked() -> Asked {
    READER.notify();
    Asked
}

impl Handler for Asked {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(READER) {
            debug_println!("below was asked");
            READER.notify();
        }
        Ok(())
    }
}

/// Each access to a queue is a step, so there are too many schedules to explore all of them. This
/// test explores a part.
#[test]
fn lines_stay_whole_and_in_order_whoever_runs_first() {
    const LINES: usize = 3;
    let system = system(LINES, LINES).program("serial.elf", without_port);
    let explored = Explorer::new(&system)
        .max_runs(20)
        .samples(40, 1)
        .max_steps(1_000_000)
        .check(|run| {
            for name in ["above", "below"] {
                assert_eq!(printed(&run.log(), name), lines(name, LINES));
            }
        });
    println!("{explored}");
}
