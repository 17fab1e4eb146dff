//! Tests the disk driver with devices that follow the specification, and with devices that do not.

use std::alloc::{Layout, alloc_zeroed};
use std::cell::Cell;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;
use sel4_microkit::DmaRegion;
use virtio_drivers::PAGE_SIZE;
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};

use crate::block::{BLOCK_BYTES, BlockDevice, Error, MAX_BLOCKS, REQUESTS, Request};
use crate::queue::{self, Used};

pub(crate) const PHYSICAL: u64 = 0x8000_0000;
const BLOCKS: u64 = 64;
const READ_ONLY: u64 = 1 << 5;
const FLUSH: u64 = 1 << 9;
const VERSION_1: u64 = 1 << 32;

/// The contents of a device's registers.
#[derive(Clone)]
struct Registers {
    device_type: DeviceType,
    is_legacy: bool,
    features: u64,
    /// Whether the device refuses the features.
    disagrees: bool,
    max_queue_size: u32,
    queue_used: bool,
    /// The values of each half of the size at the first read, the second read, and so on. The last
    /// value repeats.
    halves: [Vec<u32>; 2],
    /// The number of reads at which the generation changes.
    changes: u32,
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    reads: [Cell<usize>; 2],
    generations: Cell<u32>,
    status: Cell<u32>,
    notified: Cell<usize>,
    features: Cell<u64>,
    queue: Cell<Option<[u64; 4]>>,
}

impl Default for Registers {
    fn default() -> Self {
        Self {
            device_type: DeviceType::Block,
            is_legacy: false,
            features: FLUSH | VERSION_1,
            disagrees: false,
            max_queue_size: 1024,
            queue_used: false,
            halves: [vec![BLOCKS as u32], vec![0]],
            changes: 0,
            shared: Rc::default(),
        }
    }
}

impl Transport for Registers {
    fn device_type(&self) -> DeviceType {
        self.device_type
    }

    fn read_device_features(&mut self) -> u64 {
        self.features
    }

    fn write_driver_features(&mut self, features: u64) {
        self.shared.features.set(features);
    }

    fn max_queue_size(&mut self, _: u16) -> u32 {
        self.max_queue_size
    }

    fn notify(&mut self, _: u16) {
        self.shared.notified.set(self.shared.notified.get() + 1);
    }

    fn get_status(&self) -> DeviceStatus {
        let status = DeviceStatus::from_bits_truncate(self.shared.status.get());
        if self.disagrees {
            return status - DeviceStatus::FEATURES_OK;
        }
        status
    }

    fn set_status(&mut self, status: DeviceStatus) {
        self.shared.status.set(status.bits());
    }

    fn set_guest_page_size(&mut self, bytes: u32) {
        assert_eq!(bytes, 4096);
    }

    fn requires_legacy_layout(&self) -> bool {
        self.is_legacy
    }

    fn queue_set(&mut self, _: u16, size: u32, descriptors: u64, driver: u64, device: u64) {
        let queue = [size.into(), descriptors, driver, device];
        self.shared.queue.set(Some(queue));
    }

    fn queue_unset(&mut self, _: u16) {}

    fn queue_used(&mut self, _: u16) -> bool {
        self.queue_used
    }

    fn ack_interrupt(&mut self) -> InterruptStatus {
        InterruptStatus::empty()
    }

    fn read_config_generation(&self) -> u32 {
        let read = self.shared.generations.get();
        self.shared.generations.set(read + 1);
        read.min(self.changes)
    }

    fn read_config_space<T: zerocopy::FromBytes + zerocopy::IntoBytes>(
        &self,
        offset: usize,
    ) -> virtio_drivers::Result<T> {
        let half = offset / size_of::<u32>();
        let reads = &self.shared.reads[half];
        let values = &self.halves[half];
        let value = values[reads.get().min(values.len() - 1)];
        reads.set(reads.get() + 1);
        T::read_from_bytes(&value.to_ne_bytes()).map_err(|_| virtio_drivers::Error::InvalidParam)
    }

    fn write_config_space<T: zerocopy::IntoBytes + zerocopy::Immutable>(
        &mut self,
        _: usize,
        _: T,
    ) -> virtio_drivers::Result<()> {
        unreachable!("a disk's driver writes nothing there")
    }
}

pub(crate) fn region(pages: usize) -> DmaRegion {
    let layout = Layout::from_size_align(pages * PAGE_SIZE, PAGE_SIZE).expect("a layout");
    // SAFETY: 1. The layout is not empty. 2. The memory is never freed, and nothing else uses the
    // memory. No real device uses the physical address.
    unsafe {
        let start = NonNull::new(alloc_zeroed(layout)).expect("memory");
        DmaRegion::new(start, layout.size(), PHYSICAL)
    }
}

/// Runs `f` in a separate thread, which acts as a separate PD.
fn with_disk<R: Send>(registers: impl Fn() -> Registers + Sync, f: impl Fn(Disk) -> R + Sync) -> R {
    std::thread::scope(|scope| {
        let run = || {
            let registers = registers();
            let shared = Rc::clone(&registers.shared);
            let disk = BlockDevice::with_transport(registers, region(7)).expect("a disk");
            let device = Device::of(&disk, shared);
            f(Disk { disk, device })
        };
        let thread = scope.spawn(run);
        thread
            .join()
            .unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    })
}

struct Disk {
    disk: BlockDevice<Registers>,
    device: Device,
}

/// The device side of the queue.
struct Device {
    used: &'static Used,
    statuses: [&'static core::sync::atomic::AtomicU8; REQUESTS],
    data: [&'static [core::sync::atomic::AtomicU64]; REQUESTS],
    completed: u16,
    shared: Rc<Shared>,
}

impl Device {
    fn of(disk: &BlockDevice<Registers>, shared: Rc<Shared>) -> Self {
        let queue = disk.queue();
        Self {
            used: queue.used(),
            statuses: core::array::from_fn(|index| queue.status(index)),
            data: core::array::from_fn(|index| queue.data(index)),
            completed: 0,
            shared,
        }
    }

    /// Reports a request as completed, as a correct device does.
    fn complete(&mut self, request: Request, bytes: u32, status: u8) {
        self.statuses[request.index()].store(status, Ordering::Relaxed);
        self.say(3 * request.index() as u32, bytes);
    }

    /// Reports the request with this number as completed.
    fn say(&mut self, id: u32, bytes: u32) {
        let element = &self.used.ring[usize::from(self.completed % queue::SIZE)];
        element.id.store(id, Ordering::Relaxed);
        element.bytes.store(bytes, Ordering::Relaxed);
        self.completed = self.completed.wrapping_add(1);
        self.used.index.store(self.completed, Ordering::Release);
    }
}

const OK: u8 = 0;
const IO_ERROR: u8 = 1;
const UNSUPPORTED: u8 = 2;

impl Disk {
    fn read(&mut self) -> Request {
        self.disk.begin_read(3, 1).expect("there is room")
    }

    /// Returns the next completed request, and its number of bytes.
    fn completed(&mut self) -> Option<(Request, Result<usize, Error>)> {
        self.disk
            .complete(|request, result| (request, result.map(<[u8]>::len)))
    }

    #[track_caller]
    fn is_found_out(&mut self) {
        assert_eq!(self.completed(), None);
        assert!(self.disk.is_broken());
        assert_eq!(self.completed(), None);
        assert_eq!(self.disk.begin_read(0, 1), Err(Error::Broken));
        assert_eq!(self.disk.begin_write(0, 1, |_| ()), Err(Error::Broken));
        assert_eq!(self.disk.flush(), Err(Error::Broken));
    }
}

#[test]
fn an_honest_device_is_told_what_to_do_and_does_it() {
    for is_legacy in [false, true] {
        let registers = move || Registers {
            is_legacy,
            features: FLUSH | VERSION_1 | 1 << 28 | 1 << 29,
            ..Registers::default()
        };
        with_disk(registers, |mut it| {
            let shared = Rc::clone(&it.device.shared);
            assert_eq!(shared.features.get(), FLUSH | VERSION_1);
            assert_eq!(
                shared.queue.get(),
                Some([16, PHYSICAL, PHYSICAL + 256, PHYSICAL + 4096])
            );
            assert_eq!(shared.status.get(), 1 | 2 | 4 | 8);
            assert_eq!(it.disk.blocks(), BLOCKS);
            // The test makes more requests than the queue has entries, so that each entry is
            // reused.
            for round in 0..20_u64 {
                let write = it.disk.begin_write(round, MAX_BLOCKS, |data| {
                    assert_eq!(data.len(), 4096);
                    data.fill(round as u8 + 1);
                });
                let write = write.expect("there is room");
                let read = it.disk.begin_read(round + 1, 2).expect("there is room");
                assert_ne!(write, read);
                assert_eq!(shared.notified.get() as u64, 2 * round + 2);
                let queue = it.disk.queue();
                let lengths = |nth| -> Vec<(u32, bool)> {
                    let chain = queue.offered(nth);
                    let pages = 6 * PAGE_SIZE as u64;
                    assert!(chain.iter().all(|(at, bytes, _)| {
                        (PHYSICAL..PHYSICAL + pages).contains(&(at + u64::from(*bytes) - 1))
                    }));
                    chain
                        .iter()
                        .map(|(_, bytes, write)| (*bytes, *write))
                        .collect()
                };
                let nth = 2 * round as u16;
                assert_eq!(lengths(nth), [(16, false), (4096, false), (1, true)]);
                assert_eq!(lengths(nth + 1), [(16, false), (1024, true), (1, true)]);
                let word = it.device.data[write.index()][511].load(Ordering::Relaxed);
                assert_eq!(word, u64::from_ne_bytes([round as u8 + 1; 8]));
                assert_eq!(it.completed(), None);
                // The requests complete in the reverse order.
                for (word, value) in it.device.data[read.index()].iter().zip(0_u64..) {
                    word.store(value, Ordering::Relaxed);
                }
                it.device.complete(read, 1025, OK);
                let bytes = it.disk.complete(|request, result| {
                    assert_eq!(request, read);
                    result.expect("it was read").to_vec()
                });
                let bytes = bytes.expect("it is completed");
                assert_eq!((bytes.len(), bytes[8], bytes[1016]), (1024, 1, 127));
                it.device.complete(write, 1, OK);
                assert_eq!(it.completed(), Some((write, Ok(0))));
                assert_eq!(it.completed(), None);
            }
            for status in [IO_ERROR, UNSUPPORTED] {
                let read = it.read();
                it.device.complete(read, 1, status);
                assert_eq!(it.completed(), Some((read, Err(Error::Device))));
            }
            // The device has not read all requested bytes, although its status may be success.
            for bytes in [0, 1, 512] {
                let read = it.read();
                it.device.complete(read, bytes, OK);
                assert_eq!(it.completed(), Some((read, Err(Error::Device))));
            }
            assert!(!it.disk.is_broken());
        });
    }
}

#[test]
fn what_is_asked_wrongly_is_refused() {
    with_disk(Registers::default, |mut it| {
        let cases = [
            ((0, 0), Error::Count),
            ((0, MAX_BLOCKS + 1), Error::Count),
            ((0, usize::MAX), Error::Count),
            ((BLOCKS, 1), Error::Outside),
            ((BLOCKS - 1, 2), Error::Outside),
            ((u64::MAX, 1), Error::Outside),
        ];
        for ((block, count), error) in cases {
            assert_eq!(it.disk.begin_read(block, count), Err(error));
            assert_eq!(it.disk.begin_write(block, count, |_| ()), Err(error));
        }
        let requests: Vec<_> = (0..REQUESTS).map(|_| it.read().index()).collect();
        assert_eq!(requests, [0, 1, 2, 3]);
        assert_eq!(it.disk.begin_read(0, 1), Err(Error::Busy));
        assert_eq!(it.disk.begin_write(0, 1, |_| ()), Err(Error::Busy));
        assert_eq!(it.disk.flush(), Err(Error::Busy));
    });
    let read_only = || Registers {
        features: READ_ONLY | VERSION_1,
        ..Registers::default()
    };
    with_disk(read_only, |mut it| {
        assert_eq!(it.disk.begin_write(0, 1, |_| ()), Err(Error::ReadOnly));
        // The device does not support a flush, and does not need one.
        assert_eq!(it.disk.flush(), Ok(()));
    });
}

#[test]
fn a_device_that_cannot_be_driven_is_refused() {
    let refused = |change: fn(&mut Registers)| {
        let run = move || {
            let mut registers = Registers::default();
            change(&mut registers);
            BlockDevice::with_transport(registers, region(7)).map(|disk| disk.blocks())
        };
        std::thread::spawn(run).join().expect("no panic")
    };
    assert_eq!(refused(|_| ()), Ok(BLOCKS));
    let cases: [fn(&mut Registers); 6] = [
        |it| it.device_type = DeviceType::Network,
        |it| it.max_queue_size = 15,
        |it| it.max_queue_size = 0,
        |it| it.queue_used = true,
        |it| it.features = FLUSH,
        |it| it.disagrees = true,
    ];
    for case in cases {
        assert_eq!(refused(case), Err(Error::Device));
    }
    let legacy = |it: &mut Registers| {
        (it.is_legacy, it.features, it.disagrees) = (true, 0, true);
    };
    assert_eq!(refused(legacy), Ok(BLOCKS));
    // The size changes during the read. The halves of two sizes must not be combined.
    let changes = |it: &mut Registers| {
        it.halves = [vec![7, 9], vec![1, 0]];
        it.changes = 1;
    };
    assert_eq!(refused(changes), Ok(9));
    let changes_always = |it: &mut Registers| it.changes = u32::MAX;
    assert_eq!(refused(changes_always), Err(Error::Device));
    let small = std::thread::spawn(|| {
        BlockDevice::with_transport(Registers::default(), region(6)).map(drop)
    });
    assert_eq!(small.join().expect("no panic"), Err(Error::Memory));
}

#[test]
fn a_device_that_says_what_cannot_be_is_used_no_more() {
    /// The actions of a wrong device. Request 0 reads a block. Request 1 writes a block.
    type Lies = fn(&mut Device);
    let lies: [(&str, Lies); 16] = [
        ("no such request", |it| it.say(12, 1)),
        ("no request of this driver", |it| it.say(15, 1)),
        ("no descriptor", |it| it.say(16, 1)),
        ("a large name", |it| it.say(u32::MAX, 1)),
        ("a name whose lower half is one", |it| it.say(0x1_0000, 1)),
        ("the middle of a request", |it| it.say(1, 1)),
        ("the end of a request", |it| it.say(2, 1)),
        ("a request that it does not have", |it| it.say(6, 1)),
        ("more bytes than a read has", |it| it.say(0, 514)),
        ("more bytes than a write has", |it| it.say(3, 2)),
        ("very many bytes", |it| it.say(0, u32::MAX)),
        ("more requests than it has", |it| {
            it.used.index.store(3, Ordering::Release);
        }),
        ("fewer requests than none", |it| {
            it.used.index.store(u16::MAX, Ordering::Release);
        }),
        ("half of all", |it| {
            it.used.index.store(0x8000, Ordering::Release)
        }),
        ("a status that there is not", |it| {
            it.statuses[0].store(3, Ordering::Relaxed);
            it.say(0, 513);
        }),
        ("another", |it| {
            it.statuses[1].store(0x80, Ordering::Relaxed);
            it.say(3, 1);
        }),
    ];
    for (name, lies) in lies {
        with_disk(Registers::default, |mut it| {
            std::println!("{name}");
            it.read();
            it.disk.begin_write(0, 1, |_| ()).expect("there is room");
            for status in &it.device.statuses[..2] {
                status.store(OK, Ordering::Relaxed);
            }
            lies(&mut it.device);
            it.is_found_out();
        });
    }
}

#[test]
fn a_device_that_repeats_itself_or_takes_it_back_is_used_no_more() {
    // The device reports the same request twice at the same time.
    with_disk(Registers::default, |mut it| {
        let (first, _second) = (it.read(), it.read());
        it.device.complete(first, 513, OK);
        it.device.complete(first, 513, OK);
        assert_eq!(it.completed(), Some((first, Ok(BLOCK_BYTES))));
        it.is_found_out();
    });
    // The device reports the request again after the driver has taken it.
    with_disk(Registers::default, |mut it| {
        let first = it.read();
        it.device.complete(first, 513, OK);
        assert_eq!(it.completed(), Some((first, Ok(BLOCK_BYTES))));
        it.device.complete(first, 513, OK);
        it.is_found_out();
    });
    // The device writes no status for the second use of a request.
    with_disk(Registers::default, |mut it| {
        let first = it.read();
        it.device.complete(first, 513, OK);
        assert_eq!(it.completed(), Some((first, Ok(BLOCK_BYTES))));
        let again = it.read();
        assert_eq!(again, first);
        it.device.say(0, 513);
        it.is_found_out();
    });
    // The device first reports two completed requests, and then only one.
    with_disk(Registers::default, |mut it| {
        let (first, second) = (it.read(), it.read());
        it.device.complete(first, 513, OK);
        it.device.complete(second, 513, OK);
        assert_eq!(it.completed(), Some((first, Ok(BLOCK_BYTES))));
        it.device.used.index.store(1, Ordering::Release);
        it.is_found_out();
    });
    // The wrong report arrives while the driver waits for a flush.
    with_disk(Registers::default, |mut it| {
        it.device.say(3, 1);
        assert_eq!(it.disk.flush(), Err(Error::Broken));
        it.is_found_out();
    });
}

type Writes = fn(&'static Used);

std::thread_local! {
    /// The number of further reads by the driver, and the device's writes after these reads.
    static WRITES: Cell<Option<(usize, Writes)>> = const { Cell::new(None) };
    static USED: Cell<Option<&'static Used>> = const { Cell::new(None) };
}

/// Runs each time the driver reads a word that the device may write.
pub(crate) fn device_writes() {
    match (WRITES.take(), USED.get()) {
        (Some((0, write)), Some(used)) => write(used),
        (Some((left, write)), _) => WRITES.set(Some((left.saturating_sub(1), write))),
        (None, _) => {}
    }
}

/// The device writes values of the other request, or impossible values, between any two reads of
/// the driver.
#[test]
fn what_a_device_changes_between_two_reads_was_either_said_before_or_is_not_seen() {
    fn set(used: &Used, id: u32, bytes: u32) {
        used.ring[0].id.store(id, Ordering::Relaxed);
        used.ring[0].bytes.store(bytes, Ordering::Relaxed);
    }
    let writes: [Writes; 4] = [
        |used| set(used, 3, 513),
        |used| set(used, u32::MAX, 513),
        |used| set(used, 0, u32::MAX),
        |used| used.index.store(7, Ordering::Relaxed),
    ];
    let mut outcomes = [0; 3];
    for write in writes {
        for after in 0..10 {
            let outcome = with_disk(Registers::default, |mut it| {
                let requests = [it.read(), it.read()];
                it.device.complete(requests[0], 513, OK);
                it.device.complete(requests[1], 513, OK);
                USED.set(Some(it.device.used));
                WRITES.set(Some((after, write)));
                let first = it.completed();
                if let Some((request, result)) = first {
                    // The result must match the state before or after the device's write.
                    assert!(requests.contains(&request) && result == Ok(BLOCK_BYTES));
                    let index = request.index();
                    assert_eq!(it.disk.begin_read(0, 1).map(Request::index), Ok(index));
                }
                match (first, it.disk.is_broken()) {
                    (Some((request, _)), false) if request == requests[0] => 0,
                    (Some(_), false) => 1,
                    (None, true) => 2,
                    other => panic!("{other:?}"),
                }
            });
            outcomes[outcome] += 1;
        }
    }
    // All outcomes occur: the first request is completed, or the second, or the driver is broken.
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

/// The device writes the number of another request between any two instructions of the driver.
#[test]
fn a_device_that_changes_what_it_said_completes_one_or_is_used_no_more() {
    let rounds = if cfg!(miri) { 3 } else { 30 };
    for _ in 0..rounds {
        with_disk(Registers::default, |mut it| {
            let requests = [it.read(), it.read()];
            for status in &it.device.statuses[..2] {
                status.store(OK, Ordering::Relaxed);
            }
            it.device.say(0, 513);
            it.device.say(3, 513);
            let used = it.device.used;
            let stop = AtomicBool::new(false);
            let completed = std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        for id in [3, 0] {
                            used.ring[0].id.store(id, Ordering::Relaxed);
                            used.ring[1].id.store(3 - id, Ordering::Relaxed);
                            core::hint::spin_loop();
                        }
                    }
                });
                let completed: Vec<_> = core::iter::from_fn(|| it.completed()).collect();
                stop.store(true, Ordering::Relaxed);
                completed
            });
            for (request, result) in &completed {
                assert!(requests.contains(request) && *result == Ok(BLOCK_BYTES));
            }
            match completed[..] {
                [(one, _), (other, _)] => assert_ne!(one, other),
                [_] => it.is_found_out(),
                _ => panic!("{completed:?}"),
            }
        });
    }
}

/// A random action of the driver or of the device.
#[derive(Debug, Clone)]
enum Act {
    Read(u64, usize),
    Write(u64, usize),
    Complete,
    Honest(usize, u8),
    Index(u16),
    IndexAhead(u16),
    Element(usize, u32, u32),
    Status(usize, u8),
    Data(usize, u64),
    Flags(u16),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let id = prop_oneof![8 => (0_u32..4).prop_map(|n| 3 * n), 2 => 0_u32..20, 1 => any::<u32>()];
    let bytes = prop_oneof![Just(1_u32), Just(513), Just(4097), any::<u32>()];
    let act = prop_oneof![
        6 => (0..BLOCKS, 1..=MAX_BLOCKS).prop_map(|(block, count)| Act::Read(block, count)),
        6 => (0..BLOCKS, 1..=MAX_BLOCKS).prop_map(|(block, count)| Act::Write(block, count)),
        9 => Just(Act::Complete),
        9 => (0..REQUESTS, 0_u8..3).prop_map(|(which, status)| Act::Honest(which, status)),
        1 => any::<u16>().prop_map(Act::Index),
        2 => (0_u16..6).prop_map(Act::IndexAhead),
        3 => (0_usize..16, id, bytes).prop_map(|(at, id, bytes)| Act::Element(at, id, bytes)),
        2 => (0..REQUESTS, any::<u8>()).prop_map(|(which, status)| Act::Status(which, status)),
        1 => (0..REQUESTS, any::<u64>()).prop_map(|(which, word)| Act::Data(which, word)),
        1 => any::<u16>().prop_map(Act::Flags),
    ];
    prop::collection::vec(act, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig {
        // Miri has no files.
        failure_persistence: None,
        ..ProptestConfig::with_cases(if cfg!(miri) { 3 } else { 1000 })
    })]

    /// For all writes of the device, the driver completes only started requests, and each only
    /// once. The driver does not reuse a request that the device still has. A broken driver stays
    /// broken.
    #[test]
    fn a_device_that_writes_anything_completes_what_was_begun_or_is_used_no_more(acts in acts()) {
        with_disk(Registers::default, |mut it| {
            let mut under_way: [Option<usize>; REQUESTS] = [None; REQUESTS];
            let mut taken = 0_u16;
            for act in &acts {
                let was_broken = it.disk.is_broken();
                match *act {
                    Act::Read(block, count) | Act::Write(block, count) => {
                        let (begun, bytes) = if matches!(act, Act::Read(..)) {
                            (it.disk.begin_read(block, count), count * BLOCK_BYTES)
                        } else {
                            (it.disk.begin_write(block, count, |data| data.fill(7)), 0)
                        };
                        match begun {
                            Ok(request) => {
                                assert!(!was_broken);
                                let before = under_way[request.index()].replace(bytes);
                                assert_eq!(before, None, "the device has it");
                            }
                            Err(Error::Broken) => assert!(was_broken),
                            Err(Error::Busy) => assert!(under_way.iter().all(Option::is_some)),
                            Err(Error::Outside) => assert!(block + count as u64 > BLOCKS),
                            Err(error) => panic!("{error}"),
                        }
                    }
                    Act::Complete => {
                        let said = it.device.used.index.load(Ordering::Relaxed);
                        match it.completed() {
                            Some((request, result)) => {
                                assert!(!was_broken);
                                let bytes = under_way[request.index()].take();
                                let bytes = bytes.expect("it was begun");
                                assert!([Ok(bytes), Err(Error::Device)].contains(&result));
                                taken = taken.wrapping_add(1);
                            }
                            // The device has reported no completion.
                            None => assert!(it.disk.is_broken() || said == taken),
                        }
                    }
                    Act::Honest(which, status) => if let Some(bytes) = under_way[which] {
                        let bytes = if bytes == 0 { 1 } else { bytes as u32 + 1 };
                        it.device.completed = it.device.used.index.load(Ordering::Relaxed);
                        it.device.statuses[which].store(status, Ordering::Relaxed);
                        it.device.say(3 * which as u32, bytes);
                    },
                    Act::Index(index) => it.device.used.index.store(index, Ordering::Relaxed),
                    Act::IndexAhead(by) => {
                        let index = taken.wrapping_add(by);
                        it.device.used.index.store(index, Ordering::Relaxed);
                    }
                    Act::Element(at, id, bytes) => {
                        it.device.used.ring[at].id.store(id, Ordering::Relaxed);
                        it.device.used.ring[at].bytes.store(bytes, Ordering::Relaxed);
                    }
                    Act::Status(which, status) => {
                        it.device.statuses[which].store(status, Ordering::Relaxed);
                    }
                    Act::Data(which, word) => {
                        it.device.data[which][0].store(word, Ordering::Relaxed);
                    }
                    Act::Flags(flags) => it.device.used.flags.store(flags, Ordering::Relaxed),
                }
                assert!(it.disk.is_broken() || !was_broken, "it is used again");
            }
        });
    }
}

/// The device writes during the copy of the bytes, and after its report of completion. The bytes
/// that the user gets do not change.
#[test]
fn bytes_that_were_read_stay_as_they_are_whatever_the_device_writes() {
    with_disk(Registers::default, |mut it| {
        let request = it.read();
        it.device.complete(request, 513, OK);
        let data = it.device.data[request.index()];
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for value in 0.. {
                    data[1].store(value, Ordering::Relaxed);
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
            let same = it.disk.complete(|_, result| {
                let bytes = result.expect("it was read");
                let before = bytes.to_vec();
                (0..if cfg!(miri) { 3 } else { 1000 }).all(|_| bytes == before)
            });
            stop.store(true, Ordering::Relaxed);
            assert_eq!(same, Some(true));
        });
    });
}

#[test]
fn a_device_that_needs_no_notification_gets_none() {
    with_disk(Registers::default, |mut it| {
        it.device.used.flags.store(1, Ordering::Relaxed);
        it.read();
        assert_eq!(it.device.shared.notified.get(), 0);
        it.device.used.flags.store(0, Ordering::Relaxed);
        it.read();
        assert_eq!(it.device.shared.notified.get(), 1);
    });
}
