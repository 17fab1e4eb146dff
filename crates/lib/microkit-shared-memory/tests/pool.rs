//! Tests pools, and buffers that a client and a server exchange through two queues of descriptors.
#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use microkit_shared_memory::{
    Buffers, Bytes, CONSUMER_WORDS, Consumer, Descriptor, Memory, NotSent, OutOfBounds, Pool,
    Producer, TooSmall, producer_words,
};
use proptest::prelude::*;
use sel4_microkit::SharedWord;

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
        Pool::new(memory, BUFFER_BYTES, to_server.epoch()).expect("large enough");
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
fn each_buffer_has_bytes_of_its_own() {
    let memory = words(9);
    let mut pool: Pool<_, 3> = Pool::new(memory, BUFFER_BYTES, 1).expect("large enough");
    let taken = [(); 3].map(|()| pool.take().expect("it is free"));
    for (buffer, fill) in taken.iter().zip(1..) {
        pool.write(buffer, 0, &[fill; BUFFER_BYTES])
            .expect("it is inside");
    }
    for (buffer, fill) in taken.iter().zip(1..) {
        let mut bytes = [0; BUFFER_BYTES];
        pool.read(buffer, 0, &mut bytes).expect("it is inside");
        assert_eq!(bytes, [fill; BUFFER_BYTES]);
    }
    let first = |index: usize| memory[index].load(Ordering::Relaxed).to_le_bytes()[0];
    let mut fills = [0, 3, 6].map(first);
    fills.sort_unstable();
    assert_eq!(fills, [1, 2, 3]);
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
    pool.send(again, BUFFER_BYTES).expect("it is that long");
    pool.send(two, 1).expect("it is that long");
    assert_eq!(pool.take_all_back(), 2);
    assert!(pool.take().is_some() && pool.take().is_some());
    let small = Pool::<_, 3>::new(words(8), BUFFER_BYTES, 1).map(|_| ());
    let (needs, has) = (9, 8);
    assert_eq!(small, Err(TooSmall { needs, has }));
}

#[test]
fn what_comes_back_from_another_incarnation_is_refused() {
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
#[should_panic(expected = "a multiple of 8 bytes below 4 GiB, and 20 is not")]
fn a_buffer_of_half_a_word_is_refused() {
    let _ = Pool::<_, 1>::new(words(8), 20, 1);
}

/// Calls `Pool::new` with a memory without words.
fn new_over_nothing<const N: usize>(buffer_bytes: usize) -> Result<(), TooSmall> {
    Pool::<_, N>::new(words(0), buffer_bytes, 1).map(|_| ())
}

/// Asserts that sizes whose sums or products overflow are refused, also in release builds.
#[test]
fn sizes_that_no_memory_has_are_refused() {
    const MOST: usize = u32::MAX as usize & !7;
    let all = |needs| Err(TooSmall { needs, has: 0 });
    assert_eq!(new_over_nothing::<64>(8), all(64));
    assert_eq!(new_over_nothing::<64>(MOST), all(64 * (MOST / 8)));
    // All these sizes are above the limit. For some sizes, the total size of 64 buffers overflows.
    for bytes in [
        1_usize << 61,
        1 << 58,
        (1 << 61) + 8,
        MOST + 8,
        usize::MAX - 7,
    ] {
        let refused = catch_unwind(|| new_over_nothing::<64>(bytes));
        let message = refused.expect_err("it is refused");
        let message = message.downcast_ref::<String>().expect("a text");
        assert!(message.contains("below 4 GiB"), "{message}");
        assert!(catch_unwind(|| Buffers::new(words(0), bytes)).is_err());
    }
    // The number of buffers is large, and each buffer has the maximum size.
    assert!(new_over_nothing::<1024>(MOST).is_err());
    for capacity in [usize::MAX, usize::MAX / 2, 1 << 63, (1 << 63) + 1, 1 << 62] {
        assert!(
            producer_words::<[u64; 4]>(capacity) >= capacity,
            "{capacity}"
        );
    }
}

/// Memory that claims `usize::MAX` words, so the indices of most bytes overflow.
#[derive(Clone)]
struct Endless;

impl Memory for Endless {
    fn words(&self) -> usize {
        usize::MAX
    }

    fn load(&self, index: usize, _: Ordering) -> u64 {
        index as u64
    }
}

#[test]
fn bytes_of_a_memory_that_has_more_than_there_are_end_where_numbers_do() {
    let bytes = Bytes::new(Endless);
    assert_eq!(bytes.len(), usize::MAX);
    let mut byte = [0];
    assert_eq!(bytes.read(usize::MAX, &mut byte), Err(OutOfBounds));
    assert_eq!(bytes.read(usize::MAX - 1, &mut byte), Ok(()));
    let buffers = Buffers::new(Endless, 1 << 31);
    let descriptor = |index| Descriptor {
        index,
        bytes: 8,
        round: 1,
    };
    assert!(buffers.accept(descriptor(u32::MAX)).is_ok());
}

#[track_caller]
fn is_refused_as_anothers<R>(f: impl FnOnce() -> R) {
    let payload = catch_unwind(AssertUnwindSafe(f))
        .err()
        .expect("it is refused");
    let message = payload.downcast_ref::<&str>().expect("a text");
    let is_it = [
        "this buffer is of another pool",
        "this loan is of other buffers",
    ];
    assert!(is_it.iter().any(|it| message.starts_with(it)), "{message}");
}

/// Asserts that a pool refuses a buffer of another pool with the same memory, size and epoch.
#[test]
fn a_buffer_of_one_pool_is_none_of_another() {
    let memory = words(6);
    let new = || Pool::<_, 2>::new(memory, BUFFER_BYTES, 1).expect("large enough");
    let (mut one, mut other) = (new(), new());
    let theirs = other.take().expect("free");
    let sent = other.send(theirs, 8).expect("it is that long");
    is_refused_as_anothers(|| other.free(one.take().expect("free")));
    assert!(
        other.take().is_some() && other.take().is_none(),
        "one is sent"
    );
    let mut other = new();
    let mine = one.take().expect("free");
    is_refused_as_anothers(|| other.read(&mine, 0, &mut [0]));
    is_refused_as_anothers(|| other.write(&mine, 0, &[0]));
    is_refused_as_anothers(|| other.send(mine, 8));
    // The two sent buffers have the same index, and each buffer is the first that its pool sends.
    let mut again = new();
    let buffer = again.take().expect("free");
    let mine = again.send(buffer, 8).expect("it is that long");
    assert_eq!(mine.index, sent.index);
    assert_eq!(again.take_back(&sent), Err(NotSent));
    assert!(again.take_back(&mine).is_ok());
}

#[test]
fn a_loan_of_some_buffers_is_none_of_others() {
    let memory = words(6);
    let (one, other) = (
        Buffers::new(memory, BUFFER_BYTES),
        Buffers::new(memory, BUFFER_BYTES),
    );
    let descriptor = Descriptor {
        index: 1,
        bytes: 8,
        round: 1,
    };
    let loan = one.accept(descriptor).expect("it is a buffer");
    is_refused_as_anothers(|| other.read(&loan, 0, &mut [0]));
    is_refused_as_anothers(|| other.write(&loan, 0, &[0]));
    assert_eq!(one.clone().write(&loan, 0, &[1]), Ok(()));
    assert_eq!(loan.give_back(), descriptor);
}

/// Asserts that two incarnations never use the same round, and that an epoch with too many bits
/// panics.
#[test]
fn rounds_of_two_incarnations_have_nothing_in_common() {
    const SENDS: usize = if cfg!(miri) { 20 } else { 70_000 };
    let rounds = |epoch| {
        let mut pool: Pool<_, 1> = Pool::new(words(3), BUFFER_BYTES, epoch).expect("large enough");
        (0..SENDS).map(move |_| {
            let buffer = pool.take().expect("free");
            let sent = pool.send(buffer, 8).expect("it is that long");
            let buffer = pool.take_back(&sent).expect("it was sent");
            pool.free(buffer);
            sent.round
        })
    };
    let mut all: Vec<u64> = rounds(1)
        .chain(rounds(2))
        .chain(rounds((1 << 24) - 1))
        .collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 3 * SENDS);
    let no_epoch = catch_unwind(|| Pool::<_, 1>::new(words(3), BUFFER_BYTES, 1 << 24).map(|_| ()));
    assert!(no_epoch.is_err());
}

/// Asserts that a later incarnation has greater rounds. The test creates the latest incarnation
/// first, so that its count is the lowest, as after a restart.
#[test]
fn rounds_of_an_incarnation_come_after_those_of_an_earlier_one() {
    let round = |epoch| {
        let mut pool: Pool<_, 1> = Pool::new(words(3), BUFFER_BYTES, epoch).expect("large enough");
        let buffer = pool.take().expect("free");
        pool.send(buffer, 8).expect("it is that long").round
    };
    let [third, second, first] = [3, 2, 1].map(round);
    assert!(first < second && second < third, "{first} {second} {third}");
}

#[test]
fn a_buffer_that_came_back_is_not_free_before_it_is_made_so() {
    let mut pool: Pool<_, 1> = Pool::new(words(3), BUFFER_BYTES, 1).expect("large enough");
    let buffer = pool.take().expect("free");
    let sent = pool.send(buffer, 8).expect("it is that long");
    assert!(pool.take().is_none(), "the server has it");
    let buffer = pool.take_back(&sent).expect("it was sent");
    assert!(pool.take().is_none(), "it is taken");
    assert_eq!(pool.take_all_back(), 0);
    assert!(pool.take().is_none(), "it is still taken");
    pool.free(buffer);
    assert!(pool.take().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 500 }))]

    /// Asserts that a forged descriptor is refused or gives access only to one buffer.
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
