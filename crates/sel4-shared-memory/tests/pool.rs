//! Buffers that go to and fro between a client and a server, by descriptors in two queues.
#![forbid(unsafe_code)]

use proptest::prelude::*;
use sel4_microkit::SharedWord;
use sel4_shared_memory::{
    Buffers, CONSUMER_WORDS, Consumer, Descriptor, NotSent, OutOfBounds, Pool, Producer, TooSmall,
    producer_words,
};

type Words = &'static [SharedWord];

const BUFFER_BYTES: usize = 24;

fn words(count: usize) -> Words {
    Box::leak((0..count).map(|_| SharedWord::new(0)).collect())
}

#[test]
fn a_buffer_goes_to_the_server_and_back() {
    let queue = || {
        (
            words(CONSUMER_WORDS),
            words(producer_words::<Descriptor>(2)),
        )
    };
    let (there, back, memory) = (queue(), queue(), words(6));
    let mut to_server = Producer::open(there.1, there.0).expect("large enough");
    let mut from_server: Consumer<Descriptor, _, _> =
        Consumer::open(back.0, back.1).expect("large enough");
    let mut pool: Pool<_, 2> =
        Pool::new(memory, BUFFER_BYTES, to_server.life()).expect("large enough");
    let mut requests: Consumer<Descriptor, _, _> =
        Consumer::open(there.0, there.1).expect("large enough");
    let mut replies = Producer::open(back.1, back.0).expect("large enough");
    let buffers = Buffers::new(memory, BUFFER_BYTES);

    for round in 0..5_u8 {
        let buffer = pool.take().expect("both are free");
        pool.write(&buffer, 3, &[round; 5]).expect("it is inside");
        let descriptor = pool.send(buffer, 8).expect("it is that long");
        to_server.push(&descriptor).expect("there is room");

        let descriptor = requests.pop().expect("sound").expect("it was sent");
        let loan = buffers.accept(descriptor).expect("it is a buffer");
        let mut bytes = [0; 8];
        buffers.read(&loan, 0, &mut bytes).expect("it is inside");
        assert_eq!(bytes[3..], [round; 5]);
        assert_eq!(buffers.write(&loan, 8, &[1]), Err(OutOfBounds));
        buffers
            .write(&loan, 0, &[round + 1; 8])
            .expect("it is inside");
        replies.push(&loan.give_back()).expect("there is room");

        let descriptor = from_server.pop().expect("sound").expect("it was sent");
        let buffer = pool.take_back(&descriptor).expect("it was sent");
        assert_eq!(pool.take_back(&descriptor), Err(NotSent));
        pool.read(&buffer, 0, &mut bytes).expect("it is inside");
        assert_eq!(bytes, [round + 1; 8]);
        pool.free(buffer);
    }
}

#[test]
fn a_pool_has_so_many_buffers_and_no_more() {
    let mut pool: Pool<_, 2> = Pool::new(words(6), BUFFER_BYTES, 1).expect("large enough");
    let (one, two) = (pool.take().expect("free"), pool.take().expect("free"));
    assert!(pool.take().is_none());
    assert_eq!(pool.write(&one, BUFFER_BYTES - 1, &[1]), Ok(()));
    assert_eq!(pool.write(&one, BUFFER_BYTES, &[1]), Err(OutOfBounds));
    assert_eq!(pool.send(one, BUFFER_BYTES + 1), Err(OutOfBounds));
    let again = pool.take().expect("it is free again");
    pool.send(again, 1).expect("it is that long");
    pool.send(two, 1).expect("it is that long");
    assert_eq!(pool.take_all_back(), 2);
    assert!(pool.take().is_some() && pool.take().is_some());
    let small = Pool::<_, 3>::new(words(8), BUFFER_BYTES, 1).map(|_| ());
    let (needs, has) = (9, 8);
    assert_eq!(small, Err(TooSmall { needs, has }));
}

#[test]
fn what_comes_back_from_another_life_is_refused() {
    let memory = words(6);
    let mut pool: Pool<_, 2> = Pool::new(memory, BUFFER_BYTES, 1).expect("large enough");
    let buffer = pool.take().expect("free");
    let sent = pool.send(buffer, 1).expect("it is that long");
    assert_eq!(pool.take_all_back(), 1);
    let buffer = pool.take().expect("free");
    let again = pool.send(buffer, 1).expect("it is that long");
    assert_eq!(pool.take_back(&sent), Err(NotSent));
    let mut pool: Pool<_, 2> = Pool::new(memory, BUFFER_BYTES, 2).expect("large enough");
    let buffer = pool.take().expect("free");
    pool.send(buffer, 1).expect("it is that long");
    assert_eq!(pool.take_back(&again), Err(NotSent));
}

#[test]
#[should_panic(expected = "a multiple of 8 bytes, and 20 is none")]
fn a_buffer_of_half_a_word_is_refused() {
    let _ = Pool::<_, 1>::new(words(8), 20, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 500 }))]

    /// A descriptor that somebody has made up is a buffer, or refused.
    #[test]
    fn a_made_up_descriptor_is_harmless(
        index in prop_oneof![0_u32..4, any::<u32>()],
        bytes in prop_oneof![0_u32..30, any::<u32>()],
        round in prop_oneof![Just(1_u64 << 40 | 1), any::<u64>()],
        (offset, count) in (0_usize..40, 0_usize..40),
    ) {
        let memory = words(6);
        let descriptor = Descriptor { index, bytes, round };
        let buffers = Buffers::new(memory, BUFFER_BYTES);
        match buffers.accept(descriptor) {
            Ok(loan) => {
                prop_assert!(index < 2 && bytes <= 24);
                let mut buffer = vec![0; count];
                let is_inside = offset + count <= loan.bytes();
                prop_assert_eq!(buffers.read(&loan, offset, &mut buffer).is_ok(), is_inside);
                prop_assert_eq!(buffers.write(&loan, offset, &buffer).is_ok(), is_inside);
            }
            Err(OutOfBounds) => prop_assert!(index >= 2 || bytes > 24),
        }
        let mut pool: Pool<_, 2> = Pool::new(memory, BUFFER_BYTES, 1).expect("large enough");
        let buffer = pool.take().expect("free");
        let sent = pool.send(buffer, 1).expect("it is that long");
        let is_sent = index == sent.index && round == sent.round;
        prop_assert_eq!(pool.take_back(&descriptor).is_ok(), is_sent);
    }
}
