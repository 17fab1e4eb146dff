//! Runs the echo on the host. A test driver sends input, and a test timer ends a few reads early.

use std::string::String;
use std::vec::Vec;

use microkit_shared_memory::{ByteConsumer, ByteProducer};
use microkit_test::{Explorer, System};
use microkit_timer::{reply, request};
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, SharedWord, debug_print, get_mr, set_mr,
    shared_words,
};

#[path = "../src/bin/serial-echo.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod echo;

const FILE: &str = include_str!("../../../microkit-systems/serial-echo.system");

const ECHO: Channel = Channel::new(1);

const TYPED: &[u8] = "hello\rGrüße, and more than the sixteen bytes of a read\r\r".as_bytes();

const SAID: &str = "now type\nyou said: hello\n\
                    you said: Grüße, and more than the sixteen bytes of a read\nyou said: \n";

/// Replaces the driver. Sends the first bytes at once and the other bytes after the first output.
/// Prints the output.
struct Port {
    output: ByteConsumer,
    input: ByteProducer,
    typed: usize,
}

fn port() -> Port {
    let mut port = Port {
        output: ByteConsumer::new(shared_words!(output_1, output_1_size, SharedWord)),
        input: ByteProducer::new(shared_words!(input, input_size, SharedWord)),
        typed: 0,
    };
    port.type_bytes(8);
    port
}

impl Port {
    fn type_bytes(&mut self, at_most: usize) {
        let rest = &TYPED[self.typed..];
        let some = &rest[..rest.len().min(at_most)];
        if !some.is_empty() {
            self.typed += self
                .input
                .put(some)
                .expect("the echo follows the protocol of the queue");
            ECHO.notify();
        }
    }
}

impl Handler for Port {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        let next = || {
            self.output
                .take_byte()
                .expect("the echo follows the protocol of the queue")
        };
        let bytes: Vec<u8> = core::iter::from_fn(next).collect();
        debug_print!("{}", String::from_utf8_lossy(&bytes));
        self.type_bytes(usize::MAX);
        Ok(())
    }
}

/// Replaces the driver of the timer. The first `left` time-outs expire as soon as they are set. The
/// others never expire.
struct Patience {
    now_ns: u64,
    left: usize,
}

impl Handler for Patience {
    type Error = Infallible;

    fn protected(&mut self, client: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        if info.label() == request::SET && self.left > 0 {
            self.left -= 1;
            self.now_ns = self.now_ns.max(get_mr(0));
            client.notify();
        }
        set_mr(0, self.now_ns);
        Ok(MessageInfo::new(reply::DONE, 1))
    }
}

fn system(times: usize) -> System {
    System::parse("serial-echo.system", FILE)
        .unwrap()
        .program("serial.elf", port)
        .program("timer.elf", move || Patience {
            now_ns: 0,
            left: times,
        })
        .program("serial-echo.elf", echo::protection_domain)
}

#[test]
fn the_echo_is_complete_however_often_a_read_is_cancelled() {
    for times in [0, 1, 2, 10] {
        let mut run = system(times).start();
        run.until_idle();
        // The driver was notified at each whole line. So the log contains the complete output.
        assert_eq!(run.log(), SAID, "{times}");
    }
}

/// Each access to a queue is a step, so there are too many schedules to explore all of them. This
/// test explores a part.
#[test]
fn no_byte_is_lost_or_echoed_twice_whoever_runs_first() {
    let system = system(2);
    let explored = Explorer::new(&system)
        .max_runs(30)
        .samples(30, 1)
        .max_steps(1_000_000)
        .check(|run| assert_eq!(run.log(), SAID));
    println!("{explored}");
}
