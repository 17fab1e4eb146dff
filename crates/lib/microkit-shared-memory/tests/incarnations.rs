//! Tests queues of records whose ends are killed and restarted before each access to shared memory,
//! in many schedules.
#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use microkit_shared_memory::{
    CONSUMER_WORDS, Consumer, Memory, Part, PeerError, PopError, Producer, PushError,
    WritableMemory, producer_words,
};
use microkit_test::{Explorer, Run, System};
use sel4_microkit::{
    Channel, ChannelSet, Child, EntryPoint, Handler, Infallible, MessageInfo, SharedWord,
    debug_println, shared_words,
};

const PEER: Channel = Channel::new(1);
const CHILDREN: [Child; 2] = [Child::new(1), Child::new(2)];

const FILE: &str = r#"
    <system>
        <memory_region name="queue" size="0x1000" />
        <protection_domain name="parent" priority="3">
            <program_image path="parent.elf" />
            <protection_domain name="producer" id="1" priority="1">
                <program_image path="producer.elf" />
                <map mr="queue" vaddr="0x4000000" perms="rw" setvar_vaddr="queue" setvar_size="queue_size" />
            </protection_domain>
            <protection_domain name="consumer" id="2" priority="1">
                <program_image path="consumer.elf" />
                <map mr="queue" vaddr="0x4000000" perms="rw" setvar_vaddr="queue" setvar_size="queue_size" />
            </protection_domain>
        </protection_domain>
        <channel>
            <end pd="producer" id="1" />
            <end pd="consumer" id="1" />
        </channel>
    </system>"#;

/// A parent that restarts each child that faults.
struct Parent {
    entry_points: [EntryPoint; 2],
}

fn parent() -> Parent {
    Parent {
        entry_points: CHILDREN.map(|child| child.entry_point().expect("it is a child")),
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Self::Error> {
        child.restart(self.entry_points[child.index() - 1])?;
        Ok(None)
    }
}

/// The words of the queue. `forgets` plants a flaw: an end reads 0 as the epoch of its last
/// incarnation.
#[derive(Debug, Copy, Clone)]
struct Shared {
    words: &'static [SharedWord],
    forgets: bool,
}

impl Memory for Shared {
    fn words(&self) -> usize {
        self.words.len()
    }

    fn load(&self, index: usize, order: Ordering) -> u64 {
        let is_place = index == 0 || index == CONSUMER_WORDS;
        // An end loads its own epoch with relaxed ordering, and the peer's epoch with acquire
        // ordering. So relaxed ordering identifies a load of the end's own epoch.
        if self.forgets && is_place && order == Ordering::Relaxed {
            return 0;
        }
        self.words[index].load(order)
    }
}

impl WritableMemory for Shared {
    fn store(&self, index: usize, value: u64, order: Ordering) {
        self.words[index].store(value, order);
    }
}

fn parts(capacity: usize, forgets: bool) -> (Part<Shared>, Part<Shared>) {
    let words = shared_words!(queue, queue_size, SharedWord);
    let words = &words[..CONSUMER_WORDS + producer_words::<[u64; 2]>(capacity)];
    Part::whole(Shared { words, forgets })
        .split_at(CONSUMER_WORDS)
        .expect("it is large enough")
}

/// The number of records that a producer puts in each incarnation.
const RECORDS: u64 = 2;

/// A producer that puts all records of its incarnation. After a restart of the consumer, the
/// producer puts all records again.
struct Putter {
    producer: Producer<[u64; 2], Part<Shared>, Part<Shared>>,
    next: u64,
}

fn producer(capacity: usize, forgets: bool) -> Putter {
    let (taken, put) = parts(capacity, forgets);
    let producer = Producer::open(put, taken).expect("it is large enough");
    let mut putter = Putter { producer, next: 0 };
    putter.put();
    putter
}

impl Putter {
    fn put(&mut self) {
        loop {
            let record = [u64::from(self.producer.epoch()), self.next];
            let result = if self.next < RECORDS {
                self.producer.push(&record)
            } else {
                // All records are put: only check for a restart of the consumer.
                self.producer.room().map(drop).map_err(PushError::from)
            };
            match result {
                Ok(()) if self.next < RECORDS => self.next += 1,
                Ok(()) => break,
                Err(PushError::Peer(PeerError::Restarted)) => self.next = 0,
                Err(PushError::Full) if self.producer.may_sleep() == Ok(true) => break,
                Err(PushError::Full) => {}
                Err(PushError::Peer(error)) => panic!("{error}"),
            }
            if self.producer.must_notify() {
                PEER.notify();
            }
        }
        if self.producer.must_notify() {
            PEER.notify();
        }
    }
}

impl Handler for Putter {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.put();
        Ok(())
    }
}

/// A consumer that takes all records, and checks their order.
struct Taker {
    consumer: Consumer<[u64; 2], Part<Shared>, Part<Shared>>,
    /// The epoch of the producer, and the number of records taken from this epoch.
    expected: Option<[u64; 2]>,
}

fn consumer(capacity: usize, forgets: bool) -> Taker {
    let (taken, put) = parts(capacity, forgets);
    let mut taker = Taker {
        consumer: Consumer::open(taken, put).expect("it is large enough"),
        expected: None,
    };
    taker.take();
    taker
}

impl Taker {
    fn take(&mut self) {
        loop {
            match self.consumer.pop() {
                Ok(Some([epoch, number])) => {
                    let expected = self.expected.unwrap_or([epoch, 0]);
                    assert_eq!([epoch, number], expected, "something is lost, or stale");
                    self.expected = Some([epoch, number + 1]);
                    if number + 1 == RECORDS {
                        debug_println!("all {epoch}");
                    }
                }
                Err(PopError::Peer(PeerError::Restarted)) => self.expected = None,
                Ok(None) => match self.consumer.may_sleep() {
                    Ok(true) => break,
                    Ok(false) => {}
                    Err(PeerError::Restarted) => self.expected = None,
                    Err(error) => panic!("{error}"),
                },
                Err(error) => panic!("{error}"),
            }
            if self.consumer.must_notify() {
                PEER.notify();
            }
        }
        if self.consumer.must_notify() {
            PEER.notify();
        }
    }
}

impl Handler for Taker {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.take();
        Ok(())
    }
}

fn system(capacity: usize, forgets: bool) -> System {
    System::parse("queue.system", FILE)
        .expect("the system is sound")
        .program("parent.elf", parent)
        .program("producer.elf", move || producer(capacity, forgets))
        .program("consumer.elf", move || consumer(capacity, forgets))
}

/// Creates the explorer. The parent has the highest priority, so it looks up the entry points of
/// its children first. The two ends have the same priority and run in any order.
fn explorer(system: &System) -> Explorer<'_> {
    Explorer::new(system).by_priority()
}

/// Checks the final state: the consumer has taken all records of the producer's last incarnation.
fn check(run: &Run) {
    let words = run.region("producer", "queue");
    let epoch = words[CONSUMER_WORDS].load(Ordering::Relaxed) >> 40;
    assert!(
        run.log().contains(&format!("all {epoch}\n")),
        "{}",
        run.log()
    );
}

#[test]
fn everything_is_taken_in_many_schedules() {
    for capacity in [1, 2] {
        let system = system(capacity, false);
        let explored = explorer(&system).max_runs(500).samples(500, 1).check(check);
        println!("{capacity}: {explored}");
    }
}

/// More steps than any run needs until all PDs wait.
const MOST_STEPS: usize = 2000;

/// Runs each PD for its given number of steps, and then kills the victim. Then runs the system
/// until all PDs wait. Returns `None` if the victim does not reach its step.
fn killed(system: &System, victim: &str, steps: &[(&str, usize)]) -> Option<Run> {
    let mut run = system.start();
    while run.can_run().contains(&"parent") {
        run.step_of("parent");
    }
    for (name, count) in steps {
        for _ in 0..*count {
            if run.can_run().contains(name) {
                run.step_of(name);
            } else if *name == victim {
                return None;
            }
        }
    }
    if !run.can_run().contains(&victim) {
        return None;
    }
    run.kill(victim);
    for _ in 0..MOST_STEPS {
        if !run.step() {
            return Some(run);
        }
    }
    panic!("it does not come to rest:\n{}", run.log())
}

/// Kills the victim before each of its steps, combined with different numbers of steps of the other
/// PD. Returns the number of runs.
fn kill_everywhere(system: &System, [victim, other]: [&str; 2], check: fn(&Run)) -> usize {
    /// More steps than a PD makes before its first wait.
    const STEPS: usize = 60;
    let mut runs = 0;
    for mine in 0..STEPS {
        for theirs in (0..STEPS).step_by(3) {
            let (mine, theirs) = ((victim, mine), (other, theirs + mine % 3));
            for order in [[mine, theirs], [theirs, mine]] {
                if let Some(run) = killed(system, victim, &order) {
                    check(&run);
                    runs += 1;
                }
            }
        }
    }
    runs
}

const PAIRS: [[&str; 2]; 2] = [["producer", "consumer"], ["consumer", "producer"]];

#[test]
fn an_end_that_dies_anywhere_is_restarted_and_nothing_is_lost_or_stale() {
    let system = system(1, false);
    for pair in PAIRS {
        let runs = kill_everywhere(&system, pair, check);
        println!("{pair:?}: {runs} runs");
        assert!(runs > 500, "{runs}");
    }
}

#[test]
fn both_may_die_at_any_time() {
    let system = system(1, false);
    let explored = explorer(&system)
        .crash("producer")
        .crash("consumer")
        .max_runs(500)
        .samples(1000, 7)
        .check(check);
    println!("{explored}");
}

/// Negative control: without the epoch advance at a restart, the tests above fail. This test kills
/// only the producer. After a restart of the consumer, records that are taken twice look like
/// records that are put twice. `tests/queue.rs` detects the flaw in the consumer.
#[test]
fn a_restart_that_is_no_new_incarnation_is_found() {
    let system = system(1, true);
    let [pair, _] = PAIRS;
    let found = catch_unwind(AssertUnwindSafe(|| kill_everywhere(&system, pair, check)));
    assert!(found.is_err(), "{found:?}");
}
