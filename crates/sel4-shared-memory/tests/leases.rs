//! Leases: what is granted and what is refused and why; recalled, given back, and declared gone; and
//! against borrowers and lenders that write anything.
#![forbid(unsafe_code)]

mod hostile;

use std::cell::RefCell;
use std::sync::atomic::Ordering;

use hostile::Hostile;
use proptest::prelude::*;
use sel4_microkit::SharedWord;
use sel4_shared_memory::{
    Borrower, Grant, LeaseError, Lender, LenderError, Lives, Refusal, Request, Rights, Terms,
    TooSmall, board_words,
};
use zerocopy::{IntoBytes, TryFromBytes};

type Words = &'static [SharedWord];

const TERMS: Terms = Terms {
    leases: 2,
    bytes: 256,
    rights: Rights::Write,
};

const READ_ONLY: Terms = Terms {
    rights: Rights::Read,
    ..TERMS
};

fn words(count: usize) -> Words {
    Box::leak((0..count).map(|_| SharedWord::new(0)).collect())
}

struct World {
    board: Words,
    own: [Words; 2],
    region: Words,
}

impl World {
    fn new() -> Self {
        Self {
            board: words(board_words(4)),
            own: [words(1), words(1)],
            region: words(64),
        }
    }

    fn lender(&self) -> Lender<Words, Words, 2, 4> {
        let borrowers = [(self.own[0], TERMS), (self.own[1], READ_ONLY)];
        Lender::open(self.board, 512, borrowers).expect("it is large enough")
    }

    fn borrower(&self, which: usize) -> Borrower<Words, Words, Words> {
        Borrower::open(self.own[which], self.board, self.region).expect("it is large enough")
    }
}

#[test]
fn what_is_refused_says_why_and_spends_nothing() {
    let world = World::new();
    let mut lender = world.lender();
    let mut writer = world.borrower(0);
    let mut reader = world.borrower(1);
    let kept = writer.request(0, 64, Rights::Write);
    assert!(lender.request(0, &kept).is_ok());
    let cases = [
        ((512, 8), Refusal::Bounds),
        ((0, 520), Refusal::Bounds),
        ((u64::MAX - 7, 8), Refusal::Bounds),
        ((8, 0), Refusal::Bounds),
        ((4, 8), Refusal::Alignment),
        ((64, 12), Refusal::Alignment),
        ((56, 16), Refusal::Overlap),
        ((0, 8), Refusal::Overlap),
        ((64, 200), Refusal::Quota),
    ];
    for ((offset, bytes), refusal) in cases {
        let request = writer.request(offset, bytes, Rights::Write);
        assert_eq!(lender.request(0, &request), Err(refusal), "{request:?}");
        assert!(refusal.to_string().len() > 10);
    }
    let request = reader.request(64, 8, Rights::Write);
    assert_eq!(lender.request(1, &request), Err(Refusal::Rights));
    assert_eq!(lender.request(2, &request), Err(Refusal::Unknown));
    assert_eq!((lender.count(0), lender.count(1)), (1, 0));
}

#[test]
fn readers_share_and_a_writer_does_not() {
    let world = World::new();
    let mut lender = world.lender();
    let mut writer = world.borrower(0);
    let mut reader = world.borrower(1);
    let by_reader = reader.request(0, 64, Rights::Read);
    let by_writer = writer.request(32, 64, Rights::Read);
    assert!(lender.request(1, &by_reader).is_ok());
    let grant = lender.request(0, &by_writer).expect("both only read");
    let lease = writer.accept(grant).expect("it was just granted");
    assert_eq!(writer.write(&lease, 0, &[1]), Err(LeaseError::Rights));
    let request = writer.request(32, 8, Rights::Write);
    assert_eq!(lender.request(0, &request), Err(Refusal::Overlap));
}

#[test]
fn what_was_recalled_is_in_the_way_until_it_is_given_back() {
    let world = World::new();
    let mut lender = world.lender();
    let mut borrower = world.borrower(0);
    let request = borrower.request(0, 64, Rights::Write);
    let grant = lender.request(0, &request).expect("it is free");
    let lease = borrower.accept(grant).expect("it was just granted");
    assert_eq!(lender.recall(0, &grant), Ok(()));
    assert_eq!(lender.recall(0, &grant), Ok(()));
    assert_eq!(borrower.write(&lease, 0, b"late"), Err(LeaseError::Ended));
    assert!(!lender.is_free(0, 64));
    assert_eq!(lender.request(0, &request), Err(Refusal::Overlap));
    let given = lease.give_back();
    assert_eq!(lender.give_back(1, &given), Err(Refusal::Ended));
    assert_eq!(lender.give_back(0, &given), Ok(()));
    assert_eq!(lender.give_back(0, &given), Err(Refusal::Ended));
    assert!(lender.is_free(0, 64));
    assert_ne!(lender.request(0, &request), Ok(grant));
}

#[test]
fn a_borrower_that_was_declared_gone_has_nothing_until_it_has_a_new_life() {
    let world = World::new();
    let mut lender = world.lender();
    let mut borrower = world.borrower(0);
    let request = borrower.request(0, 64, Rights::Write);
    lender.request(0, &request).expect("it is free");
    lender.declare_gone(0);
    assert!(lender.is_free(0, 64));
    assert_eq!(lender.request(0, &request), Err(Refusal::Ended));
    let mut borrower = world.borrower(0);
    let request = borrower.request(0, 64, Rights::Write);
    assert!(lender.request(0, &request).is_ok());
}

#[test]
fn a_request_of_an_earlier_life_is_refused() {
    let world = World::new();
    let mut lender = world.lender();
    let early = world.borrower(0).request(0, 8, Rights::Read);
    let mut borrower = world.borrower(0);
    assert_eq!(lender.request(0, &early), Err(Refusal::Ended));
    let early = borrower.request(0, 8, Rights::Read);
    let mut lender = world.lender();
    assert_eq!(lender.request(0, &early), Err(Refusal::Ended));
    let request = borrower.request(0, 8, Rights::Read);
    assert!(lender.request(0, &request).is_ok());
}

#[test]
fn after_a_restart_of_the_lender_it_waits_for_those_that_can_write() {
    let world = World::new();
    let (mut writer, mut reader) = (world.borrower(0), world.borrower(1));
    let mut lender = world.lender();
    let request = reader.request(0, 8, Rights::Read);
    assert_eq!(lender.request(1, &request), Err(Refusal::Unsettled));
    writer.acknowledge();
    assert!(lender.request(1, &request).is_ok());
    let mut lender = world.lender();
    lender.declare_gone(0);
    let request = reader.request(0, 8, Rights::Read);
    assert!(lender.request(1, &request).is_ok());
}

#[test]
fn a_lender_without_room_is_refused() {
    let world = World::new();
    let refused = |board, own: Words, terms: Terms| {
        let lender = Lender::<Words, Words, 1, 4>::open(board, 512, [(own, terms)]);
        lender.map(|_| ()).expect_err("there is no room")
    };
    let (needs, has) = (5, 4);
    let small = LenderError::Memory(TooSmall { needs, has });
    assert_eq!(refused(words(4), world.own[0], TERMS), small);
    let (needs, has) = (1, 0);
    let small = LenderError::Memory(TooSmall { needs, has });
    assert_eq!(refused(world.board, words(0), TERMS), small);
    let many = Terms { leases: 5, ..TERMS };
    let table = LenderError::Table { needs: 5, has: 4 };
    assert_eq!(refused(world.board, world.own[0], many), table);
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => (0_u64..70).prop_map(|n| n * 8), 1 => 0_u64..5, 1 => any::<u64>()]
}

fn rights() -> impl Strategy<Value = Rights> {
    prop_oneof![Just(Rights::Read), Just(Rights::Write)]
}

/// A call of a borrower that keeps to nothing.
#[derive(Debug, Clone)]
enum Call {
    Request(u64, u64, Rights, Lives),
    GiveBack(usize),
    Recall(usize),
    Restart(u64),
    Gone,
}

fn calls() -> impl Strategy<Value = Vec<(usize, Call)>> {
    let lives = (0_u32..3, 0_u32..3).prop_map(|(borrower, lender)| Lives { borrower, lender });
    let call = prop_oneof![
        6 => (number(), number(), rights(), lives)
            .prop_map(|(offset, bytes, rights, lives)| Call::Request(offset, bytes, rights, lives)),
        2 => (0_usize..8).prop_map(Call::GiveBack),
        1 => (0_usize..8).prop_map(Call::Recall),
        2 => (0_u64..3, 0_u64..2).prop_map(|(life, lender)| Call::Restart(life << 32 | lender)),
        1 => Just(Call::Gone),
    ];
    prop::collection::vec((0_usize..3, call), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 2000 }))]

    /// Whatever borrowers ask for and write, no two leases are in each other's way, none is outside,
    /// and none has more than its quota.
    #[test]
    fn leases_never_overlap(calls in calls()) {
        let world = World::new();
        let mut lender = world.lender();
        let mut grants: Vec<(usize, Grant)> = Vec::new();
        for (who, call) in calls {
            match call {
                Call::Request(offset, bytes, rights, lives) => {
                    let request = Request { offset, bytes, rights, lives };
                    if let Ok(grant) = lender.request(who, &request) {
                        grants.push((who, grant));
                    }
                }
                Call::GiveBack(which) => if let Some((_, grant)) = grants.get(which) {
                    let _ = lender.give_back(who, grant);
                },
                Call::Recall(which) => if let Some((_, grant)) = grants.get(which) {
                    let _ = lender.recall(who, grant);
                },
                Call::Restart(word) => if let Some(own) = world.own.get(who) {
                    own[0].store(word, Ordering::Relaxed);
                    lender.look();
                },
                Call::Gone => lender.declare_gone(who),
            }
            let live = |(_, grant): &&(usize, Grant)| {
                world.board[1 + grant.slot as usize].load(Ordering::Relaxed) == grant.generation
            };
            let live: Vec<&(usize, Grant)> = grants.iter().filter(live).collect();
            for (place, (who, one)) in live.iter().enumerate() {
                prop_assert!(one.bytes > 0 && one.offset + one.bytes <= 512);
                for (_, other) in &live[place + 1..] {
                    let apart = one.offset + one.bytes <= other.offset
                        || other.offset + other.bytes <= one.offset;
                    let both_read = one.rights == Rights::Read && other.rights == Rights::Read;
                    prop_assert!(apart || both_read, "{one:?} {other:?}");
                }
                let theirs = live.iter().filter(|(other, _)| other == who);
                let sum: u64 = theirs.clone().map(|(_, grant)| grant.bytes).sum();
                prop_assert!(theirs.count() <= TERMS.leases && sum <= TERMS.bytes);
            }
        }
    }

    /// Whatever a lender grants and writes on its board, a borrower stays inside its region.
    #[test]
    fn a_borrower_of_a_hostile_lender_stays_inside(
        answers in prop::collection::vec(prop_oneof![0_u64..4, any::<u64>()], 0..100),
        (offset, bytes, slot) in (number(), number(), 0_u64..6),
        (at, count) in (0_usize..600, 0_usize..600),
        rights in rights(),
    ) {
        let answers = RefCell::new(answers);
        let [own, board, region] = [1, 5, 64].map(|words| Hostile { words, answers: &answers });
        let mut borrower = Borrower::open(own, board, region).expect("it is large enough");
        let lives = Lives { borrower: 1, lender: 1 };
        let grant = Grant { offset, bytes, rights, lives, slot, generation: 1 };
        if let Ok(lease) = borrower.accept(grant) {
            let mut buffer = vec![0; count];
            let _ = borrower.read(&lease, at, &mut buffer);
            let _ = borrower.write(&lease, at, &buffer);
        }
    }

    /// A grant is a message: any bytes are one or none.
    #[test]
    fn a_grant_is_its_bytes(bytes in prop::array::uniform32(any::<u8>())) {
        let mut message = [0; size_of::<Grant>()];
        message[..32].copy_from_slice(&bytes);
        if let Ok(grant) = Grant::try_read_from_bytes(&message) {
            prop_assert_eq!(grant.as_bytes(), &message);
        }
        message[16..24].copy_from_slice(Rights::Write.as_bytes());
        prop_assert!(Grant::try_read_from_bytes(&message).is_ok());
    }
}
