//! Tests protection domains (PDs) that share a lock, under many schedules of accesses and
//! notifications. In each run, one PD dies before one of its steps. Its parent recovers and
//! restarts this PD.
#![forbid(unsafe_code)]

use std::sync::atomic::Ordering::Relaxed;

use microkit_sync::{Acquired, Arena, LockError, Notifier, Party, PartyId, Peers};
use microkit_test::{Explorer, System};
use sel4_microkit::{
    Channel, ChannelSet, Child, EntryPoint, Handler, Infallible, MessageInfo, SharedWord,
    debug_println, panicking, pd_name, shared_words,
};

/// The names of the parties. The first party dies.
const NAMES: [&str; 3] = ["victim", "second", "third"];

const CHANNELS: [(PartyId, Channel); 3] = [
    (PartyId::new(0), Channel::new(10)),
    (PartyId::new(1), Channel::new(11)),
    (PartyId::new(2), Channel::new(12)),
];

const CHILD: Child = Child::new(1);

/// Returns the system file for this number of parties.
fn file(parties: usize) -> String {
    let maps = ["locks", "data"].map(|region| {
        let vaddr = if region == "locks" { 0x400_0000 } else { 0x400_1000 };
        format!(
            r#"<map mr="{region}" vaddr="{vaddr:#x}" perms="rw" setvar_vaddr="{region}" setvar_size="{region}_size" />"#
        )
    });
    let maps = maps.concat();
    let party = |name: &str, attributes: &str| {
        format!(
            r#"<protection_domain name="{name}" priority="1" {attributes}>
                <program_image path="party.elf" />{maps}
            </protection_domain>"#
        )
    };
    let others: String = NAMES[1..parties]
        .iter()
        .map(|name| party(name, ""))
        .collect();
    let mut channels = String::new();
    let mut channel = |one: &str, one_id: usize, other: &str, other_id: usize| {
        channels += &format!(
            r#"<channel><end pd="{one}" id="{one_id}" /><end pd="{other}" id="{other_id}" /></channel>"#
        );
    };
    for (one, name) in NAMES[..parties].iter().enumerate() {
        channel("parent", 10 + one, name, 20);
        for (other, other_name) in NAMES[..parties].iter().enumerate().skip(one + 1) {
            channel(name, 10 + other, other_name, 10 + one);
        }
    }
    format!(
        r#"<system>
            <memory_region name="locks" size="0x1000" />
            <memory_region name="data" size="0x1000" />
            <protection_domain name="parent" priority="2">
                <program_image path="parent.elf" />{maps}
                {}
            </protection_domain>
            {others}{channels}
        </system>"#,
        party(NAMES[0], r#"id="1""#)
    )
}

struct Peaceful;

impl Handler for Peaceful {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The indices of the words of `data`: two counters that are equal outside the lock, one bit for
/// each finished party, and the number of reported deaths of an owner.
const FIRST: usize = 0;
const SECOND: usize = 1;
const FINISHED: usize = 2;
const REPORTED: usize = 3;

fn party_of(parties: usize) -> Party {
    let name = pd_name().expect("the PD has a name");
    let id = NAMES
        .iter()
        .position(|party| *party == name)
        .expect("the PD is a party");
    Party::new(PartyId::new(id), Peers::new(&CHANNELS[..parties]))
}

/// Increments both counters. Between the two increments, the party can be killed, or another party
/// can run.
fn count() {
    let data = shared_words!(data, data_size);
    let before = data[FIRST].load(Relaxed);
    data[FIRST].store(before + 1, Relaxed);
    shared_words!(data, data_size, SharedWord)[REPORTED].load(Relaxed);
    data[SECOND].store(before + 1, Relaxed);
}

fn finish(party: &Party) {
    let data = shared_words!(data, data_size);
    data[FINISHED].fetch_or(1 << party.id().index(), Relaxed);
}

fn enter<G: microkit_sync::Repair>(acquired: Acquired<G>) -> Result<G, LockError> {
    let data = shared_words!(data, data_size);
    let [first, second] = [FIRST, SECOND].map(|index| data[index].load(Relaxed));
    if matches!(acquired, Acquired::Consistent(_)) {
        assert_eq!(first, second, "an owner left half a change");
    }
    acquired.or_repair(|| {
        data[REPORTED].fetch_add(1, Relaxed);
        data[SECOND].store(first, Relaxed);
    })
}

fn arena() -> Arena<'static> {
    Arena::new(&shared_words!(locks, locks_size, SharedWord)[..1])
}

fn locks(parties: usize) -> Peaceful {
    panicking::set_hook(&|_| ());
    let party = party_of(parties);
    let mut lock = arena().mutex(0, 0).expect("all parties open the same lock");
    let guard = enter(lock.lock(&party).expect("the lock can be taken"))
        .expect("only parties write to the arena");
    count();
    drop(guard);
    finish(&party);
    Peaceful
}

/// A handler that takes the lock as [`locks`] does, but by polling.
struct Polling {
    party: Party,
    lock: microkit_sync::Mutex<'static>,
    is_done: bool,
}

fn polls(parties: usize) -> Polling {
    panicking::set_hook(&|_| ());
    let mut polling = Polling {
        party: party_of(parties),
        lock: arena().mutex(0, 0).expect("all parties open the same lock"),
        is_done: false,
    };
    polling.poll();
    polling
}

impl Polling {
    fn poll(&mut self) {
        if self.is_done {
            return;
        }
        let polled = self
            .lock
            .poll_lock(&self.party)
            .expect("the lock can be taken");
        if let core::task::Poll::Ready(acquired) = polled {
            let guard = enter(acquired).expect("only parties write to the arena");
            count();
            drop(guard);
            finish(&self.party);
            self.is_done = true;
        }
    }
}

impl Handler for Polling {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.poll();
        Ok(())
    }
}

struct Parent {
    entry_point: EntryPoint,
    parties: usize,
    recovers: bool,
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn notified(&mut self, _: ChannelSet) -> Result<(), sel4::Error> {
        Ok(())
    }

    fn fault(&mut self, _: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        if self.recovers {
            let peers = Peers::new(&CHANNELS[..self.parties]);
            assert_eq!(peers.members().iter().count(), self.parties);
            assert_eq!(arena().recover(PartyId::new(0), &peers).corrupt, 0);
        }
        CHILD.restart(self.entry_point)?;
        Ok(None)
    }
}

fn system(parties: usize, recovers: bool) -> System {
    System::parse("locks.system", &file(parties))
        .expect("the system file is valid")
        .program("parent.elf", move || Parent {
            entry_point: CHILD.entry_point().expect("the PD is a child"),
            parties,
            recovers,
        })
}

/// Checks that all parties have incremented the counters. The killed party may have incremented the
/// counters twice.
fn check(run: &microkit_test::Run, parties: usize) {
    let data = run.region("victim", "data");
    let [first, second, finished, reported] =
        [FIRST, SECOND, FINISHED, REPORTED].map(|index| data[index].load(Relaxed));
    assert_eq!(finished, (1 << parties) - 1, "a party waits forever");
    assert_eq!(first, second, "the counters differ");
    assert!(
        (parties as u64..=parties as u64 + 1).contains(&first),
        "the counters are {first}"
    );
    assert!(reported <= 1, "a death is reported once");
    let word = run.region("victim", "locks")[0].load(Relaxed);
    assert_eq!(word & 0xff_ffff_ffff, 0, "the lock is free");
}

/// Explores up to 500 schedules in order, and 500 random schedules. There are too many schedules to
/// explore all of them, because the values that a party has read are part of its state. The tests
/// under loom explore all schedules of a shorter program.
fn explore(name: &str, system: &System, parties: usize) {
    let explored = Explorer::new(system)
        .by_priority()
        .crash("victim")
        .max_runs(500)
        .samples(500, 1)
        .check(|run| check(run, parties));
    println!("{name}: {explored}");
}

#[test]
fn two_waiting_parties_survive_every_death() {
    let system = system(2, true).program("party.elf", || locks(2));
    explore("two parties that wait", &system, 2);
}

#[test]
fn three_waiting_parties_survive_every_death() {
    let system = system(3, true).program("party.elf", || locks(3));
    explore("three parties that wait", &system, 3);
}

#[test]
fn three_polling_parties_survive_every_death() {
    let system = system(3, true).program("party.elf", || polls(3));
    explore("three parties that poll", &system, 3);
}

#[test]
fn a_child_recovers_itself_if_its_parent_does_not() {
    let system = system(2, false).program("party.elf", || {
        let party = party_of(2);
        if party.id().index() == 0 {
            arena().recover(party.id(), &party);
        }
        locks(2)
    });
    explore("a child that recovers itself", &system, 2);
}

/// Negative control: asserts that the tests above fail if the parent does not recover the dead
/// party.
#[test]
fn a_parent_that_does_not_recover_is_found() {
    let system = system(2, false).program("party.elf", || locks(2));
    let found = Explorer::new(&system)
        .by_priority()
        .crash("victim")
        .try_check(|run| check(run, 2));
    let found = found.expect_err("a party waits forever").to_string();
    println!("{}", found.lines().next().unwrap_or_default());
}

#[test]
fn notifications_during_a_wait_are_kept_until_they_are_taken() {
    let system = system(2, true).program("party.elf", || {
        let party = party_of(2);
        if party.id().index() == 0 {
            party.wait();
            let missed = [(); 2].map(|()| party.take_missed());
            let channels = missed.map(|missed| missed.into_iter().collect::<Vec<_>>());
            debug_println!("{channels:?}");
        } else {
            party.notify(PartyId::new(0));
        }
        Peaceful
    });
    let mut run = system.start();
    run.until_idle();
    let [_, (_, second), _] = CHANNELS;
    assert_eq!(run.log(), format!("{:?}\n", [vec![second], vec![]]));
}
