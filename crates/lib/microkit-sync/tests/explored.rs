//! Protection domains with a lock, in many orders in which they can access its word and wake each other,
//! where one dies before any of its steps, and its parent recovers and restarts it.
#![forbid(unsafe_code)]

use std::sync::atomic::Ordering::Relaxed;

use microkit_sync::{Acquired, Arena, LockError, Notifier, Party, PartyId, Peers};
use microkit_test::{Explorer, System};
use sel4_microkit::{
    Channel, ChannelSet, Child, EntryPoint, Handler, Infallible, MessageInfo, SharedWord,
    debug_println, panicking, pd_name, shared_words,
};

/// The parties, by their names. The first is the one that dies.
const NAMES: [&str; 3] = ["victim", "second", "third"];

const CHANNELS: [(PartyId, Channel); 3] = [
    (PartyId::new(0), Channel::new(10)),
    (PartyId::new(1), Channel::new(11)),
    (PartyId::new(2), Channel::new(12)),
];

const CHILD: Child = Child::new(1);

/// The system, with so many parties.
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

/// The words of `data`: two counters that are the same outside of the lock, who has finished, and how
/// often somebody found that an owner had died.
const FIRST: usize = 0;
const SECOND: usize = 1;
const FINISHED: usize = 2;
const TOLD: usize = 3;

fn party_of(parties: usize) -> Party {
    let name = pd_name().expect("it has a name");
    let id = NAMES
        .iter()
        .position(|party| *party == name)
        .expect("it is one of them");
    Party::new(PartyId::new(id), Peers::new(&CHANNELS[..parties]))
}

/// Counts once, in both words. Between them it can be killed, or another can come.
fn count() {
    let data = shared_words!(data, data_size);
    let before = data[FIRST].load(Relaxed);
    data[FIRST].store(before + 1, Relaxed);
    shared_words!(data, data_size, SharedWord)[TOLD].load(Relaxed);
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
        assert_eq!(first, second, "an owner has left a half");
    }
    acquired.or_repair(|| {
        data[TOLD].fetch_add(1, Relaxed);
        data[SECOND].store(first, Relaxed);
    })
}

fn arena() -> Arena<'static> {
    Arena::new(&shared_words!(locks, locks_size, SharedWord)[..1])
}

fn locks(parties: usize) -> Peaceful {
    panicking::set_hook(&|_| ());
    let party = party_of(parties);
    let mut lock = arena().mutex(0, 0).expect("all open the same lock");
    let guard = enter(lock.lock(&party).expect("the lock is given")).expect("nobody else writes");
    count();
    drop(guard);
    finish(&party);
    Peaceful
}

/// As [`locks`], as a handler does it that does not wait.
struct Polling {
    party: Party,
    lock: microkit_sync::Mutex<'static>,
    is_done: bool,
}

fn polls(parties: usize) -> Polling {
    panicking::set_hook(&|_| ());
    let mut polling = Polling {
        party: party_of(parties),
        lock: arena().mutex(0, 0).expect("all open the same lock"),
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
        let polled = self.lock.poll_lock(&self.party).expect("the lock is given");
        if let core::task::Poll::Ready(acquired) = polled {
            let guard = enter(acquired).expect("nobody else writes");
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
        .expect("the system is sound")
        .program("parent.elf", move || Parent {
            entry_point: CHILD.entry_point().expect("it is a child"),
            parties,
            recovers,
        })
}

/// All have counted, those that died perhaps once more.
fn check(run: &microkit_test::Run, parties: usize) {
    let data = run.region("victim", "data");
    let [first, second, finished, told] =
        [FIRST, SECOND, FINISHED, TOLD].map(|index| data[index].load(Relaxed));
    assert_eq!(finished, (1 << parties) - 1, "somebody waits for ever");
    assert_eq!(first, second, "the counters differ");
    assert!(
        (parties as u64..=parties as u64 + 1).contains(&first),
        "{first} are counted"
    );
    assert!(told <= 1, "a death is told once");
    let word = run.region("victim", "locks")[0].load(Relaxed);
    assert_eq!(word & 0xff_ffff_ffff, 0, "the lock is free");
}

/// Explores as many schedules as there is time for, and random ones besides: of all there are too many,
/// for what a party has seen on its way counts too. Under loom, a shorter program has all.
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
fn two_that_wait_for_the_lock_with_every_death() {
    let system = system(2, true).program("party.elf", || locks(2));
    explore("two that wait", &system, 2);
}

#[test]
fn three_that_wait_for_the_lock_with_every_death() {
    let system = system(3, true).program("party.elf", || locks(3));
    explore("three that wait", &system, 3);
}

#[test]
fn three_that_poll_with_every_death() {
    let system = system(3, true).program("party.elf", || polls(3));
    explore("three that poll", &system, 3);
}

#[test]
fn a_child_recovers_for_a_parent_that_forgets() {
    let system = system(2, false).program("party.elf", || {
        let party = party_of(2);
        if party.id().index() == 0 {
            arena().recover(party.id(), &party);
        }
        locks(2)
    });
    explore("a child that recovers for itself", &system, 2);
}

/// The tests above can fail.
#[test]
fn a_parent_that_forgets_to_recover_is_found() {
    let system = system(2, false).program("party.elf", || locks(2));
    let found = Explorer::new(&system)
        .by_priority()
        .crash("victim")
        .try_check(|run| check(run, 2));
    let found = found.expect_err("somebody waits for ever").to_string();
    println!("{}", found.lines().next().unwrap_or_default());
}

#[test]
fn what_comes_while_a_party_waits_is_kept_until_it_is_taken() {
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
