//! Tests queues and versioned values with loom. Loom explores the orders of accesses that the C11
//! memory model allows on multi-core processors.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::sync::Notify;
use loom::sync::atomic::{AtomicU64, fence};
use loom::thread;
use microkit_shared_memory::{
    CONSUMER_WORDS, Consumer, Memory, Part, PeerError, PopError, Producer, ReadError,
    VersionedReader, VersionedWriter, WritableMemory, producer_words,
};

/// The ordering that a planted flaw removes.
#[derive(Copy, Clone, PartialEq)]
enum Without {
    Nothing,
    /// All fences of this ordering.
    Fence(Ordering),
    /// The release ordering of stores.
    Release,
    /// The acquire ordering of loads.
    Acquire,
}

#[derive(Clone)]
struct Shared {
    words: Arc<[AtomicU64]>,
    without: Without,
}

impl Shared {
    fn new(words: usize, without: Without) -> Self {
        let words = (0..words).map(|_| AtomicU64::new(0)).collect();
        Self { words, without }
    }
}

impl Memory for Shared {
    fn words(&self) -> usize {
        self.words.len()
    }

    fn load(&self, index: usize, order: Ordering) -> u64 {
        let order = match self.without {
            Without::Acquire => Ordering::Relaxed,
            _ => order,
        };
        self.words[index].load(order)
    }

    fn fence(&self, order: Ordering) {
        if self.without != Without::Fence(order) {
            fence(order);
        }
    }
}

impl WritableMemory for Shared {
    fn store(&self, index: usize, value: u64, order: Ordering) {
        let order = match self.without {
            Without::Release => Ordering::Relaxed,
            _ => order,
        };
        self.words[index].store(value, order);
    }
}

/// Two words that must be read together.
type Pair = [u64; 2];

type Taker = Consumer<Pair, Part<Shared>, Part<Shared>>;
type Putter = Producer<Pair, Part<Shared>, Part<Shared>>;

fn parts(capacity: usize, without: Without) -> (Part<Shared>, Part<Shared>) {
    let words = CONSUMER_WORDS + producer_words::<Pair>(capacity);
    Part::whole(Shared::new(words, without))
        .split_at(CONSUMER_WORDS)
        .expect("it is large enough")
}

fn explore(preemptions: usize, run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(run);
}

/// Returns whether loom finds an execution that panics or never ends.
fn is_found(run: impl FnOnce() + std::panic::UnwindSafe) -> bool {
    std::panic::catch_unwind(run).is_err()
}

/// One thread puts pairs and notifies. The other thread takes the pairs and sleeps.
fn talk(records: u64, capacity: usize, without: Without, may_sleep: fn(&mut Taker) -> bool) {
    let (taken, put) = parts(capacity, without);
    let (to_consumer, to_producer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let producer = {
        let (taken, put) = (taken.clone(), put.clone());
        let (to_consumer, to_producer) = (to_consumer.clone(), to_producer.clone());
        move || {
            let mut producer: Putter = Producer::open(put, taken).expect("large enough");
            let mut next = 1;
            while next <= records {
                if producer.push(&[next, next]).is_ok() {
                    next += 1;
                    if producer.must_notify() {
                        to_consumer.notify();
                    }
                } else if producer.may_sleep() == Ok(true) {
                    to_producer.wait();
                }
            }
        }
    };
    let producer = thread::spawn(producer);
    let mut consumer: Taker = Consumer::open(taken, put).expect("large enough");
    let mut last = 0;
    while last < records {
        match consumer.pop().expect("the producer is sound") {
            Some(pair) => {
                assert_eq!(pair, [last + 1; 2]);
                last += 1;
                if consumer.must_notify() {
                    to_producer.notify();
                }
            }
            None if may_sleep(&mut consumer) => to_consumer.wait(),
            None => thread::yield_now(),
        }
    }
    producer.join().expect("it has put all");
}

/// The correct decision about sleep, as in the documentation.
fn rightly(consumer: &mut Taker) -> bool {
    consumer.may_sleep().expect("the producer is sound")
}

#[test]
fn no_wake_up_is_lost_and_no_record_is_torn() {
    explore(3, || talk(1, 1, Without::Nothing, rightly));
    explore(2, || talk(2, 1, Without::Nothing, rightly));
}

/// Negative control: the consumer sleeps without a second check of the queue after its
/// announcement.
#[test]
fn a_consumer_that_does_not_look_again_is_found() {
    let hasty = |consumer: &mut Taker| {
        let _ = consumer.may_sleep();
        true
    };
    assert!(is_found(move || explore(2, move || talk(
        2,
        1,
        Without::Nothing,
        hasty
    ))));
}

/// Negative control: without the fence, the announcement may become visible after the last check.
#[test]
fn an_announcement_that_may_come_late_is_found() {
    let without = Without::Fence(Ordering::SeqCst);
    assert!(is_found(move || explore(2, move || talk(
        2, 1, without, rightly
    ))));
}

#[test]
fn records_that_are_not_released_or_acquired_are_found() {
    for without in [Without::Release, Without::Acquire] {
        assert!(is_found(move || explore(2, move || talk(
            2, 1, without, rightly
        ))));
    }
}

/// Restarts the producer. Its new incarnation overwrites the record that the consumer may be
/// reading.
fn restart(without: Without) {
    let (taken, put) = parts(1, without);
    let mut producer: Putter = Producer::open(put.clone(), taken.clone()).expect("large enough");
    let mut consumer: Taker = Consumer::open(taken.clone(), put.clone()).expect("large enough");
    producer.push(&[1, 1]).expect("there is room");
    let producer = thread::spawn(move || {
        // Open a new incarnation of the producer.
        let mut producer: Putter = Producer::open(put, taken).expect("large enough");
        producer.push(&[2, 2]).expect("there is room");
    });
    let mut restarts = 0;
    for _ in 0..3 {
        match consumer.pop() {
            Ok(None) => thread::yield_now(),
            // Records taken before the error belong to the old incarnation. Later records belong to
            // the new incarnation.
            Ok(Some(pair)) => assert_eq!(pair, [1 + restarts; 2]),
            Err(error) => {
                assert_eq!(error, PopError::Peer(PeerError::Restarted));
                restarts += 1;
            }
        }
    }
    assert!(restarts <= 1);
    producer.join().expect("it has put");
}

#[test]
fn a_producer_that_is_restarted_tears_no_record() {
    explore(3, || restart(Without::Nothing));
}

#[test]
fn a_new_incarnation_that_may_be_seen_after_its_records_is_found() {
    for kind in [Ordering::Release, Ordering::Acquire] {
        assert!(is_found(move || explore(3, move || restart(
            Without::Fence(kind)
        ))));
    }
}

/// Writes a value of two words twice while another thread reads the value.
fn version(without: Without) {
    let memory = Shared::new(3, without);
    let mut writer: VersionedWriter<Pair, _> =
        VersionedWriter::new(memory.clone()).expect("large enough");
    let writer = thread::spawn(move || {
        writer.write(&[1, 1]);
        writer.write(&[2, 2]);
    });
    let reader: VersionedReader<Pair, _> = VersionedReader::new(memory).expect("large enough");
    match reader.read() {
        Ok(pair) => assert_eq!(pair[0], pair[1]),
        Err(error) => assert_ne!(error, ReadError::Invalid),
    }
    writer.join().expect("it has written");
}

#[test]
fn no_value_is_seen_half_written() {
    explore(3, || version(Without::Nothing));
}

#[test]
fn a_version_that_may_be_seen_out_of_order_is_found() {
    let kinds = [
        Without::Fence(Ordering::Release),
        Without::Fence(Ordering::Acquire),
        Without::Release,
        Without::Acquire,
    ];
    for without in kinds {
        assert!(is_found(move || explore(3, move || version(without))));
    }
}
