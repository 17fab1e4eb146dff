//! Runs parties that die after a given access, under loom. Loom explores every interleaving of
//! their accesses, and every value that the memory model allows a load to return.
//!
//! Each party is a thread. Its accesses to words and its notifications are counted. After the given
//! number of accesses, the party dies: its thread unwinds, and accesses by destructors have no
//! effect. The main thread is the parent. The parent waits for the death of the party, and then
//! recovers the party.
#![allow(dead_code)] // Each test uses only a part of this module.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64 as Count, Ordering};

use loom::sync::Notify;
use loom::sync::atomic::AtomicU64;
use microkit_sync::layout::{ENTERED, GENERATION, INCONSISTENT, OWNER, WAITING};
use microkit_sync::{
    Acquired, Arena, LockError, Members, Notifier, Party, PartyId, Recovered, Word,
};

/// A planted bug of a lock, which the tests must find.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// No bug.
    None,
    /// The recovery does not notify any party. So a notification that the dead party did not send
    /// is lost.
    NoWake,
    /// The recovery notifies only if it has changed a lock. A repeated recovery changes no lock,
    /// and so does not notify any party.
    WakesOnce,
    /// A party clears the word again after it has released the lock.
    LateClear,
    /// The recovery does not mark the data inconsistent if an owner died.
    InconsistentLost,
    /// The recovery leaves the dead party among the waiters.
    WaitingLeft,
    /// The recovery ignores a lock that was handed over to the dead party.
    HandedToDead,
    /// The release of the lock uses *relaxed* ordering.
    NoRelease,
}

/// The parameters of a run.
#[derive(Debug, Copy, Clone)]
pub(crate) struct Setup {
    pub(crate) mutant: Mutant,
    /// The number of accesses after which the victim dies. With `None`, the victim does not die.
    pub(crate) dies_after: Option<u64>,
    /// The number of accesses after which the first recovery is stopped. A second recovery follows.
    pub(crate) recovery_stops_after: Option<u64>,
}

/// The state that all parties share.
pub(crate) struct Shared {
    pub setup: Setup,
    locks: Vec<Arc<AtomicU64>>,
    notifiers: Vec<Notify>,
    /// The data that the first lock protects: two counters that are equal outside of the lock.
    pub(crate) data: [AtomicU64; 2],
    /// The number of writes to the first counter. Loom does not model this variable.
    pub(crate) written: Count,
}

/// One incarnation of a party, or one recovery, with the number of accesses before its death.
struct Incarnation {
    left: Cell<Option<u64>>,
    is_dead: Cell<bool>,
}

struct Killed;

impl Incarnation {
    fn new(left: Option<u64>) -> Rc<Self> {
        Rc::new(Self {
            left: Cell::new(left),
            is_dead: Cell::new(false),
        })
    }

    /// Returns whether the next access takes effect. Unwinds if the incarnation dies before the
    /// access.
    fn continues(&self) -> bool {
        // The caller is a destructor that runs after a death or a failed test.
        if self.is_dead.get() || std::thread::panicking() {
            return false;
        }
        match self.left.get() {
            Some(0) => {
                self.is_dead.set(true);
                resume_unwind(Box::new(Killed));
            }
            Some(left) => self.left.set(Some(left - 1)),
            None => (),
        }
        true
    }
}

/// A word of an arena, for a party that can die.
pub(crate) struct MortalWord {
    word: Arc<AtomicU64>,
    incarnation: Rc<Incarnation>,
    mutant: Mutant,
    /// The dead party, if a recovery uses the word.
    dead: Option<PartyId>,
}

impl Word for MortalWord {
    fn load(&self, order: Ordering) -> u64 {
        // A destructor of a dead party reads 0, which is not a lock.
        if self.incarnation.continues() {
            self.word.load(order)
        } else {
            0
        }
    }

    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        if !self.incarnation.continues() {
            return Err(0);
        }
        let (mut new, mut success) = (new, success);
        let dead = self.dead.filter(|_| self.mutant != Mutant::None);
        if let Some(dead) = dead {
            let is_owner = (current & OWNER) >> OWNER.trailing_zeros() == dead.index() as u64 + 1;
            match self.mutant {
                Mutant::InconsistentLost => new &= !INCONSISTENT,
                Mutant::WaitingLeft => new |= current & WAITING & 1 << dead.index(),
                Mutant::HandedToDead if is_owner && current & ENTERED == 0 => new = current,
                _ => (),
            }
        }
        let releases = current & ENTERED != 0 && new & ENTERED == 0;
        if self.mutant == Mutant::NoRelease && releases {
            success = Ordering::Relaxed;
        }
        let result = self.word.compare_exchange(current, new, success, failure);
        if self.mutant == Mutant::LateClear && releases && result.is_ok() {
            let now = self.word.load(Ordering::Acquire);
            // Store only if the word holds another lock now. Otherwise another assertion would find
            // the bug first.
            if now & GENERATION != new & GENERATION {
                self.word.store(new, Ordering::Release);
            }
        }
        result
    }
}

/// A notifier that wakes the threads of the other parties.
pub(crate) struct MortalNotifier {
    shared: Arc<Shared>,
    me: usize,
    incarnation: Rc<Incarnation>,
    is_mute: bool,
}

impl Notifier for MortalNotifier {
    fn members(&self) -> Members {
        let parties = (0..self.shared.notifiers.len()).map(PartyId::new);
        parties.fold(Members::NONE, Members::with)
    }

    fn notify(&self, party: PartyId) {
        if !self.is_mute && self.incarnation.continues() {
            self.shared.notifiers[party.index()].notify();
        }
    }

    fn wait(&self) {
        if self.incarnation.continues() {
            self.shared.notifiers[self.me].wait();
        }
    }
}

/// A party, during one incarnation.
pub(crate) struct Mortal<'a> {
    pub(crate) party: Party<MortalNotifier>,
    pub(crate) arena: Arena<'a, MortalWord>,
    shared: &'a Shared,
    incarnation: Rc<Incarnation>,
}

impl Mortal<'_> {
    /// Increments both counters. This party must own the first lock.
    pub(crate) fn count(&self) {
        let [first, second] = &self.shared.data;
        for counter in [first, second] {
            if !self.incarnation.continues() {
                return;
            }
            let value = counter.load(Ordering::Relaxed);
            counter.store(value + 1, Ordering::Relaxed);
            if core::ptr::eq(counter, first) {
                self.shared.written.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Returns the counters.
    pub(crate) fn counters(&self) -> [u64; 2] {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.shared.data.each_ref().map(read)
    }

    /// Checks that the data is consistent, or repairs the data if an owner died.
    pub(crate) fn enter<G: microkit_sync::Repair>(
        &self,
        acquired: Acquired<G>,
    ) -> Result<G, LockError> {
        match acquired {
            Acquired::Consistent(guard) => {
                let [first, second] = self.counters();
                assert_eq!(first, second, "a consistent lock guards data that is not");
                Ok(guard)
            }
            Acquired::OwnerDied(guard) => {
                self.repair();
                guard.mark_consistent()
            }
        }
    }

    fn repair(&self) {
        let [first, second] = &self.shared.data;
        if self.incarnation.continues() {
            second.store(first.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

impl Shared {
    pub(crate) fn new(setup: Setup, parties: usize, locks: usize) -> Arc<Self> {
        Arc::new(Self {
            setup,
            locks: (0..locks).map(|_| Arc::new(AtomicU64::new(0))).collect(),
            notifiers: (0..parties).map(|_| Notify::new()).collect(),
            data: [AtomicU64::new(0), AtomicU64::new(0)],
            written: Count::new(0),
        })
    }

    /// Returns the word of a lock, at the end of a run.
    pub(crate) fn word(&self, index: usize) -> u64 {
        self.locks[index].load(Ordering::Acquire)
    }

    /// Checks that both counters equal the number of writes.
    pub(crate) fn assert_counted(&self) {
        let [first, second] = self
            .data
            .each_ref()
            .map(|word| word.load(Ordering::Acquire));
        assert_eq!(
            first,
            self.written.load(Ordering::Relaxed),
            "a write is lost"
        );
        assert_eq!(first, second);
    }
}

/// Runs `party`, which dies after the given number of accesses. Returns whether the party died.
pub(crate) fn run_party(
    shared: &Arc<Shared>,
    party: usize,
    dies_after: Option<u64>,
    act: impl FnOnce(&Mortal) -> Result<(), LockError>,
) -> bool {
    let incarnation = Incarnation::new(dies_after);
    let words = words(shared, &incarnation, None);
    let mortal = Mortal {
        party: Party::new(
            PartyId::new(party),
            notifier(shared, party, &incarnation, false),
        ),
        arena: Arena::new(&words),
        shared,
        incarnation: Rc::clone(&incarnation),
    };
    match catch_unwind(AssertUnwindSafe(|| act(&mortal))) {
        Ok(result) => {
            result.expect("the lock can be taken");
            false
        }
        Err(payload) if payload.is::<Killed>() => true,
        Err(payload) => resume_unwind(payload),
    }
}

/// Runs a party as [`run_party`] does, in a thread.
pub(crate) fn spawn(
    shared: &Arc<Shared>,
    party: usize,
    dies_after: Option<u64>,
    act: impl FnOnce(&Mortal) -> Result<(), LockError> + 'static,
) -> loom::thread::JoinHandle<bool> {
    let shared = Arc::clone(shared);
    loom::thread::spawn(move || run_party(&shared, party, dies_after, act))
}

/// Recovers a dead party. If `recovery_stops_after` is set, the first recovery is stopped after
/// that number of accesses.
pub(crate) fn recover(shared: &Arc<Shared>, dead: usize) {
    if let Some(stops_after) = shared.setup.recovery_stops_after {
        let recovery = || recover_once(shared, dead, Some(stops_after));
        if let Err(payload) = catch_unwind(AssertUnwindSafe(recovery)) {
            assert!(payload.is::<Killed>(), "the recovery panics");
        }
    }
    recover_once(shared, dead, None);
}

fn recover_once(shared: &Arc<Shared>, dead: usize, stops_after: Option<u64>) {
    let incarnation = Incarnation::new(stops_after);
    let words = words(shared, &incarnation, Some(PartyId::new(dead)));
    let arena = Arena::new(&words);
    let mutant = shared.setup.mutant;
    let is_mute = matches!(mutant, Mutant::NoWake | Mutant::WakesOnce);
    let Recovered { changed, corrupt } = arena.recover(
        PartyId::new(dead),
        &notifier(shared, dead, &incarnation, is_mute),
    );
    assert_eq!(corrupt, 0, "a lock is corrupt");
    if mutant == Mutant::WakesOnce && changed > 0 {
        let notifier = notifier(shared, dead, &incarnation, false);
        notifier
            .members()
            .without(PartyId::new(dead))
            .iter()
            .for_each(|party| notifier.notify(party));
    }
}

fn words(
    shared: &Arc<Shared>,
    incarnation: &Rc<Incarnation>,
    dead: Option<PartyId>,
) -> Vec<MortalWord> {
    let word = |word| MortalWord {
        word: Arc::clone(word),
        incarnation: Rc::clone(incarnation),
        mutant: shared.setup.mutant,
        dead,
    };
    shared.locks.iter().map(word).collect()
}

fn notifier(
    shared: &Arc<Shared>,
    me: usize,
    incarnation: &Rc<Incarnation>,
    is_mute: bool,
) -> MortalNotifier {
    MortalNotifier {
        shared: Arc::clone(shared),
        me,
        incarnation: Rc::clone(incarnation),
        is_mute,
    }
}

/// A function that runs a system and returns whether the victim died.
pub(crate) type Scenario = fn(Setup) -> bool;

/// Runs a scenario under every schedule: with a death after each access in turn, and without a
/// death. Returns the number of executions.
pub(crate) fn explore(scenario: Scenario, mutant: Mutant, max_preemptions: Option<usize>) -> u64 {
    explore_with(scenario, mutant, max_preemptions, None)
}

/// Explores as [`explore`] does. The first recovery is stopped after the given number of accesses,
/// and a second recovery follows.
pub(crate) fn explore_with(
    scenario: Scenario,
    mutant: Mutant,
    max_preemptions: Option<usize>,
    recovery_stops_after: Option<u64>,
) -> u64 {
    let mut executions = 0;
    for dies_after in 0.. {
        let setup = Setup {
            mutant,
            dies_after: Some(dies_after),
            recovery_stops_after,
        };
        let (count, has_died) = run(scenario, setup, max_preemptions);
        executions += count;
        if !has_died {
            break;
        }
    }
    executions
}

/// Runs a scenario under every schedule. Returns the number of executions, and whether the victim
/// died in one of them.
fn run(scenario: Scenario, setup: Setup, max_preemptions: Option<usize>) -> (u64, bool) {
    let executions = Arc::new([Count::new(0), Count::new(0)]);
    let counts = Arc::clone(&executions);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = max_preemptions;
    builder.check(move || {
        let has_died = scenario(setup);
        counts[0].fetch_add(1, Ordering::Relaxed);
        counts[1].fetch_add(has_died.into(), Ordering::Relaxed);
    });
    let [all, deaths] = &*executions;
    (
        all.load(Ordering::Relaxed),
        deaths.load(Ordering::Relaxed) > 0,
    )
}

/// Explores a scenario that must be correct, and prints the number of executions.
pub(crate) fn check(name: &str, scenario: Scenario, max_preemptions: Option<usize>) {
    let executions = explore(scenario, Mutant::None, max_preemptions);
    let bound = match max_preemptions {
        None => "any number of preemptions".to_owned(),
        Some(max) => format!("at most {max} preemptions"),
    };
    println!("{name}: {executions} executions, {bound}");
    assert!(executions > 10);
}

/// Explores a scenario with a planted bug. Panics if the bug is not found.
pub(crate) fn find(mutant: Mutant, scenario: Scenario, expect: &[&str]) {
    find_with(mutant, scenario, None, expect);
}

pub(crate) fn find_with(
    mutant: Mutant,
    scenario: Scenario,
    stops_after: Option<u64>,
    expect: &[&str],
) {
    let explored = catch_unwind(|| explore_with(scenario, mutant, Some(2), stops_after));
    let payload = explored.expect_err("the bug was not found");
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("a panic without a message");
    println!("{mutant:?}: {text}");
    assert!(expect.iter().any(|expect| text.contains(expect)), "{text}");
}
