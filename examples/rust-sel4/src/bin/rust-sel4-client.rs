//! Sends a word to the server in a call, and prints the reply. At a notification of the server, it
//! sends the next word. All names are names of rust-sel4's `sel4-microkit`.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, debug_println, protection_domain,
    with_msg_bytes, with_msg_bytes_mut,
};

const SERVER: Channel = Channel::new(0);

const WORDS: [&str; 3] = ["hello", "rust-sel4", "microkit"];

/// The most bytes of a word.
const WORD_BYTES: usize = 16;

struct Client {
    next: usize,
}

#[protection_domain]
fn init() -> Client {
    debug_println!("client: ready");
    let mut client = Client { next: 0 };
    client.send();
    client
}

impl Client {
    fn send(&mut self) {
        let Some(word) = WORDS.get(self.next) else {
            debug_println!("client: done");
            return;
        };
        self.next += 1;
        let length = word.len();
        with_msg_bytes_mut(|bytes| bytes[..length].copy_from_slice(word.as_bytes()));
        // A call inside one of the two closures would panic. The kernel writes to the message
        // registers during a call, and the closure has borrowed them.
        let reply = SERVER.pp_call(MessageInfo::new(length as u64, length.div_ceil(8)));
        assert_eq!(reply.label(), 0, "the server takes words");
        let mut answer = [0; WORD_BYTES];
        with_msg_bytes(|bytes| answer[..length].copy_from_slice(&bytes[..length]));
        let answer = core::str::from_utf8(&answer[..length]).unwrap_or("?");
        debug_println!("client: {word} is {answer}");
    }
}

impl Handler for Client {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(SERVER) {
            self.send();
        }
        Ok(())
    }
}
