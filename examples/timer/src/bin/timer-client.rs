//! Sets time-outs at the same time as `timer-peer`, and prints the order in which they expire. This
//! is the order of the deadlines at any speed of the machine.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use heapless::Vec;
use microkit_console::println;
use microkit_timer::{Error, Expired, TIMEOUTS_PER_CLIENT, Timer};
use sel4_microkit::{
    Channel, ChannelSet, Handler, MessageInfo, panicking, protection_domain, waits, with_msg_regs,
};

const TIMER: Channel = Channel::new(1);
const PEER: Channel = Channel::new(2);

/// The labels of requests to the peer. `timer-peer` has the same constants.
const RESET: u64 = 0;
const START: u64 = 1;
const REPORT: u64 = 2;

const NS_PER_MS: u64 = 1_000_000;

/// The deadlines, in milliseconds from the start. The tag of a time-out is its index.
const DUE_MS: [u64; 5] = [30, 10, 20, 20, 15];

/// The number of time-outs that the peer sets and does not cancel.
const PEERS: usize = 3;

const ALL: usize = DUE_MS.len() + PEERS;

/// The number of further time-outs. Each time-out is set when the previous one has expired.
const STEPS: u32 = 100;

struct Client {
    timer: Timer,
    start_ns: u64,
    expired: Vec<Expired, { DUE_MS.len() }>,
    /// The number of [`STEPS`] time-outs that are left. `None` until all others have expired.
    steps: Option<u32>,
}

waits! {
    in init { call microkit_console::CHANNEL; call TIMER; call PEER; }
    in notified { call microkit_console::CHANNEL; call TIMER; call PEER; }
}

#[protection_domain]
fn init() -> Client {
    panicking::set_hook(&microkit_console::panic_hook);
    let timer = Timer::new(TIMER);
    fill(&timer).expect("the timer answers");
    let start_ns = start(&timer).expect("the time-outs fit");
    println!("{ALL} time-outs are set");
    Client {
        timer,
        start_ns,
        expired: Vec::new(),
        steps: None,
    }
}

/// Sets the maximum number of time-outs, and one more. The driver refuses the last time-out.
fn fill(timer: &Timer) -> Result<(), Error> {
    const FAR_MS: u64 = 60 * 60 * 1000;
    let far_ns = timer.now_ns() + FAR_MS * NS_PER_MS;
    let first = timer.set(far_ns, 0)?;
    for tag in 1..TIMEOUTS_PER_CLIENT as u64 {
        timer.set(far_ns, tag)?;
    }
    match timer.set(far_ns, u64::MAX) {
        Err(error) => println!("one more than {TIMEOUTS_PER_CLIENT}: {error}"),
        Ok(_) => println!("one more than {TIMEOUTS_PER_CLIENT} was set"),
    }
    timer.cancel(first)?;
    match timer.cancel(first) {
        Err(error) => println!("cancelled twice: {error}"),
        Ok(()) => println!("it was cancelled twice"),
    }
    timer.set(far_ns, 0)?;
    println!("after a cancellation, another one can be set");
    timer.reset();
    Ok(())
}

/// Sets the time-outs of both PDs before the first one expires. Returns the start.
///
/// The first try allows less time than any machine needs, so the retry is always exercised.
fn start(timer: &Timer) -> Result<u64, Error> {
    let mut lead_ns = 1;
    loop {
        let start_ns = timer.now_ns() + lead_ns;
        for (tag, due_ms) in (0..).zip(DUE_MS) {
            timer.set(start_ns + due_ms * NS_PER_MS, tag)?;
        }
        PEER.pp_call_with_mrs(MessageInfo::new(START, 1), [start_ns]);
        if timer.now_ns() < start_ns {
            return Ok(start_ns);
        }
        // The machine was too slow. Try again with twice the time.
        timer.reset();
        PEER.pp_call(MessageInfo::new(RESET, 0));
        lead_ns *= 2;
    }
}

impl Handler for Client {
    type Error = Error;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Error> {
        if channels.contains(TIMER) {
            for expired in self.timer.expired() {
                assert!(
                    self.timer.now_ns() >= expired.deadline_ns,
                    "the time-out expired before its deadline"
                );
                match self.steps {
                    Some(steps) => self.step(steps, expired.deadline_ns)?,
                    None => self.expired.push(expired).expect("no more were set"),
                }
            }
        }
        let peers = peers();
        if self.steps.is_none() && self.expired.is_full() && peers.len() >= PEERS {
            self.report(&peers);
            self.step(STEPS, self.timer.now_ns())?;
        }
        Ok(())
    }
}

impl Client {
    /// Prints all expired time-outs in the order of their expiry.
    fn report(&self, peers: &[Expired]) {
        let mine = self.expired.iter().map(|expired| ("client", expired));
        let all = mine.chain(peers.iter().map(|expired| ("peer", expired)));
        let mut all: Vec<_, { ALL + 1 }> = all.collect();
        all.sort_unstable_by_key(|(_, expired)| expired.order);
        for (who, expired) in all {
            let due_ms = (expired.deadline_ns - self.start_ns) / NS_PER_MS;
            println!("{who}'s time-out {} has expired, {due_ms} ms", expired.tag);
        }
    }

    /// Sets the next of the [`STEPS`] time-outs.
    fn step(&mut self, steps: u32, last_ns: u64) -> Result<(), Error> {
        if steps == 0 {
            println!("{STEPS} more have expired, one after the other");
            return Ok(());
        }
        self.timer.set(last_ns + NS_PER_MS, steps.into())?;
        self.steps = Some(steps - 1);
        Ok(())
    }
}

/// Returns the expired time-outs of the peer. The capacity is one more than expected, so that the
/// test can fail.
fn peers() -> Vec<Expired, { PEERS + 1 }> {
    let info = PEER.pp_call(MessageInfo::new(REPORT, 0));
    with_msg_regs(|words| {
        let (expired, _) = words[..info.count()].as_chunks();
        expired
            .iter()
            .map(|&[tag, deadline_ns, order]| Expired {
                tag,
                deadline_ns,
                order,
            })
            .collect()
    })
}
