//! Runs the real driver of the disk on the host, with a test device. This crate replaces
//! `microkit-virtio`.

extern crate self as microkit_virtio;

use std::fmt;

use std::cell::RefCell;

use microkit_block::{BLOCK_BYTES, BUFFER_BLOCKS};
use microkit_test::{Run, System};
use safe_mmio::fields::ReadPure;
use sel4_microkit::{DeviceRegion, register};

#[path = "../src/bin/block-checker.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod checker;
#[path = "../../../crates/drivers/block/src/main.rs"]
#[allow(unused_attributes)]
mod driver;
#[path = "../src/bin/block-writer.rs"]
#[allow(unused_attributes)]
mod writer;

const FILE: &str = include_str!("../../../microkit-systems/virtio-block.system");
const EXPECTED: &str = include_str!("../../../microkit-systems/virtio-block.expected");

/// The size of the disk in `virtio-block.qemu`.
const BLOCKS: usize = 128;

// The items of `microkit-virtio` that the driver uses.

pub(crate) const REQUESTS: usize = 4;
pub(crate) const SLOTS_PER_PAGE: usize = 8;

/// The registers of a device. The test writes to the first one to break the device.
#[repr(C)]
pub(crate) struct Slot {
    is_broken: ReadPure<u64>,
    others: [u64; 63],
}

type Slots = DeviceRegion<[Slot; SLOTS_PER_PAGE]>;

pub(crate) fn transport(slots: Slots, slot: usize) -> Result<Transport, &'static str> {
    assert_eq!(slot, SLOTS_PER_PAGE - 1);
    // The test writes to the first slot.
    Ok(Transport(slots.take(0).expect("there are eight slots")))
}

pub(crate) struct Transport(DeviceRegion<Slot>);

#[derive(Debug)]
#[allow(dead_code)] // The driver matches all variants.
pub(crate) enum Error {
    Count,
    Outside,
    Busy,
    ReadOnly,
    Device,
    Broken,
    Memory,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[derive(Copy, Clone)]
pub(crate) struct Request(usize);

impl Request {
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// A disk in memory. Completes the newest request first, after the test has raised the interrupt.
/// So a request never completes in the step that begins the request.
pub(crate) struct BlockDevice {
    slot: RefCell<DeviceRegion<Slot>>,
    blocks: Vec<[u8; BLOCK_BYTES]>,
    /// The requests under way: the first block, and the number of bytes to read.
    requests: [Option<(usize, usize)>; REQUESTS],
}

impl BlockDevice {
    pub(crate) fn new<T>(Transport(slot): Transport, _dma: T) -> Result<Self, Error> {
        Ok(Self {
            slot: RefCell::new(slot),
            blocks: vec![[0; BLOCK_BYTES]; BLOCKS],
            requests: [None; REQUESTS],
        })
    }

    pub(crate) fn blocks(&self) -> u64 {
        self.blocks.len() as u64
    }

    fn begin(&mut self, block: u64, count: usize, read: usize) -> Result<Request, Error> {
        if count == 0 || count > BUFFER_BLOCKS {
            return Err(Error::Count);
        }
        if block > self.blocks() || count as u64 > self.blocks() - block {
            return Err(Error::Outside);
        }
        let free = self.requests.iter().position(Option::is_none);
        let index = free.ok_or(Error::Busy)?;
        self.requests[index] = Some((block as usize, read));
        Ok(Request(index))
    }

    pub(crate) fn begin_read(&mut self, block: u64, count: usize) -> Result<Request, Error> {
        self.begin(block, count, count * BLOCK_BYTES)
    }

    pub(crate) fn begin_write(
        &mut self,
        block: u64,
        count: usize,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<Request, Error> {
        let request = self.begin(block, count, 0)?;
        fill(self.blocks[block as usize..][..count].as_flattened_mut());
        Ok(request)
    }

    pub(crate) fn complete<R>(
        &mut self,
        take: impl FnOnce(Request, Result<&[u8], Error>) -> R,
    ) -> Option<R> {
        if self.is_broken() {
            return None;
        }
        let index = self.requests.iter().rposition(Option::is_some)?;
        let (block, bytes) = self.requests[index].take()?;
        let data = &self.blocks[block..].as_flattened()[..bytes];
        Some(take(Request(index), Ok(data)))
    }

    /// Returns whether the test has broken the device.
    pub(crate) fn is_broken(&self) -> bool {
        register!(*self.slot.borrow_mut(), Slot, is_broken).read() != 0
    }

    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        let is_idle = self.requests.iter().all(Option::is_none);
        if is_idle { Ok(()) } else { Err(Error::Busy) }
    }

    pub(crate) fn acknowledge_interrupt(&mut self) {}
}

fn start() -> Run {
    System::parse("virtio-block.system", FILE)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("block.elf", driver::protection_domain)
        .program("block-writer.elf", writer::protection_domain)
        .program("block-checker.elf", checker::protection_domain)
        .start()
}

/// Runs the system and raises the device's interrupt each time the system is idle, until an
/// interrupt has no effect. Returns the number of interrupts with an effect.
fn finish(run: &mut Run) -> usize {
    const STEPS_FOR_NOTHING: u64 = 4;
    for interrupts in 0..1000 {
        run.until_idle();
        let before = run.steps();
        run.raise_irq("block", 0);
        run.until_idle();
        if run.steps() - before <= STEPS_FOR_NOTHING {
            return interrupts;
        }
    }
    panic!("the system does not finish: {}", run.log())
}

#[test]
fn the_driver_and_its_clients_print_the_same_as_on_the_target() {
    let mut run = start();
    let interrupts = finish(&mut run);
    assert_eq!(run.log(), EXPECTED);
    // One interrupt for the first block, four for eight buffers that are written two at a time, and
    // one for each of the 8 buffers that the writer reads and the 16 that the checker reads.
    assert_eq!(interrupts, 1 + 4 + 8 + 16);
}

#[test]
fn nobody_waits_forever_for_a_broken_device() {
    // The device breaks before and after the first interrupt, and while buffers are written.
    for interrupts in [0, 1, 3] {
        let mut run = start();
        run.until_idle();
        for _ in 0..interrupts {
            run.raise_irq("block", 0);
            run.until_idle();
        }
        run.device("block", "virtio").write(0, 1);
        finish(&mut run);
        let log = run.log();
        let error = "the disk or its driver has failed";
        assert!(log.contains(error), "after {interrupts}: {log}");
        assert!(!log.contains("are read back"), "after {interrupts}: {log}");
    }
}
