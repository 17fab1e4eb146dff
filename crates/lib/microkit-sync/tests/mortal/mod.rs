//! Parties that die after a given access, under loom: every interleaving of their accesses, every
//! value that the memory model lets a load return.
//!
//! A party is a thread. Each of its accesses to a word, and each notification, is counted; before the
//! one that it is not to make any more it unwinds, and what its destructors do has no effect. The main
//! thread is the parent: it waits until the party has died, and recovers.
#![allow(dead_code)] // Each test uses a part.

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

/// What is wrong with a lock, to see that the tests find it.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Nothing.
    None,
    /// The recovery wakes nobody: a wake that the dead one did not come to is lost.
    NoWake,
    /// The recovery wakes only if it has changed a lock: repeated, it does not go on where it was
    /// stopped.
    WakesOnce,
    /// Whoever has given the lock back clears its word once more, later.
    LateClear,
    /// The recovery does not say that an owner has died inside.
    InconsistentLost,
    /// The recovery leaves the dead among those that wait.
    WaitingLeft,
    /// The recovery does not see that the lock was handed to the dead.
    HandedToDead,
    /// Giving the lock back orders nothing.
    NoRelease,
}

/// Which system is run.
#[derive(Debug, Copy, Clone)]
pub(crate) struct Setup {
    pub(crate) mutant: Mutant,
    /// How many accesses the one that dies makes before; without, it does not die.
    pub(crate) dies_after: Option<u64>,
    /// How many accesses the first recovery makes before it is stopped, and repeated.
    pub(crate) recovery_stops_after: Option<u64>,
}

/// What all parties share.
pub(crate) struct Shared {
    pub setup: Setup,
    locks: Vec<Arc<AtomicU64>>,
    notifiers: Vec<Notify>,
    /// What the first lock guards: two counters that are the same outside.
    pub(crate) data: [AtomicU64; 2],
    /// How often the first counter was written, kept outside of the model.
    pub(crate) written: Count,
}

/// How a thread of a party, or the recovery, comes to its end.
struct Life {
    left: Cell<Option<u64>>,
    is_dead: Cell<bool>,
}

struct Killed;

impl Life {
    fn new(left: Option<u64>) -> Rc<Self> {
        Rc::new(Self {
            left: Cell::new(left),
            is_dead: Cell::new(false),
        })
    }

    /// Whether the next access is to be made.
    fn goes_on(&self) -> bool {
        // Destructors of one that has died, or of a test that has failed.
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

/// A word as a party sees it that can die.
pub(crate) struct MortalWord {
    word: Arc<AtomicU64>,
    life: Rc<Life>,
    mutant: Mutant,
    /// The party that is recovered, if this is the recovery's.
    dead: Option<PartyId>,
}

impl Word for MortalWord {
    fn load(&self, order: Ordering) -> u64 {
        // Of one that has died already, a destructor finds no lock.
        if self.life.goes_on() {
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
        if !self.life.goes_on() {
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
        let gives_back = current & ENTERED != 0 && new & ENTERED == 0;
        if self.mutant == Mutant::NoRelease && gives_back {
            success = Ordering::Relaxed;
        }
        let result = self.word.compare_exchange(current, new, success, failure);
        if self.mutant == Mutant::LateClear && gives_back && result.is_ok() {
            let now = self.word.load(Ordering::Acquire);
            // Where it is the same lock still, that would be found sooner.
            if now & GENERATION != new & GENERATION {
                self.word.store(new, Ordering::Release);
            }
        }
        result
    }
}

/// Wakes the threads of the others.
pub(crate) struct MortalNotifier {
    shared: Arc<Shared>,
    me: usize,
    life: Rc<Life>,
    is_mute: bool,
}

impl Notifier for MortalNotifier {
    fn members(&self) -> Members {
        let parties = (0..self.shared.notifiers.len()).map(PartyId::new);
        parties.fold(Members::NONE, Members::with)
    }

    fn notify(&self, party: PartyId) {
        if !self.is_mute && self.life.goes_on() {
            self.shared.notifiers[party.index()].notify();
        }
    }

    fn wait(&self) {
        if self.life.goes_on() {
            self.shared.notifiers[self.me].wait();
        }
    }
}

/// A party, while it lives.
pub(crate) struct Mortal<'a> {
    pub(crate) party: Party<MortalNotifier>,
    pub(crate) arena: Arena<'a, MortalWord>,
    shared: &'a Shared,
    life: Rc<Life>,
}

impl Mortal<'_> {
    /// Uses what the first lock guards, which this party has: one more, in both counters.
    pub(crate) fn count(&self) {
        let [first, second] = &self.shared.data;
        for counter in [first, second] {
            if !self.life.goes_on() {
                return;
            }
            let value = counter.load(Ordering::Relaxed);
            counter.store(value + 1, Ordering::Relaxed);
            if core::ptr::eq(counter, first) {
                self.shared.written.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What the counters say.
    pub(crate) fn counters(&self) -> [u64; 2] {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.shared.data.each_ref().map(read)
    }

    /// Makes the data right again, or sees that it is.
    pub(crate) fn enter<G: microkit_sync::Repair>(
        &self,
        acquired: Acquired<G>,
    ) -> Result<G, LockError> {
        match acquired {
            Acquired::Consistent(guard) => {
                let [first, second] = self.counters();
                assert_eq!(
                    first, second,
                    "a lock that is consistent guards data that is not"
                );
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
        if self.life.goes_on() {
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

    /// The word of a lock, as it is at the end.
    pub(crate) fn word(&self, index: usize) -> u64 {
        self.locks[index].load(Ordering::Acquire)
    }

    /// Both counters are what was written.
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

/// Lives as `party`, which dies after so many accesses. Returns whether it has.
pub(crate) fn live(
    shared: &Arc<Shared>,
    party: usize,
    dies_after: Option<u64>,
    act: impl FnOnce(&Mortal) -> Result<(), LockError>,
) -> bool {
    let life = Life::new(dies_after);
    let words = words(shared, &life, None);
    let mortal = Mortal {
        party: Party::new(PartyId::new(party), notifier(shared, party, &life, false)),
        arena: Arena::new(&words),
        shared,
        life: Rc::clone(&life),
    };
    match catch_unwind(AssertUnwindSafe(|| act(&mortal))) {
        Ok(result) => {
            result.expect("the lock is given");
            false
        }
        Err(payload) if payload.is::<Killed>() => true,
        Err(payload) => resume_unwind(payload),
    }
}

/// As [`live`], in a thread.
pub(crate) fn spawn(
    shared: &Arc<Shared>,
    party: usize,
    dies_after: Option<u64>,
    act: impl FnOnce(&Mortal) -> Result<(), LockError> + 'static,
) -> loom::thread::JoinHandle<bool> {
    let shared = Arc::clone(shared);
    loom::thread::spawn(move || live(&shared, party, dies_after, act))
}

/// Recovers what a party has left; if the setup says so, once as far as it comes, and then again.
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
    let life = Life::new(stops_after);
    let words = words(shared, &life, Some(PartyId::new(dead)));
    let arena = Arena::new(&words);
    let mutant = shared.setup.mutant;
    let is_mute = matches!(mutant, Mutant::NoWake | Mutant::WakesOnce);
    let Recovered { changed, corrupt } =
        arena.recover(PartyId::new(dead), &notifier(shared, dead, &life, is_mute));
    assert_eq!(corrupt, 0, "a lock is corrupt");
    if mutant == Mutant::WakesOnce && changed > 0 {
        let notifier = notifier(shared, dead, &life, false);
        notifier
            .members()
            .without(PartyId::new(dead))
            .iter()
            .for_each(|party| notifier.notify(party));
    }
}

fn words(shared: &Arc<Shared>, life: &Rc<Life>, dead: Option<PartyId>) -> Vec<MortalWord> {
    let word = |word| MortalWord {
        word: Arc::clone(word),
        life: Rc::clone(life),
        mutant: shared.setup.mutant,
        dead,
    };
    shared.locks.iter().map(word).collect()
}

fn notifier(shared: &Arc<Shared>, me: usize, life: &Rc<Life>, is_mute: bool) -> MortalNotifier {
    MortalNotifier {
        shared: Arc::clone(shared),
        me,
        life: Rc::clone(life),
        is_mute,
    }
}

/// A system: builds it, runs it, and says whether the one that could die has died.
pub(crate) type Scenario = fn(Setup) -> bool;

/// Runs a scenario under every schedule, with a death after each access that there is, and none.
/// Returns how many executions there were.
pub(crate) fn explore(scenario: Scenario, mutant: Mutant, most_preemptions: Option<usize>) -> u64 {
    explore_with(scenario, mutant, most_preemptions, None)
}

/// As [`explore`], with a recovery that is stopped after so many accesses, and repeated.
pub(crate) fn explore_with(
    scenario: Scenario,
    mutant: Mutant,
    most_preemptions: Option<usize>,
    recovery_stops_after: Option<u64>,
) -> u64 {
    let mut executions = 0;
    for dies_after in 0.. {
        let setup = Setup {
            mutant,
            dies_after: Some(dies_after),
            recovery_stops_after,
        };
        let (count, has_died) = run(scenario, setup, most_preemptions);
        executions += count;
        if !has_died {
            break;
        }
    }
    executions
}

/// Runs a scenario under every schedule. Returns how many executions there were, and whether one of
/// them had a death.
fn run(scenario: Scenario, setup: Setup, most_preemptions: Option<usize>) -> (u64, bool) {
    let executions = Arc::new([Count::new(0), Count::new(0)]);
    let counts = Arc::clone(&executions);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = most_preemptions;
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

/// Explores a scenario, in which nothing must be found, and says how much there was.
pub(crate) fn hold(name: &str, scenario: Scenario, most_preemptions: Option<usize>) {
    let executions = explore(scenario, Mutant::None, most_preemptions);
    let bound = match most_preemptions {
        None => "all of them".to_owned(),
        Some(most) => format!("at most {most} preemptions"),
    };
    println!("{name}: {executions} executions, {bound}");
    assert!(executions > 10);
}

/// Explores a scenario with something wrong, which must be found.
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
    let payload = explored.expect_err("nothing was found");
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("a panic without a text");
    println!("{mutant:?}: {text}");
    assert!(expect.iter().any(|expect| text.contains(expect)), "{text}");
}
