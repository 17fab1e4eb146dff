//! A second client of the timer. `timer-client` calls this PD to set its time-outs and to report
//! the expired time-outs.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use heapless::Vec;
use microkit_timer::{Error, Expired, Timer};
use sel4_microkit::{
    Channel, ChannelSet, Handler, MessageInfo, get_mr, protection_domain, set_mr, waits,
};

const TIMER: Channel = Channel::new(1);
const CLIENT: Channel = Channel::new(2);

/// The labels of requests. `timer-client` has the same constants.
const RESET: u64 = 0;
const START: u64 = 1;
const REPORT: u64 = 2;

/// The deadlines, in milliseconds from the start. The tag of a time-out is its index.
const DUE_MS: [u64; 3] = [25, 20, 5];

struct Peer {
    timer: Timer,
    /// The expired time-outs. The cancelled time-out also fits, in case it expires by mistake.
    expired: Vec<Expired, { DUE_MS.len() + 1 }>,
}

waits! {
    in init { call TIMER; }
    in notified(TIMER) { call TIMER; }
    in protected(CLIENT) { call TIMER; }
}

#[protection_domain]
fn init() -> Peer {
    Peer {
        timer: Timer::new(TIMER),
        expired: Vec::new(),
    }
}

impl Handler for Peer {
    type Error = Error;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Error> {
        if channels.contains(TIMER) {
            self.expired.extend(self.timer.expired());
            if self.expired.len() >= DUE_MS.len() {
                CLIENT.notify();
            }
        }
        Ok(())
    }

    fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, Error> {
        match info.label() {
            RESET => {
                self.timer.reset();
                self.expired.clear();
            }
            START => {
                let start_ns = get_mr(0);
                for (tag, due_ms) in (0..).zip(DUE_MS) {
                    self.timer.set(start_ns + due_ms * 1_000_000, tag)?;
                }
                // This time-out would expire first, but it is cancelled.
                let never = self.timer.set(start_ns, u64::MAX)?;
                match self.timer.cancel(never) {
                    // `NotSet`: the machine was too slow and the time-out has expired. Then the
                    // client tries again.
                    Ok(()) | Err(Error::NotSet) => {}
                    Err(error) => return Err(error),
                }
            }
            REPORT => {
                let mut count = 0;
                for expired in &self.expired {
                    for word in [expired.tag, expired.deadline_ns, expired.order] {
                        set_mr(count, word);
                        count += 1;
                    }
                }
                return Ok(MessageInfo::new(REPORT, count));
            }
            _ => {}
        }
        Ok(MessageInfo::new(info.label(), 0))
    }
}
