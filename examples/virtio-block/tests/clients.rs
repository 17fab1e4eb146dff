//! Runs the clients on the host, with a test disk.

use std::sync::atomic::Ordering;

use microkit_block::{BLOCK_WORDS, BUFFER_BLOCKS, BUFFER_WORDS, BUFFERS, reply, request};
use microkit_test::{Explorer, System};
use sel4_microkit::{
    Channel, DeferredAction, DeferredActionSlot, Handler, IrqAckError, MessageInfo, get_mr, set_mr,
    shared_words,
};

#[path = "../src/bin/block-checker.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod checker;
#[path = "../src/bin/block-writer.rs"]
#[allow(unused_attributes)]
mod writer;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/virtio-block.system"
);

const EXPECTED: &str = include_str!("../../../microkit-systems/virtio-block.expected");

/// Replaces the driver. Completes each request at once, and notifies the client later.
struct Disk {
    blocks: Vec<[u64; BLOCK_WORDS]>,
    completed: [Vec<[u64; 2]>; 2],
    /// Whether writing fails.
    is_broken: bool,
    deferred: DeferredActionSlot,
}

impl Disk {
    fn new(blocks: usize, is_broken: bool) -> Self {
        Self {
            blocks: vec![[0; BLOCK_WORDS]; blocks],
            completed: [Vec::new(), Vec::new()],
            is_broken,
            deferred: DeferredActionSlot::new(),
        }
    }

    fn begin(&mut self, client: usize, is_write: bool) -> u64 {
        let [block, count, buffer] = [0, 1, 2].map(get_mr).map(|word| word as usize);
        if buffer >= BUFFERS || count == 0 || count > BUFFER_BLOCKS {
            return reply::UNKNOWN;
        }
        if block.saturating_add(count) > self.blocks.len() {
            return reply::OUTSIDE;
        }
        let completed = &mut self.completed[client];
        if completed.iter().any(|[what, _]| *what == buffer as u64) {
            return reply::BUSY;
        }
        let failed = is_write && self.is_broken;
        completed.push([
            buffer as u64,
            if failed { reply::FAILED } else { reply::DONE },
        ]);
        let buffers = [
            shared_words!(buffers_1, buffers_1_size),
            shared_words!(buffers_2, buffers_2_size),
        ];
        let words = &buffers[client][buffer * BUFFER_WORDS..];
        let blocks = self.blocks[block..][..count].as_flattened_mut();
        for (on_disk, word) in blocks.iter_mut().zip(words) {
            if is_write {
                *on_disk = word.load(Ordering::Relaxed);
            } else {
                word.store(*on_disk, Ordering::Relaxed);
            }
        }
        reply::DONE
    }
}

impl Handler for Disk {
    type Error = IrqAckError;

    fn protected(&mut self, peer: Channel, info: MessageInfo) -> Result<MessageInfo, IrqAckError> {
        let client = peer.index() - 1;
        let reply = match info.label() {
            request::BLOCKS => {
                set_mr(0, self.blocks.len() as u64);
                return Ok(MessageInfo::new(reply::DONE, 1));
            }
            request::COMPLETED => {
                let completed = std::mem::take(&mut self.completed[client]);
                for (index, word) in completed.as_flattened().iter().enumerate() {
                    set_mr(index, *word);
                }
                return Ok(MessageInfo::new(reply::DONE, 2 * completed.len()));
            }
            request::FLUSH => {
                self.completed[client].push([request::FLUSHED, reply::DONE]);
                reply::DONE
            }
            label => self.begin(client, label == request::WRITE),
        };
        if reply == reply::DONE {
            self.deferred.defer_notify(peer)?;
        }
        Ok(MessageInfo::new(reply, 0))
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}

fn system(blocks: usize, is_broken: bool) -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("block-checker.elf", checker::protection_domain)
        .program("block-writer.elf", writer::protection_domain)
        .program("block.elf", move || Disk::new(blocks, is_broken))
}

#[test]
fn the_clients_of_a_disk_print_the_same_as_on_the_target() {
    let mut run = system(128, false).start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}

#[test]
fn every_schedule_of_the_clients_of_a_small_disk_prints_the_same() {
    let system = system(32, false);
    let explored = Explorer::new(&system).check(|run| {
        let end = "checker: 16 blocks as written, 16 of zeros, 0 others\n";
        assert!(run.log().ends_with(end), "{}", run.log());
    });
    println!("{explored}");
    assert!(explored.is_complete());
}

#[test]
fn a_failed_write_is_reported_and_the_writer_stops() {
    let mut run = system(128, true).start();
    run.until_idle();
    let log = run.log();
    assert!(
        log.ends_with("writer: the disk or its driver has failed\n"),
        "{log}"
    );
}
