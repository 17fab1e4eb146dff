//! A signal that was accepted is observed, or known to be lost: in every schedule, whenever the
//! receiver dies. And what is not so is found.

mod common;

use std::sync::atomic::Ordering;

use common::{complete, entry_point};
use microkit_registry::signals::{NoReceiver, Outcome, Receiver, Sender, Ticket, WORDS};
use microkit_test::{Explorer, Run, System};
use sel4_microkit::{
    Channel, ChannelSet, Child, Handler, Infallible, MessageInfo, SharedWord, debug_println,
    shared_words,
};

/// Of `alice` and `bell`, the channel to each other.
const PEER: Channel = Channel::new(1);
/// Of `alice` and `parent`, which stands for the registry here.
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

/// What sends, here or in a mutant.
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
    /// How many she is to send.
    signals: usize,
    tickets: Vec<Ticket>,
    told: usize,
}

fn alice<S: Sends>(signals: usize) -> Alice<S> {
    let mut alice = Alice {
        sender: S::new(),
        signals,
        tickets: Vec::new(),
        told: 0,
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
        self.tell();
    }

    fn tell(&mut self) {
        while let Some(ticket) = self.tickets.get(self.told) {
            match self.sender.outcome(*ticket) {
                Outcome::Pending => return,
                Outcome::Observed => debug_println!("alice: observed"),
                Outcome::Lost => debug_println!("alice: lost"),
            }
            self.told += 1;
        }
    }
}

impl<S: Sends> Handler for Alice<S> {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(NEWS) {
            self.sender.detach();
            self.tell();
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

/// Restarts `bell`, or says that it is dead.
struct Parent {
    buries: bool,
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        match self.buries {
            true => NEWS.notify(),
            false => child.restart(entry_point(child))?,
        }
        Ok(None)
    }
}

fn system<S: Sends>(signals: usize, buries: bool) -> System {
    with_file::<S>(FILE, signals, buries)
}

fn with_file<S: Sends>(file: &str, signals: usize, buries: bool) -> System {
    System::parse("signals.system", file)
        .unwrap()
        .program("parent.elf", move || Parent { buries })
        .program("bell.elf", bell)
        .program("alice.elf", move || alice::<S>(signals))
}

/// Of each signal that was accepted it is known what became of it, and what is said to be observed
/// was.
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

/// One signal in every schedule, and two, which can merge, in as many as there is time for.
#[test]
fn without_deaths_all_signals_are_observed() {
    let check = |signals: usize, runs: usize| {
        let system = system::<Sender>(signals, false);
        let explored = Explorer::new(&system).max_runs(runs).check(|run| {
            is_settled(run);
            assert_eq!(run.log().matches("observed").count(), signals);
        });
        println!("{explored}");
        explored
    };
    complete(check(1, 100_000));
    check(2, 1000);
}

/// With every order of the priorities to the end; and of all other schedules, which are many more,
/// as many as there is time for.
#[test]
fn a_receiver_that_is_restarted_at_any_step_loses_no_signal_unseen() {
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
        let system = with_file::<Sender>(&file, 1, false);
        let explorer = Explorer::new(&system).by_priority().crash("bell");
        complete(explorer.check(all_are_accepted));
    }
    let system = system::<Sender>(1, false);
    let explorer = Explorer::new(&system).crash("bell").max_runs(2000);
    println!("{}", explorer.check(all_are_accepted));
}

#[test]
fn a_receiver_that_dies_at_any_step_loses_no_signal_unseen() {
    let system = system::<Sender>(1, true);
    complete(Explorer::new(&system).crash("bell").check(is_settled));
}

#[test]
fn a_sender_that_dies_at_any_step_leaves_the_receiver_sound() {
    let system = system::<Sender>(1, false);
    let explored = Explorer::new(&system).crash("alice").check(|run| {
        let (log, count) = (run.log(), |what| run.log().matches(what).count());
        assert!(count("accepted") <= 1 && count("lost") == 0, "{log}");
    });
    complete(explored);
}

/// Asks only how many were seen, and not of which life.
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
fn a_sender_that_does_not_ask_for_the_life_is_found() {
    for buries in [false, true] {
        let system = system::<Trusting>(1, buries);
        let found = Explorer::new(&system).crash("bell").try_check(is_settled);
        let found = found.unwrap_err();
        assert!(found.message().contains("has vanished"), "{found}");
    }
}

/// Does not hear that the receiver is dead.
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
fn a_sender_that_does_not_hear_of_the_death_is_found() {
    let system = system::<Deaf>(1, true);
    let found = Explorer::new(&system).crash("bell").try_check(is_settled);
    let found = found.unwrap_err();
    assert!(found.message().contains("has vanished"), "{found}");
}

/// Begins again where the last life was, and takes as seen what was sent to it.
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
fn a_receiver_whose_restart_advances_nothing_is_found() {
    let system = system::<Sender>(1, false).program("bell.elf", forgetful_bell);
    let found = Explorer::new(&system).crash("bell").try_check(is_settled);
    let found = found.unwrap_err();
    let message = found.message();
    assert!(message.contains("was not observed"), "{found}");
}

/// Says that all was seen before it has looked what there is.
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
fn a_receiver_that_says_so_before_it_acts_is_found() {
    let system = system::<Sender>(1, false).program("bell.elf", || Hasty(bell().receiver));
    let found = Explorer::new(&system).crash("bell").try_check(is_settled);
    let found = found.unwrap_err();
    let message = found.message();
    assert!(message.contains("was not observed"), "{found}");
}

/// The words of a pair that no system has.
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

/// The other end may write anything anywhere, at any time.
#[test]
fn an_end_that_lies_affects_its_own_signals_only() {
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
            // May be any of the three; must not panic.
            let _ = sender.outcome(ticket);
            let _ = Sender::attach(&mut sender);
            let _ = sender.signal().map(|ticket| sender.outcome(ticket));
            if receiver.take().is_ok() {
                let _ = receiver.take();
            }
            let mut sender = Sender::new(words, PEER);
            let _ = Sender::attach(&mut sender);
            let _ = sender.signal();
            // A new life is heard of, whatever the words were.
            let mut receiver = Receiver::new(words);
            // A lie about the life that signals are for can give it signals of another.
            assert!(receiver.take().is_ok());
            assert_eq!(Sender::attach(&mut sender), Ok(()));
            let ticket = sender.signal().expect("it is a new life");
            assert_eq!(sender.outcome(ticket), Outcome::Pending);
            assert_eq!(receiver.take(), Ok(1));
            assert_eq!(sender.outcome(ticket), Outcome::Observed);
        }
    }
}

#[test]
fn nothing_is_accepted_while_nobody_is_there() {
    let words = alone();
    let mut sender = Sender::new(words, PEER);
    assert_eq!(Sender::attach(&mut sender), Err(NoReceiver));
    assert_eq!(sender.signal(), Err(NoReceiver));
    Receiver::new(words);
    assert_eq!(sender.signal(), Err(NoReceiver), "attach first");
    assert_eq!(Sender::attach(&mut sender), Ok(()));
    Receiver::new(words);
    assert_eq!(sender.signal(), Err(NoReceiver), "it is another");
}
