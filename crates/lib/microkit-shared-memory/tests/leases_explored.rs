//! Tests leases whose lender or borrower is killed before each access to shared memory. The tests
//! run every schedule with at most one additional switch. Random schedules also kill both sides.
#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use microkit_shared_memory::{
    Borrower, Bytes, Epochs, Grant, Lease, LeaseError, Lender, Memory, Part, Refusal, Rights,
    Terms, WritableMemory, board_words,
};
use microkit_test::{Explorer, Run, System};
use sel4_microkit::{
    Channel, ChannelSet, Child, EntryPoint, Handler, Infallible, MessageInfo, SharedWord,
    debug_println, shared_words,
};
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

const PEER: Channel = Channel::new(1);
const PARENT: Channel = Channel::new(2);
const LENDER: Channel = Channel::new(3);

const FILE: &str = r#"
    <system>
        <memory_region name="shared" size="0x1000" />
        <protection_domain name="parent" priority="3">
            <program_image path="parent.elf" />
            <protection_domain name="lender" id="1" priority="1">
                <program_image path="lender.elf" />
                <map mr="shared" vaddr="0x4000000" perms="rw" setvar_vaddr="shared" setvar_size="shared_size" />
            </protection_domain>
            <protection_domain name="borrower" id="2" priority="1">
                <program_image path="borrower.elf" />
                <map mr="shared" vaddr="0x4000000" perms="rw" setvar_vaddr="shared" setvar_size="shared_size" />
            </protection_domain>
        </protection_domain>
        <channel>
            <end pd="lender" id="1" />
            <end pd="borrower" id="1" />
        </channel>
        <channel>
            <end pd="parent" id="3" />
            <end pd="lender" id="2" />
        </channel>
    </system>"#;

/// The layout of the region: the lender's board, the borrower's word, and the lent range.
const BOARD: usize = 0;
const OWN: usize = BOARD + board_words(1);
const LENT: usize = OWN + 1;
const LENT_WORDS: usize = 2;
const LENT_BYTES: usize = LENT_WORDS * size_of::<u64>();

/// The indices of the words that hold the messages. Real messages are not shared memory, so an
/// access to these words is not a step of the explorer.
const REQUEST: usize = 16;
const GIVEN: usize = 24;
const GRANT: usize = 32;
/// The index of the word with the epoch of the last borrower incarnation that has finished.
const DONE: usize = 48;

/// A planted flaw.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum Mutant {
    None,
    /// A restart of the lender does not change its epoch.
    LenderForgets,
    /// A restart of the borrower does not change its epoch.
    BorrowerForgets,
    /// The lender does not wait for a borrower's acknowledgement of the lender's new incarnation.
    SettledTooEarly,
}

/// The words of the region, optionally with a planted flaw.
#[derive(Debug, Copy, Clone)]
struct Shared {
    words: &'static [SharedWord],
    mutant: Mutant,
}

impl Shared {
    fn part(mutant: Mutant, first: usize, words: usize) -> Part<Self> {
        let shared = Self {
            words: shared_words!(shared, shared_size, SharedWord),
            mutant,
        };
        Part::new(shared, first, words).expect("the region has them")
    }
}

impl Memory for Shared {
    fn words(&self) -> usize {
        self.words.len()
    }

    fn load(&self, index: usize, order: Ordering) -> u64 {
        let word = self.words[index].load(order);
        // A PD loads its own epoch with relaxed ordering, and the peer's epoch with acquire
        // ordering. So relaxed ordering identifies a load of the PD's own epoch.
        let is_own = order == Ordering::Relaxed;
        match (self.mutant, index) {
            (Mutant::LenderForgets, BOARD) | (Mutant::BorrowerForgets, OWN) if is_own => 0,
            (Mutant::SettledTooEarly, OWN) if !is_own => {
                word >> 32 << 32 | plain()[BOARD].load(Ordering::Relaxed)
            }
            _ => word,
        }
    }
}

impl WritableMemory for Shared {
    fn store(&self, index: usize, value: u64, order: Ordering) {
        self.words[index].store(value, order);
    }
}

/// Returns the region, for accesses that are not steps of the explorer.
fn plain() -> &'static [AtomicU64] {
    shared_words!(shared, shared_size)
}

/// Sends a message. An earlier message that was not received is lost.
fn send(at: usize, message: &(impl IntoBytes + Immutable)) {
    let (words, rest) = message.as_bytes().as_chunks();
    assert!(rest.is_empty());
    for (place, word) in words.iter().enumerate() {
        plain()[at + 1 + place].store(u64::from_ne_bytes(*word), Ordering::Relaxed);
    }
    plain()[at].store(1, Ordering::Relaxed);
    PEER.notify();
}

/// Receives a message, or returns `None` if no message was sent.
fn receive<M: TryFromBytes>(at: usize) -> Option<M> {
    if plain()[at].swap(0, Ordering::Relaxed) == 0 {
        return None;
    }
    let words = plain()[at + 1..][..size_of::<M>() / 8].iter();
    let bytes: Vec<u8> = words
        .flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes())
        .collect();
    Some(M::try_read_from_bytes(&bytes).expect("it was sent so"))
}

/// Logs a failed check. A panic would not fail the test, because the parent restarts a PD that
/// panics.
fn must(holds: bool, what: &str) {
    if !holds {
        debug_println!("WRONG: {what}");
    }
}

/// A parent that restarts a faulted child, or reports to the lender that the borrower is gone.
struct Parent {
    entry_points: [EntryPoint; 2],
    restarts_borrower: bool,
    is_borrower_gone: bool,
}

const CHILDREN: [Child; 2] = [Child::new(1), Child::new(2)];

impl Handler for Parent {
    type Error = sel4::Error;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Self::Error> {
        let is_borrower = child == CHILDREN[1];
        if is_borrower && !self.restarts_borrower {
            // The faulted borrower stays stopped.
            self.is_borrower_gone = true;
        } else {
            child.restart(self.entry_points[usize::from(is_borrower)])?;
        }
        if self.is_borrower_gone {
            // A restarted lender must be notified of the dead borrower again.
            LENDER.notify();
        }
        Ok(None)
    }
}

fn parent(restarts_borrower: bool) -> Parent {
    Parent {
        entry_points: CHILDREN.map(|child| child.entry_point().expect("it is a child")),
        restarts_borrower,
        is_borrower_gone: false,
    }
}

/// A lender that lends its whole region on request, and writes to the region whenever no borrower
/// may write.
struct Lends {
    lender: Lender<Part<Shared>, Part<Shared>, 1, 1>,
    lent: Bytes<Part<Shared>>,
    /// Whether the lender has written to the region, and no borrower may write to the region.
    is_its_own: bool,
}

/// The byte that the lender writes.
const MARK: u8 = 0xee;

fn lends(mutant: Mutant) -> Lends {
    let terms = Terms {
        leases: 1,
        bytes: LENT_BYTES as u64,
        rights: Rights::Write,
    };
    let [board, own, lent] = [(BOARD, OWN), (OWN, LENT), (LENT, LENT + LENT_WORDS)]
        .map(|(first, end)| Shared::part(mutant, first, end - first));
    let lender = Lender::open(board, LENT_BYTES as u64, [(own, terms)]);
    let mut lends = Lends {
        lender: lender.expect("there is room"),
        lent: Bytes::new(lent),
        is_its_own: false,
    };
    // Notify the borrower: its lease has ended, and its last request may be lost.
    PEER.notify();
    lends.use_it();
    lends
}

impl Lends {
    /// Returns whether no borrower may write. If true, writes to the region, or checks that the
    /// bytes from the last write of the lender are unchanged.
    fn use_it(&mut self) -> bool {
        let is_free = self.lender.is_free(0, LENT_BYTES as u64);
        let mut bytes = [MARK; LENT_BYTES];
        if is_free && self.is_its_own {
            self.lent.read(0, &mut bytes).expect("it is all of it");
            must(bytes == [MARK; LENT_BYTES], "a late write");
        } else if is_free {
            self.lent.write(0, &bytes).expect("it is all of it");
        }
        self.is_its_own = is_free;
        is_free
    }
}

impl Handler for Lends {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(PARENT) {
            self.lender.declare_gone(0);
            must(self.use_it(), "one that is gone is waited for");
        }
        if let Some(given) = receive(GIVEN) {
            let result = self.lender.give_back(0, &given);
            let is_known = matches!(result, Ok(()) | Err(Refusal::Ended));
            must(is_known, "it is not taken back");
        }
        self.use_it();
        match receive(REQUEST).map(|request| self.lender.request(0, &request)) {
            Some(Ok(grant)) => {
                self.is_its_own = false;
                send(GRANT, &grant);
            }
            // The request belongs to an earlier incarnation of one side. The borrower repeats the
            // request without a notification.
            None | Some(Err(Refusal::Ended)) => {}
            Some(Err(_)) => must(false, "refused, and nobody else has it"),
        }
        Ok(())
    }
}

/// A borrower that requests a lease, writes under the lease, and gives the lease back. The borrower
/// repeats its request until all three steps succeed.
struct Borrows {
    borrower: Borrower<Part<Shared>, Part<Shared>, Part<Shared>>,
    /// The epochs of the last request.
    asked: Option<Epochs>,
    is_done: bool,
}

fn borrows(mutant: Mutant) -> Borrows {
    let [own, board, lent] = [(OWN, LENT), (BOARD, OWN), (LENT, LENT + LENT_WORDS)]
        .map(|(first, end)| Shared::part(mutant, first, end - first));
    let mut borrows = Borrows {
        borrower: Borrower::open(own, board, lent).expect("it is large enough"),
        asked: None,
        is_done: false,
    };
    borrows.ask();
    borrows
}

impl Borrows {
    /// Sends a request, unless a request with the same epochs was already sent.
    fn ask(&mut self) {
        let request = self.borrower.request(0, LENT_BYTES as u64, Rights::Write);
        if self.asked != Some(request.epochs) {
            self.asked = Some(request.epochs);
            send(REQUEST, &request);
        }
    }

    /// Writes under the lease, and reads the bytes back.
    fn use_it(&mut self, grant: Grant) -> Result<Lease, LeaseError> {
        // Returns whether the lender's incarnation has ended. Only a test may read the lender's
        // epoch without acknowledging it.
        let has_ended = || plain()[BOARD].load(Ordering::Relaxed) != u64::from(grant.epochs.lender);
        let lease = self.borrower.accept(grant)?;
        let wrote = [grant.epochs.borrower as u8; LENT_BYTES];
        let is_late = has_ended();
        let written = self.borrower.write(&lease, 0, &wrote);
        must(
            !is_late || written == Err(LeaseError::Ended),
            "a late write",
        );
        written?;
        let is_late = has_ended();
        let mut bytes = [0; LENT_BYTES];
        let read = self.borrower.read(&lease, 0, &mut bytes);
        must(!is_late || read == Err(LeaseError::Ended), "a late read");
        must(
            bytes == if read.is_ok() { wrote } else { [0; LENT_BYTES] },
            "what another wrote is read",
        );
        read?;
        Ok(lease)
    }
}

impl Handler for Borrows {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        if self.is_done {
            // A new incarnation of the lender may wait for this acknowledgement.
            self.borrower.acknowledge();
            PEER.notify();
            return Ok(());
        }
        let grant = receive::<Grant>(GRANT).filter(|grant| self.asked == Some(grant.epochs));
        match grant.map(|grant| self.use_it(grant)) {
            Some(Ok(lease)) => {
                let grant = lease.give_back();
                plain()[DONE].store(grant.epochs.borrower.into(), Ordering::Relaxed);
                self.is_done = true;
                send(GIVEN, &grant);
            }
            None | Some(Err(LeaseError::Ended)) => self.ask(),
            Some(Err(error)) => must(false, &error.to_string()),
        }
        Ok(())
    }
}

fn system(restarts_borrower: bool, mutant: Mutant) -> System {
    System::parse("lease.system", FILE)
        .expect("the system is sound")
        .program("parent.elf", move || parent(restarts_borrower))
        .program("lender.elf", move || lends(mutant))
        .program("borrower.elf", move || borrows(mutant))
}

/// Checks the final state: the lender owns its whole region. Unless the borrower is gone, its last
/// incarnation has used a lease.
fn check(run: &Run, restarts_borrower: bool) {
    let log = run.log();
    assert!(!log.contains("WRONG"), "{log}");
    let word = |index: usize| run.region("lender", "shared")[index].load(Ordering::Relaxed);
    for index in LENT..LENT + LENT_WORDS {
        assert_eq!(
            word(index),
            u64::from_ne_bytes([MARK; 8]),
            "not the lender's"
        );
    }
    assert_eq!(word(BOARD + 1) & 1, 0, "a lease is left");
    if restarts_borrower {
        assert_eq!(word(DONE), word(OWN) >> 32, "it waits forever");
    }
}

/// A schedule with one death and at most one additional switch. Otherwise, each PD runs until it
/// waits.
#[derive(Debug, Copy, Clone)]
struct Bounded {
    /// The PD that runs first.
    first: usize,
    /// The step before which the schedule switches to the other PD, although the current PD does
    /// not wait.
    switch: Option<usize>,
    /// The step before which the victim dies.
    death: usize,
    /// The PD that dies.
    victim: usize,
    /// The PD that runs after the death.
    next: usize,
}

const NAMES: [&str; 2] = ["lender", "borrower"];

/// The result of a schedule.
enum End {
    Rest(Box<Run>),
    /// The victim waits at the step of its death, or the next PD waits after the death.
    Waits,
    /// All PDs wait before the step of the death, or the switch makes no difference.
    NoSuch,
    /// All PDs wait before the step of the switch.
    Over,
}

impl Bounded {
    fn run(self, system: &System) -> End {
        /// More steps than any run needs until all PDs wait.
        const MOST_STEPS: usize = 1000;
        let mut run = system.start();
        let mut current = self.first;
        for step in 0..MOST_STEPS {
            while run.can_run().contains(&"parent") {
                run.step_of("parent");
            }
            let can_run = NAMES.map(|name| run.can_run().contains(&name));
            if step == self.death + 1 && !can_run[self.next] {
                return End::Waits;
            }
            if can_run == [false; 2] {
                return match self.switch {
                    Some(switch) if step <= switch => End::Over,
                    _ if step <= self.death => End::NoSuch,
                    _ => End::Rest(Box::new(run)),
                };
            }
            if self.switch == Some(step) {
                if can_run != [true; 2] || step == self.death {
                    return End::NoSuch;
                }
                current = 1 - current;
            }
            if step == self.death {
                if !can_run[self.victim] {
                    return End::Waits;
                }
                run.kill(NAMES[self.victim]);
                current = self.next;
                continue;
            }
            if !can_run[current] {
                current = 1 - current;
            }
            run.step_of(NAMES[current]);
        }
        panic!("it does not come to rest:\n{}", run.log())
    }

    /// Runs all schedules. Returns their number, or the first failing schedule with its reason.
    fn all(system: &System, restarts_borrower: bool) -> Result<usize, String> {
        let mut runs = 0;
        for choice in 0..8 {
            let [first, victim, next] = [choice & 1, choice >> 1 & 1, choice >> 2];
            for death in 0.. {
                let mut is_over = true;
                for switch in std::iter::once(None).chain((0..).map(Some)) {
                    let bounded = Self {
                        first,
                        switch,
                        death,
                        victim,
                        next,
                    };
                    match bounded.run(system) {
                        End::Rest(run) => {
                            (runs, is_over) = (runs + 1, false);
                            let check = AssertUnwindSafe(|| check(&run, restarts_borrower));
                            catch_unwind(check).map_err(|why| {
                                format!("{bounded:?}: {:?}", why.downcast_ref::<String>())
                            })?;
                        }
                        End::Waits => {
                            is_over = false;
                            if switch > Some(death) {
                                break;
                            }
                        }
                        End::NoSuch => {}
                        End::Over => break,
                    }
                }
                if is_over {
                    break;
                }
            }
        }
        Ok(runs)
    }
}

#[test]
fn either_may_die_before_any_step() {
    for restarts_borrower in [true, false] {
        let system = system(restarts_borrower, Mutant::None);
        let runs = Bounded::all(&system, restarts_borrower).expect("nothing is wrong");
        println!("the borrower is restarted: {restarts_borrower}: {runs} runs");
        assert!(runs > 1000, "{runs}");
    }
}

/// Runs random schedules, because all schedules would take too long.
#[test]
fn both_may_die_at_any_time() {
    for restarts_borrower in [true, false] {
        let system = system(restarts_borrower, Mutant::None);
        let explored = Explorer::new(&system)
            .by_priority()
            .crash("lender")
            .crash("borrower")
            .max_runs(200)
            .samples(500, 1)
            .check(|run| check(run, restarts_borrower));
        println!("{explored}");
    }
}

/// Negative control: with a planted flaw, the tests above fail.
#[test]
fn each_mutant_is_found() {
    for mutant in [
        Mutant::LenderForgets,
        Mutant::BorrowerForgets,
        Mutant::SettledTooEarly,
    ] {
        let system = system(true, mutant);
        let found = Bounded::all(&system, true).expect_err("it is wrong");
        println!("{mutant:?}: {found}");
    }
}
