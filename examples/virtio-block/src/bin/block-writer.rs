//! Writes half of the disk, with one request under way in each buffer. Then reads the blocks back
//! and notifies `block-checker`.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::Ordering;
use microkit_block::{BLOCK_WORDS, BUFFER_BLOCKS, BUFFERS, Disk, Error, Operation};
use microkit_console::println;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, panicking, protection_domain, shared_words,
};

const DISK: Channel = Channel::new(1);
const CHECKER: Channel = Channel::new(2);

struct Writer;

#[protection_domain]
fn init() -> Writer {
    panicking::set_hook(&microkit_console::panic_hook);
    let mut disk = Disk::new(DISK, shared_words!(buffers, buffers_size));
    let blocks = disk.blocks();
    println!("the disk has {blocks} blocks");
    refused(&mut disk, blocks);
    match work(&mut disk, blocks / 2) {
        Ok(()) => CHECKER.notify(),
        Err(error) => println!("writer: {error}"),
    }
    Writer
}

/// Makes requests that the driver refuses.
fn refused(disk: &mut Disk, blocks: u64) {
    let say = |what, result: Result<(), Error>| match result {
        Ok(()) => println!("{what}: the request is under way"),
        Err(error) => println!("{what}: {error}"),
    };
    say("the block after the last", disk.begin_read(blocks, 1, 0));
    say(
        "the last block and one more",
        disk.begin_write(blocks - 1, 2, 0),
    );
    say("the largest block number", disk.begin_read(u64::MAX, 1, 0));
    say("zero blocks", disk.begin_read(0, 0, 0));
    say(
        "more blocks than fit into a buffer",
        disk.begin_read(0, BUFFER_BLOCKS + 1, 0),
    );
    say(
        "a buffer that does not exist",
        disk.begin_read(0, 1, BUFFERS),
    );
    say("the first block", disk.begin_read(0, 1, 0));
    say("the same buffer", disk.begin_read(1, 1, 0));
    match disk.finish(Operation::Buffer(0)) {
        Ok(()) => {
            let words = &disk.buffer(0)[..BLOCK_WORDS];
            let is_new = words.iter().all(|word| word.load(Ordering::Relaxed) == 0);
            println!("the first block is zeros: {is_new}");
        }
        Err(error) => println!("the first block: {error}"),
    }
}

fn work(disk: &mut Disk, blocks: u64) -> Result<(), Error> {
    let chunks = blocks / BUFFER_BLOCKS as u64;
    for chunk in 0..chunks {
        let buffer = chunk as usize % BUFFERS;
        if chunk >= BUFFERS as u64 {
            disk.finish(Operation::Buffer(buffer))?;
        }
        let first = chunk * BUFFER_BLOCKS as u64;
        for (index, word) in (0..).zip(disk.buffer(buffer)) {
            word.store(pattern(first, index), Ordering::Relaxed);
        }
        disk.begin_write(first, BUFFER_BLOCKS, buffer)?;
    }
    disk.begin_flush()?;
    for buffer in 0..BUFFERS {
        disk.finish(Operation::Buffer(buffer))?;
    }
    disk.finish(Operation::Flush)?;
    println!("{blocks} blocks are written and flushed");

    let mut right = 0;
    for chunk in 0..chunks {
        let first = chunk * BUFFER_BLOCKS as u64;
        disk.begin_read(first, BUFFER_BLOCKS, 0)?;
        disk.finish(Operation::Buffer(0))?;
        let words = (0..).zip(disk.buffer(0));
        right += words
            .filter(|&(index, word)| word.load(Ordering::Relaxed) == pattern(first, index))
            .count();
    }
    println!("{} blocks are read back as written", right / BLOCK_WORDS);
    Ok(())
}

/// Returns the word at `index`, counted from the start of `block`. `block-checker` has the same
/// function.
fn pattern(block: u64, index: u64) -> u64 {
    (block * BLOCK_WORDS as u64 + index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Handler for Writer {
    type Error = Infallible;

    /// Ignores the driver's last notifications: the completed requests were already taken.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}
