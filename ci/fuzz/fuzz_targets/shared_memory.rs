//! Fuzzes queues and leases with a hostile peer that may write its words at any time. Our end
//! accesses only its own memory and never panics. Our end takes at most as many records as the
//! queue holds. At the end both ends restart, and a correct peer can use the queue again.
#![no_main]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use microkit_shared_memory::{
    Borrower, Buffers, CONSUMER_WORDS, Consumer, Descriptor, Epochs, Grant, Lender, Memory, Part,
    PeerError, Pool, PopError, Producer, PushError, Request, Rights, Terms, VersionedReader, View,
    WritableMemory, board_words, producer_words,
};

const CAPACITY: usize = 3;
const LEASES: usize = 3;

/// Memory that the peer may write between any two of our accesses.
#[derive(Clone)]
struct Shared(Rc<World>);

struct World {
    words: RefCell<Vec<u64>>,
    /// The next writes of the peer. Each contains the number of our accesses that precede it.
    lies: RefCell<Vec<Lie>>,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
struct Lie {
    after: u8,
    index: u8,
    word: u64,
    shift: u8,
}

impl Shared {
    fn new(words: usize, lies: Vec<Lie>) -> Self {
        Self(Rc::new(World {
            words: RefCell::new(vec![0; words]),
            lies: RefCell::new(lies),
        }))
    }

    fn before_access(&self) {
        let mut lies = self.0.lies.borrow_mut();
        let mut words = self.0.words.borrow_mut();
        while let Some(lie) = lies.last_mut() {
            if let Some(left) = lie.after.checked_sub(1) {
                lie.after = left;
                break;
            }
            let index = usize::from(lie.index) % words.len();
            // The peer writes an arbitrary value, or slightly increments the position or one of the
            // epochs.
            words[index] = match lie.shift % 4 {
                0 => lie.word,
                1 => words[index].wrapping_add(lie.word % 4),
                2 => words[index].wrapping_add(lie.word % 4 << 16),
                _ => words[index].wrapping_add(lie.word % 4 << 40),
            };
            lies.pop();
        }
    }
}

impl Memory for Shared {
    fn words(&self) -> usize {
        self.0.words.borrow().len()
    }

    fn load(&self, index: usize, _: Ordering) -> u64 {
        self.before_access();
        self.0.words.borrow()[index]
    }
}

impl WritableMemory for Shared {
    fn store(&self, index: usize, value: u64, _: Ordering) {
        self.before_access();
        self.0.words.borrow_mut()[index] = value;
    }
}

#[derive(Arbitrary, Debug)]
enum Call {
    Push(u64),
    Pop,
    Room,
    Sleep,
    NewProducer,
    NewConsumer,
    Accept(u32, u32, u64, u16, u8),
    Look(u8),
    Request(u64, u64, bool, u32, u32),
    Use(u64, u64, u64, u64, u16, u8),
    Gone,
}

fn rights(writes: bool) -> Rights {
    if writes { Rights::Write } else { Rights::Read }
}

fuzz_target!(|input: (Vec<Lie>, Vec<Call>)| {
    let (lies, calls) = input;
    let put_words = producer_words::<[u64; 2]>(CAPACITY);
    let shared = Shared::new(CONSUMER_WORDS + put_words + 24, lies);
    let (taken, rest) = Part::whole(shared.clone())
        .split_at(CONSUMER_WORDS)
        .expect("it is large enough");
    let (put, rest) = rest.split_at(put_words).expect("it is large enough");
    let (own, board) = rest.clone().split_at(1).expect("it is large enough");
    let new_producer = || -> Producer<[u64; 2], _, _> {
        Producer::open(put.clone(), taken.clone()).expect("it is large enough")
    };
    let new_consumer = || -> Consumer<[u64; 2], _, _> {
        Consumer::open(taken.clone(), put.clone()).expect("it is large enough")
    };
    let (mut producer, mut consumer) = (new_producer(), new_consumer());
    let terms = Terms {
        leases: LEASES,
        bytes: 64,
        rights: Rights::Write,
    };
    let mut lender: Lender<_, _, 1, LEASES> =
        Lender::open(board.clone(), 100, [(own.clone(), terms)]).expect("it is large enough");
    assert!(board.words() >= board_words(LEASES));
    let mut borrower = Borrower::open(own, board, rest.clone()).expect("it is large enough");
    let view: View<char, _> = View::new(rest.clone());
    let versioned: VersionedReader<[u32; 7], _> =
        VersionedReader::new(rest.clone()).expect("it is large enough");
    let buffers = Buffers::new(rest.clone(), 40);
    let mut pool: Pool<_, 4> = Pool::new(rest, 40, 1).expect("it is large enough");
    for call in calls {
        match call {
            Call::Push(word) => _ = producer.push(&[word, !word]),
            Call::Pop => _ = consumer.pop(),
            Call::Room => {
                assert!(producer.room().unwrap_or(0) <= CAPACITY);
                assert!(consumer.filled().unwrap_or(0) <= CAPACITY);
            }
            Call::Sleep => {
                let _ = (producer.may_sleep(), consumer.may_sleep());
                let _ = (producer.must_notify(), consumer.must_notify());
                let _ = (producer.is_settled(), consumer.is_settled());
            }
            Call::NewProducer => producer = new_producer(),
            Call::NewConsumer => consumer = new_consumer(),
            Call::Accept(index, bytes, round, offset, count) => {
                let descriptor = Descriptor {
                    index,
                    bytes,
                    round,
                };
                if let Ok(loan) = buffers.accept(descriptor) {
                    let mut bytes = vec![0; count.into()];
                    let _ = buffers.read(&loan, offset.into(), &mut bytes);
                    let _ = buffers.write(&loan, offset.into(), &bytes);
                }
                if let Ok(buffer) = pool.take_back(&descriptor) {
                    pool.free(buffer);
                }
                if let Some(buffer) = pool.take() {
                    let _ = pool.send(buffer, count.into());
                }
            }
            Call::Look(index) => {
                let _ = view.load(index.into());
                let _ = versioned.read();
            }
            Call::Request(offset, bytes, writes, mine, theirs) => {
                let epochs = Epochs {
                    borrower: mine,
                    lender: theirs,
                };
                let request = Request {
                    offset,
                    bytes,
                    rights: rights(writes),
                    epochs,
                };
                let honest = borrower.request(offset % 128, bytes % 128, rights(writes));
                for request in [request, honest] {
                    if let Ok(grant) = lender.request(0, &request) {
                        assert!(grant.bytes > 0 && grant.offset + grant.bytes <= 100);
                    }
                }
                assert!(lender.count(0) <= LEASES);
            }
            Call::Use(offset, bytes, slot, generation, at, count) => {
                let epochs = borrower.request(0, 8, Rights::Write).epochs;
                let rights = rights(generation & 2 == 0);
                let grant = Grant {
                    offset,
                    bytes,
                    rights,
                    epochs,
                    slot,
                    generation,
                };
                if let Ok(lease) = borrower.accept(grant) {
                    let mut bytes = vec![0; count.into()];
                    let _ = borrower.read(&lease, at.into(), &mut bytes);
                    let _ = borrower.write(&lease, at.into(), &bytes);
                    let _ = lender.recall(0, &grant);
                    let _ = lender.give_back(0, &lease.give_back());
                }
            }
            Call::Gone => lender.declare_gone(0),
        }
    }
    // Restarts both ends. From now on, the peer is correct.
    shared.0.lies.borrow_mut().clear();
    let (mut producer, mut consumer) = (new_producer(), new_consumer());
    // Each end detects the peer's restart, unless a lie has overwritten the epoch of the peer.
    match producer.push(&[1, 2]) {
        Ok(()) | Err(PushError::Peer(PeerError::Restarted)) => {}
        Err(error) => panic!("{error}"),
    }
    loop {
        match consumer.pop() {
            Ok(None) => break,
            Ok(Some(record)) => assert_eq!(record, [1, 2]),
            Err(error) => assert_eq!(error, PopError::Peer(PeerError::Restarted)),
        }
    }
    producer.push(&[3, 4]).expect("it is empty");
    assert_eq!(consumer.pop(), Ok(Some([3, 4])));
});
