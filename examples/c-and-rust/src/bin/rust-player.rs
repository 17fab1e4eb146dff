//! A client in Rust of a server in C. The client calls with messages of every length up to 64
//! words, then notifies the server.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, panicking, protection_domain,
    with_msg_regs, with_msg_regs_mut,
};

const C_PLAYER: Channel = Channel::new(1);

const ROUNDS: u32 = 5;

struct Player {
    answers: u32,
}

#[protection_domain]
fn init() -> Player {
    panicking::set_hook(&microkit_console::panic_hook);
    let right = (0..=64).filter(|length| call(*length)).count();
    println!("rust-player: {right} calls to C returned the right words");
    C_PLAYER.notify();
    Player { answers: 0 }
}

/// Calls the server with `length` words. Returns whether each word of the reply is one more than
/// the word of the request.
fn call(length: usize) -> bool {
    let first = 0x100 * length as u64;
    with_msg_regs_mut(|registers| {
        for (word, value) in registers[..length].iter_mut().zip(first..) {
            *word = value;
        }
    });
    let reply = C_PLAYER.pp_call(MessageInfo::new(first, length));
    let is_right = |registers: &[u64]| {
        let mut words = registers[..length].iter().zip(first + 1..);
        words.all(|(word, value)| *word == value)
    };
    reply == MessageInfo::new(first + 1, length) && with_msg_regs(is_right)
}

impl Handler for Player {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        assert!(channels.contains(C_PLAYER));
        self.answers += 1;
        if self.answers == ROUNDS {
            println!("rust-player: C answered {ROUNDS} notifications");
        } else {
            C_PLAYER.notify();
        }
        Ok(())
    }
}
