//! Tests that this crate does not have the reported bugs of shared buffers in Tock's IPC. Each test
//! also plants a flaw with the same effect as the bug, and the same check must detect the flaw.
#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use microkit_shared_memory::{
    Borrower, Bytes, Grant, LeaseError, Lender, Refusal, Rights, Terms, board_words,
};
use sel4_microkit::SharedWord;

type Words = &'static [SharedWord];

const REGION_BYTES: u64 = 4096;
const LEASES: usize = 4;

fn words(count: usize) -> Words {
    Box::leak((0..count).map(|_| SharedWord::new(0)).collect())
}

/// The memory of a lender and two borrowers. A restart does not change this memory.
struct World {
    board: Words,
    own: [Words; 2],
    region: Words,
    /// A planted flaw: the side whose epoch is reset at each restart, so that all its incarnations
    /// have the same epoch.
    forgetful: Option<Side>,
}

#[derive(Debug, PartialEq)]
enum Side {
    Lender,
    Borrower,
}

type TestLender = Lender<Words, Words, 2, LEASES>;
type TestBorrower = Borrower<Words, Words, Words>;

impl World {
    fn new(forgetful: Option<Side>) -> Self {
        Self {
            board: words(board_words(LEASES)),
            own: [words(1), words(1)],
            region: words(REGION_BYTES as usize / 8),
            forgetful,
        }
    }

    fn forget(&self, side: Side, words: Words) {
        if self.forgetful == Some(side) {
            words
                .iter()
                .for_each(|word| word.store(0, Ordering::Relaxed));
        }
    }

    fn lender(&self) -> TestLender {
        self.forget(Side::Lender, self.board);
        let terms = Terms {
            leases: 2,
            bytes: REGION_BYTES,
            rights: Rights::Write,
        };
        Lender::open(self.board, REGION_BYTES, self.own.map(|own| (own, terms)))
            .expect("the memory is large enough")
    }

    fn borrower(&self, which: usize) -> TestBorrower {
        self.forget(Side::Borrower, self.own[which]);
        Borrower::open(self.own[which], self.board, self.region).expect("it is large enough")
    }
}

fn ask(
    lender: &mut TestLender,
    which: usize,
    borrower: &mut TestBorrower,
    range: (u64, u64),
) -> Result<Grant, Refusal> {
    let request = borrower.request(range.0, range.1, Rights::Write);
    lender.request(which, &request)
}

/// Returns whether the check fails by an assertion.
fn is_found(check: impl FnOnce()) -> bool {
    let Err(why) = catch_unwind(AssertUnwindSafe(check)) else {
        return false;
    };
    let text = why.downcast_ref::<&str>().copied();
    let text = text.or_else(|| Some(why.downcast_ref::<String>()?.as_str()));
    println!("{text:?}");
    text.is_some_and(|text| text.starts_with("assertion"))
}

/// Lengths that Tock accepted without an error but did not map.
const ODD_LENGTHS: [u64; 8] = [8, 24, 72, 96, 100 * 8, 1000, 4088, 4096];

/// Requests ranges of many lengths. A granted range must be usable to its last byte, and any other
/// request must be refused. `mangle` can plant a flaw by changing the grant.
fn every_length(mangle: fn(Grant) -> Grant) {
    for bytes in ODD_LENGTHS.into_iter().chain(1..=130) {
        let world = World::new(None);
        let mut lender = world.lender();
        let mut borrower = world.borrower(0);
        let offset = (REGION_BYTES - bytes) & !7;
        match ask(&mut lender, 0, &mut borrower, (offset, bytes)) {
            Ok(grant) => {
                let lease = borrower.accept(mangle(grant)).expect("it was just granted");
                let last = bytes as usize - 1;
                assert_eq!(borrower.write(&lease, last, &[7]), Ok(()), "{bytes}");
                let mut byte = [0];
                assert_eq!(borrower.read(&lease, last, &mut byte), Ok(()), "{bytes}");
                assert_eq!(byte, [7]);
                let beyond = borrower.read(&lease, last + 1, &mut byte);
                assert_eq!(beyond, Err(LeaseError::OutOfBounds));
            }
            Err(refusal) => {
                assert_eq!(refusal, Refusal::Alignment, "{bytes}");
                assert!(!bytes.is_multiple_of(8), "{bytes}");
            }
        }
    }
}

/// Tock: "Buffers not power of two in length will cause silent failures on ARM."
#[test]
fn a_length_that_is_no_power_of_two_works_or_is_refused() {
    every_length(|grant| grant);
    let mutant = |grant: Grant| Grant {
        bytes: 1 << grant.bytes.ilog2(),
        ..grant
    };
    assert!(is_found(move || every_length(mutant)));
}

/// Tock: "applications fault … if the shared buffers are not multiple of 64 … all the API calls
/// seem to return success."
#[test]
fn a_length_that_is_no_multiple_of_64_works_or_is_refused() {
    every_length(|grant| grant);
    let mutant = |grant: Grant| Grant {
        bytes: grant.bytes & !63,
        ..grant
    };
    assert!(is_found(move || every_length(mutant)));
}

/// Restarts a borrower that has a lease. The leased range must be free immediately, and the next
/// incarnation must not be able to use the lease.
fn borrower_dies(world: &World) {
    let mut lender = world.lender();
    let mut borrower = world.borrower(0);
    let mut other = world.borrower(1);
    let grant = ask(&mut lender, 0, &mut borrower, (0, 72)).expect("it is free");
    let in_the_way = ask(&mut lender, 1, &mut other, (64, 8));
    assert_eq!(in_the_way, Err(Refusal::Overlap));
    // Open a new incarnation of the borrower.
    let mut borrower = world.borrower(0);
    assert_eq!(borrower.accept(grant), Err(LeaseError::Ended));
    let late = lender.give_back(0, &grant);
    assert_eq!(late, Err(Refusal::Ended));
    assert!(ask(&mut lender, 1, &mut other, (64, 8)).is_ok());
}

/// Tock: "App A faulting does not reset the MPU configuration of app B, even if app A shared a
/// buffer with app B." This test restarts each side in turn.
#[test]
fn no_access_is_left_after_one_side_has_faulted() {
    borrower_dies(&World::new(None));
    assert!(is_found(|| borrower_dies(&World::new(Some(
        Side::Borrower
    )))));
    lender_dies(&World::new(None));
    assert!(is_found(|| lender_dies(&World::new(Some(Side::Lender)))));
}

/// Restarts a lender during a lease. The lender's next incarnation uses the memory for other data.
fn lender_dies(world: &World) {
    let mut lender = world.lender();
    let mut borrower = world.borrower(0);
    let grant = ask(&mut lender, 0, &mut borrower, (0, REGION_BYTES)).expect("it is free");
    let lease = borrower.accept(grant).expect("it was just granted");
    borrower.write(&lease, 0, b"mine").expect("it is leased");
    // Open a new incarnation of the lender.
    let mut lender = world.lender();
    // The borrower may be in the middle of a write. So neither the lender nor another borrower gets
    // the memory.
    let mut other = world.borrower(1);
    assert!(!lender.is_free(0, 8));
    assert_eq!(
        ask(&mut lender, 1, &mut other, (0, 8)),
        Err(Refusal::Unsettled)
    );
    // The borrower's next read or write is refused, and returns no data.
    let mut bytes = *b"none";
    assert_eq!(borrower.read(&lease, 0, &mut bytes), Err(LeaseError::Ended));
    assert_eq!(bytes, [0; 4]);
    assert_eq!(borrower.write(&lease, 0, b"late"), Err(LeaseError::Ended));
    // These accesses have also acknowledged the lender's new incarnation.
    assert!(lender.is_free(0, 8));
    Bytes::new(world.region)
        .write(0, b"new!")
        .expect("it is inside");
    assert!(ask(&mut lender, 1, &mut other, (0, 8)).is_ok());
    // The old lease stays invalid after its slot is reused.
    assert_eq!(borrower.write(&lease, 0, b"late"), Err(LeaseError::Ended));
    assert_eq!(lender.give_back(0, &lease.give_back()), Err(Refusal::Ended));
    Bytes::new(world.region)
        .read(0, &mut bytes)
        .expect("it is inside");
    assert_eq!(&bytes, b"new!");
}

/// In Tock, an application can share all its memory and restart itself. The kernel then stores its
/// own data in memory that the other application can still access: "restarting an application
/// resets `app_break` / … / `allow_high_water_mark`".
#[test]
fn a_restart_leaves_no_stale_access_as_in_the_high_water_mark_attack() {
    lender_dies(&World::new(None));
    assert!(is_found(|| lender_dies(&World::new(Some(Side::Lender)))));
}

/// The terms of each caller in the test of quotas.
const SHARE: Terms = Terms {
    leases: 1,
    bytes: 64,
    rights: Rights::Write,
};

/// Sends requests beyond each limit of one caller, and then uses the share of another caller. A
/// planted flaw changes `terms`, or maps both callers to the same borrower by `entry`.
fn spend(terms: [Terms; 2], entry: fn(usize) -> usize) {
    let world = World::new(None);
    let [one, other] = terms;
    let borrowers = [(world.own[0], one), (world.own[1], other)];
    let mut lender: TestLender =
        Lender::open(world.board, REGION_BYTES, borrowers).expect("there is room for all");
    let mut greedy = world.borrower(0);
    let too_long = ask(&mut lender, entry(0), &mut greedy, (0, SHARE.bytes + 8));
    assert_eq!(too_long, Err(Refusal::Quota), "more bytes than it may");
    let asked = (0..100).map(|place| ask(&mut lender, entry(0), &mut greedy, (place * 8, 8)));
    let taken = asked.filter(Result::is_ok).count();
    let mut modest = world.borrower(1);
    for place in 0..SHARE.leases as u64 {
        let granted = ask(&mut lender, entry(1), &mut modest, (1024 + place * 8, 8));
        assert_eq!(granted.map(drop), Ok(()), "its own is spent");
    }
    assert_eq!(taken, SHARE.leases, "more leases than it may");
}

/// Tock: "`client_notify()` … causes the callee's process to allocate the grant region, consuming
/// application memory the original app didn't intend to." In this crate, each caller has a reserved
/// share. The planted flaws ignore a caller's number of bytes or leases, or use one share for all
/// callers.
#[test]
fn no_caller_spends_what_is_not_its_own() {
    spend([SHARE; 2], |caller| caller);
    let any_bytes = Terms {
        bytes: REGION_BYTES,
        ..SHARE
    };
    assert!(is_found(|| spend([any_bytes, SHARE], |caller| caller)));
    let [none, most, all] =
        [0, LEASES - SHARE.leases, LEASES].map(|leases| Terms { leases, ..SHARE });
    assert!(is_found(|| spend([most, SHARE], |caller| caller)));
    assert!(is_found(|| spend([all, none], |_| 0)));
}
