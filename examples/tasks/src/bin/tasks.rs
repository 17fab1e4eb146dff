//! Tasks of two priorities in one PD. A task asks a peer, cancels a call that takes too long, and
//! waits for a call from the peer. Then tasks drain an object: they wait until no task holds it.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use embassy_futures::join::join;
use embassy_futures::yield_now;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::signal::Signal;
use embassy_time::{Delay, Duration, Timer as Sleep, with_timeout};
use embedded_hal_async::delay::DelayNs;
use microkit_async::{
    DrainError, Drainable, Listener, Spawner, SplitClient, TaskMemory, TaskPriority, Tasks,
};
use microkit_console::println;
use microkit_timer::Timer;
use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, SharedWord, get_mr, panicking, protection_domain,
    set_mr, shared_words, waits,
};

const TIMER: Channel = Channel::new(1);

/// The channel of questions and answers.
const PEER: Channel = Channel::new(2);

/// The channel whose notification asks the peer for the answer to the kept question. The peer also
/// calls on this channel.
const KEPT: Channel = Channel::new(3);

/// The first word of a question that the peer keeps. `tasks-peer` has the same constant.
const KEEP: u64 = u64::MAX;

/// Priorities of tasks.
const LOW: u8 = 1;
const HIGH: u8 = 2;

static MEMORY: TaskMemory<8192> = TaskMemory::new();

/// The word of the peer's call, until a task takes it.
type Called = Signal<NoopRawMutex, u64>;

waits! {
    in init { call microkit_console::CHANNEL; call TIMER; }
    in notified { call microkit_console::CHANNEL; call TIMER; }
    in protected(KEPT) { call microkit_console::CHANNEL; call TIMER; }
}

#[protection_domain]
fn init() -> Tasks<Answers> {
    panicking::set_hook(&microkit_console::panic_hook);
    let tasks = Tasks::new(&MEMORY).with_alarm(TIMER, Timer::new(TIMER));
    let spawner = tasks.spawner();
    let called = spawner.keep(Called::new()).expect("there is room");
    let listener = Listener::new(PEER).expect("no other listener has this channel");
    let peer = SplitClient::new(listener, shared_words!(split, split_size, SharedWord));
    spawner
        .spawn(LOW, all(spawner, peer, called))
        .expect("there is room");
    tasks.with_handler(Answers { called })
}

/// The handler of events that are not for a task. The handler answers the peer's call.
struct Answers {
    called: &'static Called,
}

impl Handler for Answers {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, Infallible> {
        let word = get_mr(0);
        self.called.signal(word);
        set_mr(0, 2 * word);
        Ok(MessageInfo::new(0, 1))
    }
}

/// Runs the two parts one after the other.
async fn all(spawner: Spawner, mut peer: SplitClient, called: &'static Called) {
    asks(&mut peer, called).await;
    drains(spawner).await;
    println!("done");
}

async fn asks(peer: &mut SplitClient, called: &Called) {
    let [sum, ..] = peer.call([1, 2, 3, 4]).await;
    println!("1 + 2 + 3 + 4 = {sum}");
    let kept = peer.call([KEEP, 0, 0, 0]);
    if with_timeout(Duration::from_millis(1), kept).await.is_err() {
        println!("no answer in 1 ms: the call is cancelled");
    }
    KEPT.notify();
    // This call gets its own answer, not the answer to the cancelled call.
    let [sum, ..] = peer.call([5, 6, 7, 8]).await;
    println!("5 + 6 + 7 + 8 = {sum}");
    println!("the peer has called with {}", called.wait().await);
}

async fn drains(spawner: Spawner) {
    let object = spawner
        .keep(Drainable::new("object"))
        .expect("there is room");
    spawner.spawn(HIGH, moves(object)).expect("there is room");
    spawner.spawn(LOW, delays(object)).expect("there is room");
    while object.holders() < 2 {
        yield_now().await;
    }
    let hold = object.hold(async |name| match object.drain().await {
        Err(DrainError::InsideHolder(_)) => println!("a holder of the {name} cannot drain it"),
        drained => println!("the {name} inside a hold: {drained:?}"),
    });
    hold.await.expect("nobody drains it yet");

    let drain = async {
        object.drain().await.expect("this task holds nothing");
        println!("nobody holds it any more");
    };
    let late = async {
        if let Err(error) = object.hold(async |_| ()).await {
            println!("too late: {error}");
        }
    };
    join(drain, late).await;
}

/// Holds the object while the task changes its priority and sleeps.
async fn moves(object: &'static Drainable<&'static str>) {
    let hold = object.hold(async |name| {
        let priority = TaskPriority::current().await;
        println!("a task of priority {} holds the {name}", priority.get());
        priority.set(HIGH + 1);
        Sleep::after(Duration::from_millis(5)).await;
        println!("a task of priority {} gives it back", priority.get());
    });
    hold.await.expect("nobody drains it yet");
}

/// Holds the object for a longer time.
async fn delays(object: &'static Drainable<&'static str>) {
    let hold = object.hold(async |name| {
        println!("another task holds the {name}");
        Delay.delay_ms(10).await;
        println!("another task gives it back");
    });
    hold.await.expect("nobody drains it yet");
}
