//! Measures round trips with the processor's counter: calls, notifications and interrupts.
//!
//! The program prints nothing, so its size does not include formatting code.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use aarch64_cpu::registers::{CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTPCT_EL0, Readable, Writeable};
use bench::report::{ACTIVE, INTERRUPT, NOTIFY, NOTIFY_DEFERRED, PASSIVE, report};
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, Handler, Infallible, MessageInfo, protection_domain,
    with_msg_regs, with_msg_regs_mut,
};

/// A passive server of higher priority. A call of at most four words takes the kernel's fast path.
const PASSIVE_SERVER: Channel = Channel::new(1);

/// A server of higher priority with its own scheduling context.
const ACTIVE_SERVER: Channel = Channel::new(2);

/// A PD of higher priority that answers each notification with a deferred notification.
const DEFERS: Channel = Channel::new(3);

/// A second PD with the program of `DEFERS`, which answers each notification at once.
const NOTIFIES: Channel = Channel::new(4);

/// The parent of the faulting child. At a notification, the parent starts the child.
const PARENT: Channel = Channel::new(5);

const ROUND_TRIPS: u64 = 10_000;

const WARM_UP: u64 = 100;

/// Measures notifications: first with the peer that defers, then with the peer that notifies at
/// once.
struct Client {
    peer: Channel,
    round_trips: u64,
    start: u64,
}

#[protection_domain]
fn init() -> Client {
    calls(PASSIVE, PASSIVE_SERVER);
    calls(ACTIVE, ACTIVE_SERVER);
    measure(INTERRUPT, interrupt);
    Client {
        peer: DEFERS,
        round_trips: 0,
        start: 0,
    }
}

fn calls(first_row: u64, server: Channel) {
    measure(first_row, || call_in_registers(server, []));
    measure(first_row + 1, || call_in_registers(server, [0, 1, 2, 3]));
    // With a loop, the compiler emits one function for both sizes instead of two functions.
    for (row, count) in [(2, 16), (3, 64)] {
        measure(first_row + row, || call(server, count));
    }
}

fn measure(row: u64, round_trip: impl Fn()) {
    ticks_of(WARM_UP, &round_trip);
    report(row, ticks_of(ROUND_TRIPS, &round_trip), ROUND_TRIPS);
}

#[inline(never)]
fn ticks_of(round_trips: u64, round_trip: &impl Fn()) -> u64 {
    let start = CNTPCT_EL0.get();
    (0..round_trips).for_each(|_| round_trip());
    CNTPCT_EL0.get() - start
}

/// Calls with at most four words, and checks the sum of the reply.
fn call_in_registers<const WORDS: usize>(server: Channel, words: [u64; WORDS]) {
    let (_, reply) = server.pp_call_with_mrs(MessageInfo::new(0, WORDS), words);
    check(reply[..WORDS].iter().sum(), WORDS);
}

/// Writes the words, calls, and checks the sum of the reply. The first four words travel in CPU
/// registers, the others in the IPC buffer. `count` must be 4 plus a multiple of 12.
fn call(server: Channel, count: usize) {
    with_msg_regs_mut(|words| {
        let mut next = 4;
        for twelve in words[4..count].as_chunks_mut::<12>().0 {
            *twelve = core::array::from_fn(|n| next + n as u64);
            next += 12;
        }
    });
    let (_, first) = server.pp_call_with_mrs(MessageInfo::new(0, count), [0, 1, 2, 3]);
    let others: u64 = with_msg_regs(|words| {
        let twelves = words[4..count].as_chunks::<12>().0;
        twelves
            .iter()
            .map(|twelve| twelve.iter().sum::<u64>())
            .sum()
    });
    check(first.iter().sum::<u64>() + others, count);
}

fn check(sum: u64, count: usize) {
    let count = count as u64;
    assert!(
        sum == count * (count + 1) / 2,
        "the server has not added one to each word"
    );
}

/// Raises the timer's interrupt. The driver has a higher priority, so it handles and acknowledges
/// the interrupt at once.
fn interrupt() {
    CNTP_CVAL_EL0.set(0);
    CNTP_CTL_EL0.write(aarch64_cpu::registers::CNTP_CTL_EL0::ENABLE::SET);
}

impl Handler for Client {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.round_trips += 1;
        if self.round_trips == WARM_UP {
            self.start = CNTPCT_EL0.get();
        } else if self.round_trips == WARM_UP + ROUND_TRIPS {
            self.next();
        }
        if self.peer != DEFERS {
            self.peer.notify();
        }
        Ok(())
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        (self.peer == DEFERS).then(|| DeferredAction::new_notify(DEFERS))
    }
}

impl Client {
    /// Reports the measurement and selects the next peer. The last peer is the parent.
    #[cold]
    fn next(&mut self) {
        let ticks = CNTPCT_EL0.get() - self.start;
        self.round_trips = 0;
        let (row, next) = match self.peer {
            DEFERS => (NOTIFY_DEFERRED, NOTIFIES),
            _ => (NOTIFY, PARENT),
        };
        report(row, ticks, ROUND_TRIPS);
        self.peer = next;
    }
}
