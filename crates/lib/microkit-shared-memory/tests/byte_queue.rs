//! Tests the queue of bytes: order, completeness, a full and an empty queue, two threads, and a
//! hostile peer.
#![forbid(unsafe_code)]

use std::sync::atomic::Ordering;

use microkit_shared_memory::{Broken, ByteConsumer, ByteProducer};
use sel4_microkit::SharedWord;

/// The number of words before the bytes.
const HEADER: usize = 24;

fn region(data_words: usize) -> &'static [SharedWord] {
    Box::leak(
        (0..HEADER + data_words)
            .map(|_| SharedWord::new(0))
            .collect(),
    )
}

#[test]
fn bytes_come_out_as_they_went_in_however_they_are_cut() {
    for (put_bytes, take_bytes) in [(1, 1), (3, 5), (7, 2), (24, 24), (40, 1), (1, 40)] {
        let region = region(3);
        let (mut producer, mut consumer) = (ByteProducer::new(region), ByteConsumer::new(region));
        assert_eq!(producer.capacity_bytes(), 24);
        let count = if cfg!(miri) { 60 } else { 1000 };
        let sent: Vec<u8> = (0..count).map(|n: u32| (n * 7) as u8).collect();
        let (mut rest, mut received) = (&sent[..], Vec::new());
        while received.len() < sent.len() {
            let count = producer.put(&rest[..put_bytes.min(rest.len())]);
            rest = &rest[count.expect("not broken")..];
            let mut buffer = vec![0; take_bytes];
            let count = consumer.take(&mut buffer).expect("not broken");
            received.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(received, sent, "{put_bytes} in, {take_bytes} out");
    }
}

#[test]
fn no_more_goes_in_than_there_is_room_for() {
    let region = region(2);
    let (mut producer, mut consumer) = (ByteProducer::new(region), ByteConsumer::new(region));
    assert_eq!(consumer.take_byte(), Ok(None));
    assert_eq!(producer.put(&[9; 20]), Ok(16));
    assert_eq!(
        (producer.room_bytes(), producer.filled_bytes()),
        (Ok(0), Ok(16))
    );
    assert_eq!(producer.put(&[9]), Ok(0));
    assert_eq!(consumer.take_byte(), Ok(Some(9)));
    assert_eq!(producer.put(&[8; 2]), Ok(1));
    assert_eq!(consumer.filled_bytes(), Ok(16));
}

#[test]
fn who_asks_for_room_is_known_once() {
    let region = region(1);
    let (mut producer, mut consumer) = (ByteProducer::new(region), ByteConsumer::new(region));
    assert!(!consumer.was_asked_for_room());
    assert_eq!(producer.put(&[1; 9]), Ok(8));
    assert_eq!(producer.ask_for_room(), Ok(8));
    assert_eq!(consumer.take_byte(), Ok(Some(1)));
    assert!(consumer.was_asked_for_room());
    assert!(!consumer.was_asked_for_room());
    assert_eq!(producer.ask_for_room(), Ok(7));
}

/// Asserts that invalid words from a peer never cause a panic or a count above the capacity.
#[test]
fn an_end_that_lies_is_found_out_or_gives_wrong_bytes_and_no_more() {
    const LIES: [u64; 8] = [0, 1, 8, 9, 16, 17, 1 << 32, u64::MAX];
    for lie in LIES {
        for word in 0..HEADER + 2 {
            let region = region(2);
            let (mut producer, mut consumer) =
                (ByteProducer::new(region), ByteConsumer::new(region));
            assert_eq!(producer.put(b"12345678"), Ok(8));
            assert_eq!(consumer.take(&mut [0; 3]), Ok(3));
            region[word].store(lie, Ordering::SeqCst);
            if let Ok(room) = producer.room_bytes() {
                assert!(room <= 16, "{room} at {word}, {lie}");
            }
            // The results may be `Ok` or `Err`, but these calls must not panic.
            let _ = producer.put(&[0; 40]);
            let _ = producer.ask_for_room();
            let mut buffer = [0; 40];
            if let Ok(count) = consumer.take(&mut buffer) {
                assert!(count <= 16, "{count} at {word}, {lie}");
            }
            let _ = consumer.was_asked_for_room();
        }
    }
    let positions = region(2);
    let (mut producer, mut consumer) = (ByteProducer::new(positions), ByteConsumer::new(positions));
    positions[0].store(17, Ordering::SeqCst);
    assert_eq!(consumer.filled_bytes(), Err(Broken));
    assert_eq!(consumer.take(&mut [0; 40]), Err(Broken));
    positions[16].store(1, Ordering::SeqCst);
    assert_eq!(producer.put(b"1"), Err(Broken));
}

#[test]
#[should_panic(expected = "a queue of bytes needs 24 words")]
fn a_region_without_room_for_bytes_is_refused() {
    ByteProducer::new(region(0));
}

#[test]
fn threads_can_be_at_the_ends() {
    const COUNT: usize = if cfg!(miri) { 300 } else { 300_000 };
    let region = region(5);
    let producer = std::thread::spawn(move || {
        let mut producer = ByteProducer::new(region);
        let sent: Vec<u8> = (0..COUNT).map(|n| (n % 251) as u8).collect();
        let mut rest = &sent[..];
        while !rest.is_empty() {
            rest = &rest[producer.put(rest).expect("not broken")..];
            std::thread::yield_now();
        }
    });
    let mut consumer = ByteConsumer::new(region);
    let mut expected = 0;
    while expected < COUNT {
        let mut buffer = [0; 17];
        let count = consumer.take(&mut buffer).expect("not broken");
        for &byte in &buffer[..count] {
            assert_eq!(byte, (expected % 251) as u8, "byte {expected}");
            expected += 1;
        }
        if count == 0 {
            std::thread::yield_now();
        }
    }
    producer.join().expect("it has put all");
}
