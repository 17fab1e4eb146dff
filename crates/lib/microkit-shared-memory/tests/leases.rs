//! Tests leases: grants and refusals with their reasons, recalls, returns and declared deaths. The
//! tests also use hostile borrowers and lenders that write arbitrary values.
#![forbid(unsafe_code)]

mod hostile;

use std::cell::RefCell;
use std::sync::atomic::Ordering;

use hostile::Hostile;
use microkit_shared_memory::{
    Borrower, Epochs, Grant, LeaseError, Lender, LenderError, Memory, Refusal, Request, Rights,
    Terms, TooSmall, board_words,
};
use proptest::prelude::*;
use sel4_microkit::SharedWord;
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
fn each_incarnation_of_the_lender_has_another_number() {
    let world = World::new();
    let epochs = [(); 3].map(|()| world.lender().epoch());
    assert_eq!(epochs, [1, 2, 3]);
}

#[test]
fn each_incarnation_of_a_borrower_has_another_number_even_before_the_first_lender() {
    let world = World::new();
    let epochs = [(); 3].map(|()| world.borrower(0).request(0, 8, Rights::Read).epochs);
    assert_eq!(epochs.map(|epochs| epochs.borrower), [1, 2, 3]);
}

#[test]
fn a_writer_that_a_later_lender_does_not_have_is_in_nobodys_way() {
    let world = World::new();
    let [one, other] = [(world.own[0], READ_ONLY), (world.own[1], TERMS)];
    let lender = Lender::<Words, Words, 2, 4>::open(world.board, 512, [one, other]);
    let mut lender = lender.expect("it is large enough");
    let request = world.borrower(1).request(0, 64, Rights::Write);
    lender.request(1, &request).expect("it is free");
    let lender = Lender::<Words, Words, 1, 4>::open(world.board, 512, [one]);
    let mut lender = lender.expect("it is large enough");
    let request = world.borrower(0).request(0, 64, Rights::Read);
    assert!(lender.request(0, &request).is_ok());
    assert_eq!(lender.count(1), 0);
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
    assert_eq!(lease.bytes(), 64);
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
    assert!(!lender.is_free(0, 64) && !lender.is_free(56, u64::MAX));
    assert_eq!(lender.request(0, &request), Err(Refusal::Overlap));
    let given = lease.give_back();
    assert_eq!(lender.give_back(1, &given), Err(Refusal::Ended));
    assert_eq!(lender.give_back(0, &given), Ok(()));
    assert_eq!(lender.give_back(0, &given), Err(Refusal::Ended));
    assert!(lender.is_free(0, 64));
    assert_ne!(lender.request(0, &request), Ok(grant));
}

#[test]
fn a_borrower_that_was_declared_gone_has_nothing_until_it_has_a_new_incarnation() {
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
fn a_request_of_an_earlier_incarnation_is_refused() {
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
fn after_a_restart_of_the_lender_it_waits_for_those_that_could_write_there() {
    let world = World::new();
    let (mut writer, mut reader) = (world.borrower(0), world.borrower(1));
    let mut lender = world.lender();
    let request = writer.request(64, 64, Rights::Write);
    let grant = lender.request(0, &request).expect("it is free");
    let request = writer.request(192, 64, Rights::Write);
    let recalled = lender.request(0, &request).expect("it is free");
    assert_eq!(lender.recall(0, &recalled), Ok(()));
    let request = reader.request(128, 64, Rights::Read);
    let read = lender.request(1, &request).expect("it is free");
    let can_read = |lender: &mut Lender<Words, Words, 2, 4>, reader: &mut Borrower<_, _, _>| {
        [0, 56, 64, 120, 128, 192, 248, 256].map(|offset| {
            let request = reader.request(offset, 8, Rights::Read);
            let granted = lender.request(1, &request);
            if let Ok(grant) = &granted {
                assert_eq!(lender.give_back(1, grant), Ok(()));
            }
            granted.err()
        })
    };
    let late = Some(Refusal::Unsettled);
    let writable = [None, None, late, late, None, late, late, None];
    // Restart the lender several times. The reader's lease of an earlier incarnation never blocks a
    // new lease.
    for _ in 0..3 {
        let mut lender = world.lender();
        assert_eq!(can_read(&mut lender, &mut reader), writable);
        assert_eq!((lender.count(0), lender.count(1)), (2, 0));
        assert!(!lender.is_free(0, 72) && lender.is_free(0, 64) && lender.is_free(128, 64));
        for earlier in [&grant, &recalled] {
            assert_eq!(lender.give_back(0, earlier), Err(Refusal::Ended));
        }
        assert_eq!(lender.give_back(1, &read), Err(Refusal::Ended));
    }
    let all = [None; 8];
    let mut lender = world.lender();
    lender.declare_gone(0);
    assert_eq!(can_read(&mut lender, &mut reader), all);
    // An ended lease does not reappear in a later incarnation.
    let mut lender = world.lender();
    assert_eq!(can_read(&mut lender, &mut reader), all);

    writer.acknowledge();
    let request = writer.request(64, 64, Rights::Write);
    lender.request(0, &request).expect("it is free");
    let mut lender = world.lender();
    assert_eq!(lender.count(0), 1);
    writer.acknowledge();
    assert_eq!(can_read(&mut lender, &mut reader), all);

    let request = writer.request(64, 64, Rights::Write);
    lender.request(0, &request).expect("it is free");
    let mut lender = world.lender();
    world.borrower(0);
    assert_eq!(can_read(&mut lender, &mut reader), all);
}

/// Asserts that a borrower cannot affect the leases of another borrower by writing to its own word.
#[test]
fn whatever_a_borrower_writes_about_itself_another_is_granted_what_it_asks_for() {
    type Act = fn(&World, &mut Borrower<Words, Words, Words>);
    let acts: [Act; 6] = [
        |_, _| (),
        |_, writer| writer.acknowledge(),
        |world, _| world.own[0][0].store(0, Ordering::Relaxed),
        |world, _| world.own[0][0].store(u64::MAX, Ordering::Relaxed),
        |world, writer| {
            writer.acknowledge();
            world.own[0][0].store(0, Ordering::Relaxed);
        },
        |world, _| {
            // Write another borrower epoch, and a lender epoch that does not exist.
            let word = world.own[0][0].load(Ordering::Relaxed);
            world.own[0][0].store(word.wrapping_add(1 << 32) & !1, Ordering::Relaxed);
        },
    ];
    for first in acts {
        for second in acts {
            let world = World::new();
            let (mut writer, mut reader) = (world.borrower(0), world.borrower(1));
            let mut lender = world.lender();
            let request = writer.request(0, 64, Rights::Write);
            lender.request(0, &request).expect("it is free");
            for _ in 0..3 {
                first(&world, &mut writer);
                for _ in 0..3 {
                    let request = reader.request(64, 64, Rights::Read);
                    let grant = lender.request(1, &request).expect("nobody has it");
                    let lease = reader.accept(grant).expect("it was just granted");
                    second(&world, &mut writer);
                    lender.look();
                    assert_eq!(reader.check(&lease), Ok(()));
                    assert!(lender.is_free(128, 384));
                    assert_eq!(lender.give_back(1, &lease.give_back()), Ok(()));
                }
                lender = world.lender();
            }
        }
    }
}

/// Asserts that a borrower refuses the lease of another borrower, even if all epochs are equal.
#[test]
fn a_lease_of_one_borrower_is_none_of_another() {
    let worlds = [World::new(), World::new()];
    let mut leases = worlds.iter().map(|world| {
        let mut lender = world.lender();
        let mut borrower = world.borrower(0);
        let request = borrower.request(0, 64, Rights::Write);
        let grant = lender.request(0, &request).expect("it is free");
        let lease = borrower.accept(grant).expect("it was just granted");
        (borrower, lease)
    });
    let (Some((mut one, mine)), Some((mut other, theirs))) = (leases.next(), leases.next()) else {
        panic!("there are two");
    };
    let not_mine = Err(LeaseError::OtherBorrower);
    assert_eq!(one.check(&theirs), not_mine);
    assert_eq!(one.write(&theirs, 0, &[1]), not_mine);
    assert_eq!(other.read(&mine, 0, &mut [0]), not_mine);
    assert_eq!(one.write(&mine, 0, &[1]), Ok(()));
    assert_eq!(mine.give_back(), theirs.give_back());
}

/// Asserts that a request is refused if the sum of leased bytes overflows, also in release builds.
#[test]
fn a_quota_is_no_less_for_sums_that_no_number_has() {
    let world = World::new();
    let half = 1 << 63;
    let terms = Terms {
        leases: 4,
        bytes: half,
        rights: Rights::Read,
    };
    let lender = Lender::<_, _, 1, 4>::open(world.board, u64::MAX - 7, [(world.own[0], terms)]);
    let mut lender = lender.expect("it is large enough");
    let mut borrower = world.borrower(0);
    let request = borrower.request(0, half, Rights::Read);
    assert!(lender.request(0, &request).is_ok());
    assert_eq!(lender.request(0, &request), Err(Refusal::Quota));
}

#[test]
fn a_grant_of_what_is_not_leased_is_none() {
    let world = World::new();
    let mut lender = world.lender();
    let mut borrower = world.borrower(0);
    let request = borrower.request(0, 64, Rights::Write);
    let grant = lender.request(0, &request).expect("it is free");
    assert_eq!(lender.give_back(0, &grant), Ok(()));
    // The board now has the next generation.
    let generation = grant.generation + 1;
    let forged = Grant {
        generation,
        ..grant
    };
    assert_eq!(borrower.accept(forged), Err(LeaseError::Ended));
    let forged = Grant {
        slot: u64::MAX,
        ..grant
    };
    assert_eq!(borrower.accept(forged), Err(LeaseError::OutOfBounds));
}

#[test]
fn a_lender_without_room_is_refused() {
    let world = World::new();
    let refused = |board, own: Words, terms: Terms| {
        let lender = Lender::<Words, Words, 1, 4>::open(board, 512, [(own, terms)]);
        lender.map(|_| ()).expect_err("there is no room")
    };
    let (needs, has) = (board_words(4), board_words(4) - 1);
    let small = LenderError::Memory(TooSmall { needs, has });
    assert_eq!(refused(words(has), world.own[0], TERMS), small);
    let (needs, has) = (1, 0);
    let small = LenderError::Memory(TooSmall { needs, has });
    assert_eq!(refused(world.board, words(0), TERMS), small);
    let many = Terms { leases: 5, ..TERMS };
    let table = LenderError::Table { needs: 5, has: 4 };
    assert_eq!(refused(world.board, world.own[0], many), table);
}

/// The memory of an honest or a hostile borrower.
enum Own<'a> {
    Hostile(Hostile<'a>),
    Honest(Words),
}

impl Memory for Own<'_> {
    fn words(&self) -> usize {
        1
    }

    fn load(&self, index: usize, order: Ordering) -> u64 {
        match self {
            Self::Hostile(own) => own.load(index, order),
            Self::Honest(own) => own[index].load(order),
        }
    }
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => (0_u64..70).prop_map(|n| n * 8), 1 => 0_u64..5, 1 => any::<u64>()]
}

fn rights() -> impl Strategy<Value = Rights> {
    prop_oneof![Just(Rights::Read), Just(Rights::Write)]
}

/// An arbitrary call, as a hostile borrower could cause.
#[derive(Debug, Clone)]
enum Call {
    Request(u64, u64, Rights, Epochs),
    GiveBack(usize),
    Recall(usize),
    Restart(u64),
    Gone,
}

fn calls() -> impl Strategy<Value = Vec<(usize, Call)>> {
    let epochs = (0_u32..3, 0_u32..3).prop_map(|(borrower, lender)| Epochs { borrower, lender });
    let call = prop_oneof![
        6 => (number(), number(), rights(), epochs)
            .prop_map(|(offset, bytes, rights, epochs)| Call::Request(offset, bytes, rights, epochs)),
        2 => (0_usize..8).prop_map(Call::GiveBack),
        1 => (0_usize..8).prop_map(Call::Recall),
        2 => (0_u64..3, 0_u64..2).prop_map(|(epoch, lender)| Call::Restart(epoch << 32 | lender)),
        1 => Just(Call::Gone),
    ];
    prop::collection::vec((0_usize..3, call), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 2000 }))]

    /// Asserts for arbitrary calls that leases never conflict, are never out of bounds, and never
    /// exceed a quota.
    #[test]
    fn leases_never_overlap(calls in calls()) {
        let world = World::new();
        let mut lender = world.lender();
        let mut grants: Vec<(usize, Grant)> = Vec::new();
        for (who, call) in calls {
            match call {
                Call::Request(offset, bytes, rights, epochs) => {
                    let request = Request { offset, bytes, rights, epochs };
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
                world.board[1 + 4 * grant.slot as usize].load(Ordering::Relaxed) == grant.generation
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

    /// Asserts that an honest borrower can always lease bytes that were never granted to a hostile
    /// borrower, even after restarts. The word of the hostile borrower changes at each load.
    #[test]
    fn a_hostile_borrower_takes_nothing_from_another(
        calls in calls(),
        answers in prop::collection::vec(prop_oneof![0_u64..4, (0_u64..4, 0_u64..4)
            .prop_map(|(epoch, lender)| epoch << 32 | lender), any::<u64>()], 0..300),
    ) {
        let (board, own, region) = (words(board_words(4)), words(1), words(64));
        let answers = RefCell::new(answers);
        let open = || {
            let hostile = Own::Hostile(Hostile { words: 1, answers: &answers });
            Lender::<_, _, 2, 4>::open(board, 512, [(hostile, TERMS), (Own::Honest(own), TERMS)])
                .expect("it is large enough")
        };
        let mut lender = open();
        let mut honest = Borrower::open(own, board, region).expect("it is large enough");
        // All ranges that were ever granted to the hostile borrower.
        let mut theirs: Vec<(u64, u64)> = Vec::new();
        let mut grants = Vec::new();
        for (who, call) in calls {
            match call {
                Call::Request(offset, bytes, rights, epochs) => {
                    let request = Request { offset, bytes, rights, epochs };
                    if let Ok(grant) = lender.request(0, &request) {
                        theirs.push((offset, offset + bytes));
                        grants.push(grant);
                    }
                }
                Call::GiveBack(which) => if let Some(grant) = grants.get(which) {
                    let _ = lender.give_back(0, grant);
                },
                Call::Recall(which) => if let Some(grant) = grants.get(which) {
                    let _ = lender.recall(0, grant);
                },
                Call::Restart(_) if who == 0 => lender = open(),
                Call::Restart(_) => {
                    honest = Borrower::open(own, board, region).expect("it is large enough");
                }
                Call::Gone => lender.declare_gone(0),
            }
            let is_theirs = |at: u64| theirs.iter().any(|(start, end)| (*start..*end).contains(&at));
            let Some(offset) = (0..512).step_by(8).find(|at| !is_theirs(*at)) else {
                return Ok(());
            };
            let request = honest.request(offset, 8, Rights::Write);
            let grant = lender.request(1, &request);
            prop_assert!(grant.is_ok(), "{offset}: {grant:?}");
            let lease = honest.accept(grant.unwrap()).expect("it was just granted");
            lender.look();
            prop_assert_eq!(honest.write(&lease, 0, &[7; 8]), Ok(()));
            prop_assert_eq!(lender.give_back(1, &lease.give_back()), Ok(()));
        }
    }

    /// Asserts for arbitrary grants and board words that a borrower stays inside its region.
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
        let epochs = Epochs { borrower: 1, lender: 1 };
        let grant = Grant { offset, bytes, rights, epochs, slot, generation: 1 };
        if let Ok(lease) = borrower.accept(grant) {
            let mut buffer = vec![0; count];
            let _ = borrower.read(&lease, at, &mut buffer);
            let _ = borrower.write(&lease, at, &buffer);
        }
    }

    /// Asserts that a grant read from a message has the same bytes as the message, and that all
    /// bytes except the rights can have any value.
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
