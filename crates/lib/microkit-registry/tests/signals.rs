//! Tests that every accepted signal is observed or reported as lost, in every schedule, with a
//! death of the receiver at every step. The same checks must find the defects of mutants.

mod common;

use std::sync::atomic::Ordering;

use common::{assert_complete, entry_point};
use microkit_registry::signals::{NoReceiver, Outcome, Receiver, Sender, Ticket, WORDS};
use microkit_test::{Explorer, Run, System};
use sel4_microkit::{
    Channel, ChannelSet, Child, Handler, Infallible, MessageInfo, SharedWord, debug_println,
    shared_words,
};

/// The channel between `alice` and `bell`, with the same identifier in both PDs.
const PEER: Channel = Channel::new(1);
/// The channel between `alice` and `parent`. In these tests, `parent` reports a death in place of
/// the registry.
const NEWS: Channel = Channel::new(2);

const FILE: &str = r#"
    <system>
        <memory_region name="words" size="0x1000" />
        <protection_domain name="parent" priority="3">
            <program_image path="parent.elf" />
            <protection_domain name="bell" id="1" priority="2">
                <program_image path="bell.elf" />
                <map mr="words" vaddr="0x4000000" perms="rw" setvar_vaddr="words" setvar_size="words_size" />
            </protection_domain>
        </protection_domain>
        <protection_domain name="alice" priority="1">
            <program_image path="alice.elf" />
            <map mr="words" vaddr="0x4000000" perms="rw" setvar_vaddr="words" setvar_size="words_size" />
        </protection_domain>
        <channel><end pd="alice" id="1" /><end pd="bell" id="1" /></channel>
        <channel><end pd="alice" id="2" /><end pd="parent" id="2" /></channel>
    </system>"#;

fn words() -> &'static [SharedWord] {
    shared_words!(words, words_size, SharedWord)
}

/// The interface of the real sender and of mutants.
trait Sends: 'static {
    fn new() -> Self;
    fn attach(&mut self) -> bool;
    fn detach(&mut self);
    fn signal(&mut self) -> Result<Ticket, NoReceiver>;
    fn outcome(&self, ticket: Ticket) -> Outcome;
}

impl Sends for Sender {
    fn new() -> Self {
        Sender::new(words(), PEER)
    }

    fn attach(&mut self) -> bool {
        Sender::attach(self).is_ok()
    }

    fn detach(&mut self) {
        Sender::detach(self);
    }

    fn signal(&mut self) -> Result<Ticket, NoReceiver> {
        Sender::signal(self)
    }

    fn outcome(&self, ticket: Ticket) -> Outcome {
        Sender::outcome(self, ticket)
    }
}

struct Alice<S> {
    sender: S,
    /// The number of signals to send.
    signals: usize,
    tickets: Vec<Ticket>,
    reported: usize,
}

fn alice<S: Sends>(signals: usize) -> Alice<S> {
    let mut alice = Alice {
        sender: S::new(),
        signals,
        tickets: Vec::new(),
        reported: 0,
    };
    alice.go();
    alice
}

impl<S: Sends> Alice<S> {
    fn go(&mut self) {
        if self.tickets.len() < self.signals && self.sender.attach() {
            while self.tickets.len() < self.signals
                && let Ok(ticket) = self.sender.signal()
            {
                debug_println!("alice: accepted");
                self.tickets.push(ticket);
            }
        }
        self.report();
    }

    fn report(&mut self) {
        while let Some(ticket) = self.tickets.get(self.reported) {
            match self.sender.outcome(*ticket) {
                Outcome::Pending => return,
                Outcome::Observed => debug_println!("alice: observed"),
                Outcome::Lost => debug_println!("alice: lost"),
            }
            self.reported += 1;
        }
    }
}

impl<S: Sends> Handler for Alice<S> {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(NEWS) {
            self.sender.detach();
            self.report();
        } else {
            self.go();
        }
        Ok(())
    }
}

struct Bell {
    receiver: Receiver,
}

fn bell() -> Bell {
    let receiver = Receiver::new(words());
    PEER.notify();
    Bell { receiver }
}

impl Handler for Bell {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        let count = self.receiver.waiting().unwrap();
        if count > 0 {
            debug_println!("bell: took {count}");
            self.receiver.observed(count);
            PEER.notify();
        }
        Ok(())
    }
}

/// The parent of `bell`. If `restarts` is true, restarts a dead `bell`. Otherwise, notifies `alice`
/// of the death.
struct Parent {
    restarts: bool,
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        match self.restarts {
            true => child.restart(entry_point(child))?,
            false => NEWS.notify(),
        }
        Ok(None)
    }
}

fn system<S: Sends>(signals: usize, restarts: bool) -> System {
    with_file::<S>(FILE, signals, restarts)
}

fn with_file<S: Sends>(file: &str, signals: usize, restarts: bool) -> System {
    System::parse("signals.system", file)
        .unwrap()
        .program("parent.elf", move || Parent { restarts })
        .program("bell.elf", bell)
        .program("alice.elf", move || alice::<S>(signals))
}

/// Checks that each accepted signal has an outcome, and that `bell` has taken each signal that is
/// reported as observed.
fn is_settled(run: &Run) {
    let log = run.log();
    let count = |what| log.matches(what).count();
    assert_eq!(
        count("accepted"),
        count("observed") + count("alice: lost"),
        "a signal has vanished: {log}"
    );
    let took: usize = log
        .lines()
        .filter_map(|line| line.strip_prefix("bell: took ")?.parse::<usize>().ok())
        .sum();
    assert!(
        count("observed") <= took,
        "a signal was not observed: {log}"
    );
    assert!(took <= count("accepted"), "a signal came twice: {log}");
}

/// Explores every schedule for one signal, and 1000 schedules for two signals. Two signals can
/// merge.
#[test]
fn without_deaths_all_signals_are_observed() {
    let check = |signals: usize, runs: usize| {
        let system = system::<Sender>(signals, true);
        let explored = Explorer::new(&system).max_runs(runs).check(|run| {
            is_settled(run);
            assert_eq!(run.log().matches("observed").count(), signals);
        });
        println!("{explored}");
        explored
    };
    assert_complete(check(1, 100_000));
    check(2, 1000);
}

/// Explores all schedules for every order of priorities, and 2000 schedules that ignore priorities.
#[test]
fn no_signal_vanishes_when_the_receiver_restarts_at_any_step() {
    let all_are_accepted = |run: &Run| {
        is_settled(run);
        assert_eq!(run.log().matches("accepted").count(), 1);
    };
    for [parent, bell, alice] in [
        [3, 2, 1],
        [3, 1, 2],
        [2, 3, 1],
        [2, 1, 3],
        [1, 3, 2],
        [1, 2, 3],
    ] {
        let file = FILE
            .replace(r#"priority="3""#, &format!(r#"priority="{parent}0""#))
            .replace(r#"priority="2""#, &format!(r#"priority="{bell}0""#))
            .replace(r#"priority="1""#, &format!(r#"priority="{alice}0""#));
        let system = with_file::<Sender>(&file, 1, true);
        let explorer = Explorer::new(&system).by_priority().crash("bell");
        assert_complete(explorer.check(all_are_accepted));
    }
    let system = system::<Sender>(1, true);
    let explorer = Explorer::new(&system).crash("bell").max_runs(2000);
    println!("{}", explorer.check(all_are_accepted));
}

#[test]
fn no_signal_vanishes_when_the_receiver_dies_at_any_step() {
    let system = system::<Sender>(1, false);
    assert_complete(Explorer::new(&system).crash("bell").check(is_settled));
}

#[test]
fn a_sender_that_dies_at_any_step_does_not_harm_the_receiver() {
    let system = system::<Sender>(1, true);
    let explored = Explorer::new(&system).crash("alice").check(|run| {
        let (log, count) = (run.log(), |what| run.log().matches(what).count());
        assert!(count("accepted") <= 1 && count("lost") == 0, "{log}");
    });
    assert_complete(explored);
}

/// A mutant that compares only the number of observed signals, and not the receiver's epoch.
struct Trusting(Sender, u64);

impl Sends for Trusting {
    fn new() -> Self {
        Self(Sends::new(), 0)
    }

    fn attach(&mut self) -> bool {
        Sends::attach(&mut self.0)
    }

    fn detach(&mut self) {}

    fn signal(&mut self) -> Result<Ticket, NoReceiver> {
        self.1 += 1;
        self.0.signal()
    }

    fn outcome(&self, _: Ticket) -> Outcome {
        match words()[9].load(Ordering::Acquire) >= self.1 {
            true => Outcome::Observed,
            false => Outcome::Pending,
        }
    }
}

#[test]
fn a_sender_that_ignores_the_epoch_is_found() {
    for restarts in [true, false] {
        let system = system::<Trusting>(1, restarts);
        let found = Explorer::new(&system).crash("bell").try_check(is_settled);
        let found = found.unwrap_err();
        assert!(found.message().contains("has vanished"), "{found}");
    }
}

/// A mutant that ignores the death of the receiver.
struct Deaf(Sender);

impl Sends for Deaf {
    fn new() -> Self {
        Self(Sends::new())
    }

    fn attach(&mut self) -> bool {
        Sends::attach(&mut self.0)
    }

    fn detach(&mut self) {}

    fn signal(&mut self) -> Result<Ticket, NoReceiver> {
        self.0.signal()
    }

    fn outcome(&self, ticket: Ticket) -> Outcome {
        self.0.outcome(ticket)
    }
}

#[test]
fn a_sender_that_ignores_the_death_is_found() {
    let system = system::<Deaf>(1, false);
    let found = Explorer::new(&system).crash("bell").try_check(is_settled);
    let found = found.unwrap_err();
    assert!(found.message().contains("has vanished"), "{found}");
}

/// A mutant of the receiver that keeps the epoch of its last incarnation, and marks all signals to
/// this epoch as observed.
fn forgetful_bell() -> Bell {
    let words = words();
    if words[8].load(Ordering::Relaxed) != 0 {
        let sent = words[1].load(Ordering::Relaxed);
        words[9].store(sent, Ordering::Release);
        PEER.notify();
        return Bell {
            receiver: Receiver::new(Box::leak(Box::new([const { SharedWord::new(0) }; WORDS]))),
        };
    }
    bell()
}

#[test]
fn a_receiver_that_does_not_advance_its_epoch_is_found() {
    let system = system::<Sender>(1, true).program("bell.elf", forgetful_bell);
    let found = Explorer::new(&system).crash("bell").try_check(is_settled);
    let found = found.unwrap_err();
    let message = found.message();
    assert!(message.contains("was not observed"), "{found}");
}

/// A mutant that marks the signals as observed before it acts on them.
struct Hasty(Receiver);

impl Handler for Hasty {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        let count = self.0.take().unwrap();
        PEER.notify();
        if count > 0 {
            debug_println!("bell: took {count}");
        }
        Ok(())
    }
}

#[test]
fn a_receiver_that_observes_before_it_acts_is_found() {
    let system = system::<Sender>(1, true).program("bell.elf", || Hasty(bell().receiver));
    let found = Explorer::new(&system).crash("bell").try_check(is_settled);
    let found = found.unwrap_err();
    let message = found.message();
    assert!(message.contains("was not observed"), "{found}");
}

/// Returns shared words for a test without a system.
fn alone() -> &'static [SharedWord] {
    Box::leak((0..WORDS).map(|_| SharedWord::new(0)).collect())
}

#[test]
fn each_end_writes_a_cache_line_of_its_own() {
    assert_eq!(WORDS * size_of::<SharedWord>(), 2 * 64);
}

#[test]
#[should_panic(expected = "signals need 16 words, but there are 15")]
fn too_few_words_are_refused() {
    Receiver::new(&alone()[1..]);
}

/// Asserts that invalid words from a peer never cause a panic, and that a new incarnation of the
/// receiver works again.
#[test]
fn a_malicious_peer_affects_only_the_signals_between_the_two() {
    const LIES: [u64; 6] = [0, 1, 2, 3, 1 << 63, u64::MAX];
    sel4_microkit::host::ProtectionDomain {
        name: "alice",
        notifications: !0,
        ..Default::default()
    }
    .set();
    sel4::sys::host::install(Some(std::rc::Rc::new(
        |_: &mut sel4::sys::host::Registers, _: Option<sel4::sys::host::HostBuffer<'_>>| {},
    )));
    sel4::set_ipc_buffer(sel4::sys::host::new_ipc_buffer());
    for word in 0..WORDS {
        for lie in LIES {
            let words = alone();
            let mut receiver = Receiver::new(words);
            let mut sender = Sender::new(words, PEER);
            assert_eq!(Sender::attach(&mut sender), Ok(()));
            let ticket = sender.signal().unwrap();
            assert_eq!(receiver.take(), Ok(1));
            words[word].store(lie, Ordering::SeqCst);
            // The results of these calls are arbitrary, but the calls must not panic.
            let _ = sender.outcome(ticket);
            let _ = Sender::attach(&mut sender);
            let _ = sender.signal().map(|ticket| sender.outcome(ticket));
            if receiver.take().is_ok() {
                let _ = receiver.take();
            }
            let mut sender = Sender::new(words, PEER);
            let _ = Sender::attach(&mut sender);
            let _ = sender.signal();
            // A new incarnation of the receiver must work again, for any values of the words.
            let mut receiver = Receiver::new(words);
            // A forged `sent_to` can cause a wrong count, but not an error.
            assert!(receiver.take().is_ok());
            assert_eq!(Sender::attach(&mut sender), Ok(()));
            let ticket = sender.signal().expect("the receiver has a new epoch");
            assert_eq!(sender.outcome(ticket), Outcome::Pending);
            assert_eq!(receiver.take(), Ok(1));
            assert_eq!(sender.outcome(ticket), Outcome::Observed);
        }
    }
}

#[test]
fn a_sender_without_a_receiver_accepts_no_signal() {
    let words = alone();
    let mut sender = Sender::new(words, PEER);
    assert_eq!(Sender::attach(&mut sender), Err(NoReceiver));
    assert_eq!(sender.signal(), Err(NoReceiver));
    Receiver::new(words);
    assert_eq!(sender.signal(), Err(NoReceiver), "attach first");
    assert_eq!(Sender::attach(&mut sender), Ok(()));
    Receiver::new(words);
    assert_eq!(sender.signal(), Err(NoReceiver), "the receiver restarted");
}
