//! Reads the whole disk after `block-writer` has written to it, and counts the blocks with the
//! expected words.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::Ordering;
use microkit_block::{BLOCK_WORDS, BUFFER_BLOCKS, Disk, Error, Operation};
use microkit_console::println;
use sel4_microkit::{Channel, ChannelSet, Handler, panicking, protection_domain, shared_words};

const DISK: Channel = Channel::new(1);
const WRITER: Channel = Channel::new(2);

struct Checker {
    disk: Disk,
}

#[protection_domain]
fn init() -> Checker {
    panicking::set_hook(&microkit_console::panic_hook);
    Checker {
        disk: Disk::new(DISK, shared_words!(buffers, buffers_size)),
    }
}

impl Handler for Checker {
    type Error = Error;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Error> {
        if channels.contains(WRITER) {
            self.check()?;
        }
        Ok(())
    }
}

impl Checker {
    fn check(&mut self) -> Result<(), Error> {
        let (mut written, mut new, mut others) = (0, 0, 0);
        for first in (0..self.disk.blocks()).step_by(BUFFER_BLOCKS) {
            self.disk.begin_read(first, BUFFER_BLOCKS, 1)?;
            self.disk.finish(Operation::Buffer(1))?;
            let blocks = self.disk.buffer(1).chunks(BLOCK_WORDS);
            for (block, words) in (first..).zip(blocks) {
                let mut words = (0..).zip(words.iter().map(|word| word.load(Ordering::Relaxed)));
                if words
                    .clone()
                    .all(|(index, word)| word == pattern(block, index))
                {
                    written += 1;
                } else if words.all(|(_, word)| word == 0) {
                    new += 1;
                } else {
                    others += 1;
                }
            }
        }
        println!("checker: {written} blocks as written, {new} of zeros, {others} others");
        Ok(())
    }
}

/// Returns the word at `index`, counted from the start of `block`. `block-writer` has the same
/// function.
fn pattern(block: u64, index: u64) -> u64 {
    (block * BLOCK_WORDS as u64 + index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
