//! Measures round trips by the counter: calls, notifications, interrupts.
//!
//! It prints nothing itself, so that its size is that of a program that does not format.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use aarch64_cpu::registers::{CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTPCT_EL0, Readable, Writeable};
use bench_report::{ACTIVE, INTERRUPT, NOTIFY, NOTIFY_DEFERRED, PASSIVE, report};
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, IrqAckError, MessageInfo,
    protection_domain, with_msg_regs, with_msg_regs_mut,
};

/// Of higher priority, passive: a call of at most four words takes the kernel's fast path.
const PASSIVE_SERVER: Channel = Channel::new(1);

/// Of higher priority, with a scheduling context of its own.
const ACTIVE_SERVER: Channel = Channel::new(2);

/// Of higher priority: answers each notification with one, which it defers.
const DEFERS: Channel = Channel::new(3);

/// The same program: answers each notification with one, at once.
const NOTIFIES: Channel = Channel::new(4);

/// Its child faults when it is notified.
const PARENT: Channel = Channel::new(5);

const ROUND_TRIPS: u64 = 10_000;

const WARM_UP: u64 = 100;

/// Measures notifications, one kind after the other.
struct Client {
    peer: Channel,
    round_trips: u64,
    start: u64,
    deferred: DeferredActionSlot,
}

#[protection_domain]
fn init() -> Client {
    calls(PASSIVE, PASSIVE_SERVER);
    calls(ACTIVE, ACTIVE_SERVER);
    measure(INTERRUPT, interrupt);
    DEFERS.notify();
    Client {
        peer: DEFERS,
        round_trips: 0,
        start: 0,
        deferred: DeferredActionSlot::new(),
    }
}

fn calls(first_row: u64, server: Channel) {
    measure(first_row, || call_in_registers(server, []));
    measure(first_row + 1, || call_in_registers(server, [0, 1, 2, 3]));
    measure(first_row + 2, || call::<16>(server));
    measure(first_row + 3, || call::<64>(server));
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

/// Calls with at most four words, and adds up the reply.
fn call_in_registers<const WORDS: usize>(server: Channel, words: [u64; WORDS]) {
    let (_, reply) = server.pp_call_with_mrs(MessageInfo::new(0, WORDS), words);
    check::<WORDS>(reply[..WORDS].iter().sum());
}

/// Writes the words, calls, and adds up the reply: the first four words in CPU registers, the others
/// in the message registers.
fn call<const WORDS: usize>(server: Channel) {
    with_msg_regs_mut(|words| {
        (4..)
            .zip(&mut words[4..WORDS])
            .for_each(|(n, word)| *word = n)
    });
    let (_, first) = server.pp_call_with_mrs(MessageInfo::new(0, WORDS), [0, 1, 2, 3]);
    let others: u64 = with_msg_regs(|words| words[4..WORDS].iter().sum());
    check::<WORDS>(first.iter().sum::<u64>() + others);
}

fn check<const WORDS: usize>(sum: u64) {
    assert!(
        sum == (1..=WORDS as u64).sum(),
        "the server has not added one to each word"
    );
}

/// Has the timer's interrupt come, which the driver, of higher priority, handles and acknowledges.
fn interrupt() {
    CNTP_CVAL_EL0.set(0);
    CNTP_CTL_EL0.write(aarch64_cpu::registers::CNTP_CTL_EL0::ENABLE::SET);
}

impl Handler for Client {
    type Error = IrqAckError;

    fn notified(&mut self, _: ChannelSet) -> Result<(), IrqAckError> {
        self.round_trips += 1;
        if self.round_trips == WARM_UP {
            self.start = CNTPCT_EL0.get();
        } else if self.round_trips == WARM_UP + ROUND_TRIPS {
            return self.next();
        }
        self.notify()
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}

impl Client {
    #[inline]
    fn notify(&mut self) -> Result<(), IrqAckError> {
        if self.peer == DEFERS {
            return self.deferred.defer_notify(DEFERS);
        }
        NOTIFIES.notify();
        Ok(())
    }

    #[cold]
    fn next(&mut self) -> Result<(), IrqAckError> {
        let ticks = CNTPCT_EL0.get() - self.start;
        self.round_trips = 0;
        if self.peer == DEFERS {
            report(NOTIFY_DEFERRED, ticks, ROUND_TRIPS);
            self.peer = NOTIFIES;
            return self.notify();
        }
        report(NOTIFY, ticks, ROUND_TRIPS);
        PARENT.notify();
        Ok(())
    }
}
