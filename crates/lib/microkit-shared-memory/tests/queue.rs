//! Tests queues of records: order, completeness, a full and an empty queue, notifications,
//! restarts, and hostile peers.
#![forbid(unsafe_code)]

mod hostile;

use std::cell::RefCell;
use std::sync::atomic::Ordering;

use hostile::Hostile;
use microkit_shared_memory::{
    CONSUMER_WORDS, Consumer, Memory, Part, PeerError, PopError, Producer, PushError, TooSmall,
    WritableMemory, producer_words,
};
use proptest::prelude::*;
use sel4_microkit::SharedWord;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

type Words = &'static [SharedWord];
type Taker<T> = Consumer<T, Words, Words>;
type Putter<T> = Producer<T, Words, Words>;

/// A record with three bytes in use. One of the bytes has only two valid values.
#[derive(Debug, Copy, Clone, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Switch {
    number: u8,
    is_on: bool,
    level: u8,
}

fn words(count: usize) -> Words {
    Box::leak((0..count).map(|_| SharedWord::new(0)).collect())
}

/// Returns the memory of the consumer and the memory of the producer.
fn memory<T>(capacity: usize) -> (Words, Words) {
    (words(CONSUMER_WORDS), words(producer_words::<T>(capacity)))
}

fn putter<T: microkit_shared_memory::Plain>((taken, put): (Words, Words)) -> Putter<T> {
    Producer::open(put, taken).expect("the memory is large enough")
}

fn taker<T: microkit_shared_memory::Plain>((taken, put): (Words, Words)) -> Taker<T> {
    Consumer::open(taken, put).expect("the memory is large enough")
}

#[test]
fn records_come_out_as_they_went_in_forevery_capacity() {
    for capacity in [1, 2, 3, 7] {
        let memory = memory::<[u32; 3]>(capacity);
        let (mut producer, mut consumer) = (putter(memory), taker::<[u32; 3]>(memory));
        assert_eq!(producer.capacity(), capacity);
        let (mut put, mut taken) = (0_u32, 0);
        for burst in (1..=capacity).cycle().take(100) {
            for _ in 0..burst {
                producer.push(&[put, !put, 7]).expect("there is room");
                put += 1;
            }
            assert_eq!(producer.room(), Ok(capacity - burst));
            assert_eq!(consumer.filled(), Ok(burst));
            while let Some(record) = consumer.pop().expect("the producer is sound") {
                assert_eq!(record, [taken, !taken, 7]);
                taken += 1;
            }
        }
        assert_eq!(put, taken);
    }
}

#[test]
fn each_end_says_how_much_it_holds_and_which_incarnation_it_is() {
    let memory = memory::<u64>(5);
    for epoch in 1..4 {
        let (producer, consumer) = (putter::<u64>(memory), taker::<u64>(memory));
        assert_eq!((producer.capacity(), consumer.capacity()), (5, 5));
        assert_eq!((producer.epoch(), consumer.epoch()), (epoch, epoch));
    }
}

#[test]
fn an_end_is_settled_when_the_other_deals_with_its_incarnation() {
    let memory = memory::<u64>(2);
    assert!(putter::<u64>(memory).is_settled(), "its first incarnation");
    let mut producer: Putter<u64> = putter(memory);
    assert!(producer.is_settled(), "there is no consumer yet");
    let mut consumer: Taker<u64> = taker(memory);
    assert!(producer.is_settled() && consumer.is_settled());
    producer = putter(memory);
    assert!(!producer.is_settled(), "the consumer has not looked");
    assert_eq!(consumer.filled(), Err(PeerError::Restarted));
    assert!(producer.is_settled());
    // The same check, with the roles exchanged.
    assert_eq!(producer.room(), Ok(2));
    consumer = taker(memory);
    assert!(!consumer.is_settled(), "the producer has not looked");
    assert_eq!(producer.room(), Err(PeerError::Restarted));
    assert!(consumer.is_settled());
}

#[test]
fn an_end_that_died_asleep_does_not_sleep_in_its_next_incarnation() {
    let memory = memory::<u64>(2);
    let mut producer: Putter<u64> = putter(memory);
    let mut consumer: Taker<u64> = taker(memory);
    assert_eq!(consumer.may_sleep(), Ok(true));
    consumer = taker(memory);
    assert_eq!(memory.0[1].load(Ordering::Relaxed) & 1, 0, "it is awake");
    assert_eq!(producer.room(), Ok(2));
    assert!(
        producer.must_notify() && consumer.must_notify(),
        "of the incarnations"
    );
    producer.push(&1).expect("there is room");
    assert!(!producer.must_notify(), "nobody sleeps");
    assert_eq!(consumer.pop(), Ok(Some(1)));
}

#[test]
fn records_of_another_size_are_another_shape_even_if_as_many_fit() {
    let memory = memory::<u64>(2);
    let mut producer: Putter<u64> = putter(memory);
    let mut consumer: Taker<u32> = taker(memory);
    assert_eq!(consumer.capacity(), producer.capacity());
    assert_eq!(consumer.pop(), Err(PopError::Peer(PeerError::OtherShape)));
    assert_eq!(producer.room(), Err(PeerError::OtherShape));
}

#[test]
fn a_consumer_that_began_twice_unseen_restarts_only_what_was_put() {
    for is_put in [false, true] {
        let memory = memory::<u64>(2);
        let mut producer: Putter<u64> = putter(memory);
        if is_put {
            producer.push(&1).expect("there is room");
        }
        taker::<u64>(memory);
        let mut consumer: Taker<u64> = taker(memory);
        // The first consumer may have taken these records.
        assert_eq!(consumer.pop(), Ok(None));
        let expect = match is_put {
            false => Ok(2),
            true => Err(PeerError::Restarted),
        };
        assert_eq!(producer.room(), expect);
    }
}

/// A memory that claims more words than a queue can use. Only its first words exist.
#[derive(Debug, Copy, Clone)]
struct Large(Words);

impl Memory for Large {
    fn words(&self) -> usize {
        1 << 20
    }

    fn load(&self, index: usize, order: Ordering) -> u64 {
        self.0[index].load(order)
    }
}

impl WritableMemory for Large {
    fn store(&self, index: usize, value: u64, order: Ordering) {
        self.0[index].store(value, order);
    }
}

#[test]
fn a_queue_holds_at_most_32767_records() {
    let (own, taken) = (Large(words(16)), words(CONSUMER_WORDS));
    let producer: Producer<u64, _, _> = Producer::open(own, taken).expect("it is large enough");
    assert_eq!(producer.capacity(), 32767);
}

#[test]
fn a_full_queue_takes_no_more() {
    let memory = memory::<u64>(2);
    let (mut producer, mut consumer) = (putter::<u64>(memory), taker::<u64>(memory));
    assert_eq!(producer.push(&1), Ok(()));
    assert_eq!(producer.push(&2), Ok(()));
    assert_eq!(producer.push(&3), Err(PushError::Full));
    assert_eq!(consumer.pop(), Ok(Some(1)));
    assert_eq!(producer.push(&3), Ok(()));
    assert_eq!(consumer.pop(), Ok(Some(2)));
    assert_eq!(consumer.pop(), Ok(Some(3)));
    assert_eq!(consumer.pop(), Ok(None));
}

#[test]
fn memory_that_is_too_small_is_refused_and_says_for_what() {
    let (taken, put) = memory::<[u64; 2]>(1);
    let needs = producer_words::<[u64; 2]>(1);
    let refused = Producer::<[u64; 2], _, _>::open(&put[1..], taken).map(|_| ());
    let has = needs - 1;
    assert_eq!(refused, Err(TooSmall { needs, has }));
    let refused = Consumer::<[u64; 2], _, _>::open(&taken[1..], put).map(|_| ());
    let (needs, has) = (CONSUMER_WORDS, CONSUMER_WORDS - 1);
    assert_eq!(refused, Err(TooSmall { needs, has }));
    assert!(TooSmall { needs, has }.to_string().contains("8 words"));
}

#[test]
fn only_who_sleeps_is_notified_and_once() {
    let memory = memory::<u64>(2);
    let mut producer: Putter<u64> = putter(memory);
    assert!(producer.must_notify(), "the other does not know of it");
    assert!(!producer.must_notify());
    let mut consumer: Taker<u64> = taker(memory);
    assert!(consumer.must_notify(), "the other does not know of it");
    producer.push(&1).expect("there is room");
    assert!(!producer.must_notify(), "nobody sleeps");
    assert_eq!(consumer.may_sleep(), Ok(false), "there is a record");
    assert!(!producer.must_notify(), "nobody sleeps");
    assert_eq!(consumer.pop(), Ok(Some(1)));
    assert_eq!(consumer.may_sleep(), Ok(true));
    producer.push(&2).expect("there is room");
    assert!(producer.must_notify());
    producer.push(&3).expect("there is room");
    assert!(!producer.must_notify(), "it was notified of this sleep");
    assert_eq!(producer.may_sleep(), Ok(true), "it is full");
}

#[test]
fn who_waits_for_room_is_notified_once() {
    let memory = memory::<u64>(1);
    let (mut producer, mut consumer) = (putter::<u64>(memory), taker::<u64>(memory));
    assert!(producer.must_notify() && consumer.must_notify());
    producer.push(&1).expect("there is room");
    assert_eq!(producer.may_sleep(), Ok(true));
    assert_eq!(consumer.pop(), Ok(Some(1)));
    assert!(consumer.must_notify());
    assert!(!consumer.must_notify());
    assert_eq!(producer.may_sleep(), Ok(false), "there is room");
}

#[test]
fn what_is_put_before_the_first_consumer_is_there_waits_for_it() {
    let memory = memory::<u64>(2);
    let mut producer: Putter<u64> = putter(memory);
    producer.push(&1).expect("there is room");
    let mut consumer: Taker<u64> = taker(memory);
    producer.push(&2).expect("there is room");
    assert_eq!(consumer.pop(), Ok(Some(1)));
    assert_eq!(consumer.pop(), Ok(Some(2)));
    assert_eq!(consumer.pop(), Ok(None));
}

#[test]
fn a_producer_that_is_restarted_finds_an_empty_queue_and_the_consumer_sees_that_once() {
    let memory = memory::<u64>(4);
    let (mut producer, mut consumer) = (putter::<u64>(memory), taker::<u64>(memory));
    producer.push(&1).expect("there is room");
    producer.push(&2).expect("there is room");
    assert_eq!(consumer.pop(), Ok(Some(1)));
    let epoch = producer.epoch();
    let mut producer: Putter<u64> = putter(memory);
    assert_ne!(producer.epoch(), epoch);
    assert_eq!(producer.room(), Ok(4));
    producer.push(&3).expect("there is room");
    assert_eq!(consumer.pop(), Err(PopError::Peer(PeerError::Restarted)));
    assert_eq!(consumer.pop(), Ok(Some(3)));
    assert_eq!(consumer.pop(), Ok(None));
}

#[test]
fn a_consumer_that_is_restarted_finds_an_empty_queue_and_the_producer_sees_that_once() {
    let memory = memory::<u64>(4);
    let (mut producer, mut consumer) = (putter::<u64>(memory), taker::<u64>(memory));
    producer.push(&1).expect("there is room");
    producer.push(&2).expect("there is room");
    assert_eq!(consumer.pop(), Ok(Some(1)));
    let mut consumer: Taker<u64> = taker(memory);
    assert_eq!(consumer.pop(), Ok(None));
    let restarted = PushError::Peer(PeerError::Restarted);
    assert_eq!(producer.push(&3), Err(restarted));
    assert_eq!(producer.push(&4), Ok(()));
    assert_eq!(consumer.pop(), Ok(Some(4)));
    assert_eq!(producer.room(), Ok(4));
}

/// Returns whether a restarted consumer finds an empty queue, although the producer has put records
/// for its earlier incarnation.
fn new_incarnation_finds_nothing_old(forget: fn(Words)) -> bool {
    let memory = memory::<u64>(4);
    let (mut producer, mut consumer) = (putter::<u64>(memory), taker::<u64>(memory));
    producer.push(&1).expect("there is room");
    producer.push(&2).expect("there is room");
    assert_eq!(consumer.pop(), Ok(Some(1)));
    forget(memory.0);
    taker::<u64>(memory).pop() == Ok(None)
}

/// Negative control: if a restart does not advance the epoch, records are taken twice.
#[test]
fn a_consumer_that_forgets_its_incarnations_is_found() {
    assert!(new_incarnation_finds_nothing_old(|_| {}));
    let mutant = |taken: Words| taken[0].store(0, Ordering::Relaxed);
    assert!(!new_incarnation_finds_nothing_old(mutant));
}

#[test]
fn a_record_that_is_no_value_is_told_and_is_not_in_the_way() {
    let memory = memory::<Switch>(2);
    let (mut producer, mut consumer) = (putter::<[u8; 3]>(memory), taker::<Switch>(memory));
    producer.push(&[1, 2, 3]).expect("there is room");
    producer.push(&[4, 1, 6]).expect("there is room");
    assert_eq!(consumer.pop(), Err(PopError::Invalid));
    let (number, is_on, level) = (4, true, 6);
    let second = Switch {
        number,
        is_on,
        level,
    };
    assert_eq!(consumer.pop(), Ok(Some(second)));
}

#[test]
fn ends_of_different_shape_are_told() {
    let memory = memory::<[u64; 2]>(4);
    let (mut producer, mut consumer) = (putter::<[u64; 2]>(memory), taker::<u64>(memory));
    let other = PeerError::OtherShape;
    assert_eq!(consumer.pop(), Err(PopError::Peer(other)));
    // The producer was opened first, and compares the shapes only now.
    assert_eq!(producer.push(&[1, 1]), Err(PushError::Peer(other)));
    let mut consumer: Taker<[u64; 2]> = taker(memory);
    let restarted = PushError::Peer(PeerError::Restarted);
    assert_eq!(producer.push(&[1, 1]), Err(restarted));
    assert_eq!(producer.push(&[1, 1]), Ok(()));
    assert_eq!(consumer.pop(), Ok(Some([1, 1])));
}

#[test]
fn positions_that_cannot_be_are_broken() {
    let (taken, put) = memory::<u64>(2);
    let (mut producer, mut consumer) = (putter::<u64>((taken, put)), taker::<u64>((taken, put)));
    // Position 4 is equal to 0 modulo twice the capacity, but is outside the valid range.
    taken[0].fetch_or(4, Ordering::Relaxed);
    assert_eq!(producer.room(), Err(PeerError::Broken));
    taken[0].fetch_and(!0xffff, Ordering::Relaxed);
    producer.push(&1).expect("there is room");
    assert_eq!(consumer.pop(), Ok(Some(1)));
    for lie in [2, 3, 4, 100, 0xffff] {
        let sound = taken[0].fetch_and(!0xffff, Ordering::Relaxed);
        taken[0].fetch_or(lie, Ordering::Relaxed);
        assert_eq!(producer.room(), Err(PeerError::Broken), "{lie}");
        taken[0].store(sound, Ordering::Relaxed);
        assert_eq!(producer.room(), Ok(2));
    }
    put[0].store(0, Ordering::Relaxed);
    assert_eq!(consumer.pop(), Err(PopError::Peer(PeerError::Broken)));
}

#[test]
fn threads_can_be_at_the_ends() {
    const COUNT: u64 = if cfg!(miri) { 50 } else { 50_000 };
    let memory = memory::<[u64; 3]>(5);
    let mut producer: Putter<[u64; 3]> = putter(memory);
    let mut consumer: Taker<[u64; 3]> = taker(memory);
    let producer = std::thread::spawn(move || {
        let mut next = 0;
        while next < COUNT {
            match producer.push(&[next, next, next]) {
                Ok(()) => next += 1,
                Err(_) => std::thread::yield_now(),
            }
        }
    });
    let mut expected = 0;
    while expected < COUNT {
        match consumer.pop().expect("the producer is sound") {
            Some(record) => {
                assert_eq!(record, [expected; 3]);
                expected += 1;
            }
            None => std::thread::yield_now(),
        }
    }
    producer.join().expect("it has put all");
}

/// Words that a hostile end may write: values close to valid values, or arbitrary values.
fn lies() -> impl Strategy<Value = Vec<u64>> {
    let place = (0_u64..4, 0_u64..4, 0_u64..20)
        .prop_map(|(epoch, peer, position)| epoch << 40 | peer << 16 | position);
    let word = prop_oneof![4 => place, 1 => any::<u64>(), 2 => 0_u64..4];
    prop::collection::vec(word, 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 2000 }))]

    /// Asserts that neither end panics, accesses memory out of bounds, or reports more records than
    /// fit.
    #[test]
    fn an_end_whose_every_read_is_a_lie_stays_inside(
        lies in lies(),
        capacity in 1_usize..6,
        calls in prop::collection::vec(0_u8..6, 1..60),
    ) {
        let answers = RefCell::new(lies);
        let answers = &answers;
        let taken = Hostile { words: CONSUMER_WORDS, answers };
        let put = Hostile { words: producer_words::<Switch>(capacity), answers };
        let mut producer: Producer<Switch, _, _> =
            Producer::open(put.clone(), taken.clone()).expect("large enough");
        let mut consumer: Consumer<Switch, _, _> =
            Consumer::open(taken, put).expect("large enough");
        let switch = Switch { number: 1, is_on: true, level: 2 };
        for call in calls {
            match call {
                0 => _ = producer.push(&switch),
                1 => _ = consumer.pop(),
                2 => assert!(producer.room().unwrap_or(0) <= capacity),
                3 => assert!(consumer.filled().unwrap_or(0) <= capacity),
                4 => _ = (producer.may_sleep(), consumer.may_sleep()),
                _ => _ = (producer.must_notify(), consumer.must_notify()),
            }
        }
    }

    /// Asserts that `Part::new` returns the requested range, or an error if the range does not fit.
    #[test]
    fn a_part_is_inside(first in any::<usize>(), count in any::<usize>(), has in 0_usize..9) {
        let memory = words(has);
        match Part::new(memory, first, count) {
            Ok(part) => {
                prop_assert!(first + count <= has);
                prop_assert_eq!(part.words(), count);
                prop_assert!(part.split_at(count + 1).is_err());
            }
            Err(small) => prop_assert!(small.needs > has),
        }
    }
}

#[test]
fn a_part_begins_at_0() {
    let memory = words(6);
    let part = Part::new(memory, 2, 4).expect("it is inside");
    let (front, back) = part.split_at(1).expect("it is inside");
    front.store(0, 7, Ordering::Relaxed);
    back.store(2, 8, Ordering::Relaxed);
    let all: Vec<u64> = memory.iter().map(|w| w.load(Ordering::Relaxed)).collect();
    assert_eq!(all, [0, 0, 7, 0, 0, 8]);
}

#[test]
#[should_panic(expected = "word 1 of 1")]
fn a_part_does_not_reach_further() {
    let part = Part::new(words(6), 2, 1).expect("it is inside");
    part.load(1, Ordering::Relaxed);
}
