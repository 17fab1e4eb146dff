//! The PD `timer`: drives the physical timer of the processor, for up to [`CLIENTS`] clients.
//!
//! The documentation of the library describes the clients and the system file. A time-out is in
//! `waiting` until its deadline. Then the time-out is in `expired` until its client asks for the
//! expired time-outs. The alarm is always set to the earliest deadline in `waiting`.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

mod clock;

use clock::Clock;
use heapless::Deque;
use microkit_async::deadlines::{Deadlines, Id};
use microkit_timer::{Expired, TIMEOUTS_PER_CLIENT, reply, request};
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, IrqAckError, MessageInfo,
    get_mr, protection_domain, set_mr, waits,
};

/// The timer's interrupt.
const IRQ: Channel = Channel::new(0);

/// The channel of the first client. The next clients have the next channels.
const FIRST_CLIENT: usize = 1;

/// The number of clients.
const CLIENTS: usize = 4;

struct Driver {
    clock: Clock,
    /// The time-outs that are not due yet.
    waiting: Deadlines<Waiting, { CLIENTS * TIMEOUTS_PER_CLIENT }>,
    /// The expired time-outs of each client that are not reported to the client yet.
    expired: [Deque<Expired, TIMEOUTS_PER_CLIENT>; CLIENTS],
    /// The number of time-outs that have expired.
    order: u64,
    deferred: DeferredActionSlot,
}

struct Waiting {
    client: usize,
    tag: u64,
}

waits! {}

#[protection_domain]
fn init() -> Driver {
    Driver {
        clock: Clock::new(),
        waiting: Deadlines::new(),
        expired: [const { Deque::new() }; CLIENTS],
        order: 0,
        deferred: DeferredActionSlot::new(),
    }
}

impl Handler for Driver {
    type Error = IrqAckError;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), IrqAckError> {
        if channels.contains(IRQ) {
            self.expire();
            self.deferred.defer_irq_ack(IRQ)?;
        }
        Ok(())
    }

    fn protected(
        &mut self,
        channel: Channel,
        info: MessageInfo,
    ) -> Result<MessageInfo, IrqAckError> {
        let client = channel.index().wrapping_sub(FIRST_CLIENT);
        if client >= CLIENTS {
            return Ok(MessageInfo::new(reply::UNKNOWN, 0));
        }
        let word = |index| {
            if index < info.count() {
                get_mr(index)
            } else {
                0
            }
        };
        Ok(match info.label() {
            request::NOW => one_word(self.clock.now_ns()),
            request::SET => match self.set(client, word(0), word(1)) {
                Some(id) => one_word(id.to_word()),
                None => MessageInfo::new(reply::FULL, 0),
            },
            request::CANCEL => self.cancel(client, Id::from_word(word(0))),
            request::EXPIRED => self.report_expired(client),
            request::RESET => {
                self.waiting.retain(|waiting| waiting.client != client);
                self.expired[client].clear();
                self.clock.set_alarm(self.waiting.earliest());
                MessageInfo::new(reply::DONE, 0)
            }
            _ => MessageInfo::new(reply::UNKNOWN, 0),
        })
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}

impl Driver {
    /// Sets a time-out, unless the client already has [`TIMEOUTS_PER_CLIENT`] time-outs. A time-out
    /// that is already due also expires at the interrupt, so all time-outs expire in `expire`.
    fn set(&mut self, client: usize, deadline_ns: u64, tag: u64) -> Option<Id> {
        let own = self
            .waiting
            .iter()
            .filter(|waiting| waiting.client == client);
        if own.count() + self.expired[client].len() >= TIMEOUTS_PER_CLIENT {
            return None;
        }
        let id = self.waiting.insert(deadline_ns, Waiting { client, tag });
        self.clock.set_alarm(self.waiting.earliest());
        id.ok()
    }

    fn cancel(&mut self, client: usize, id: Id) -> MessageInfo {
        // If the time-out belongs to another client, the reply is also `NOT_SET`, so that the reply
        // discloses nothing about other clients.
        let is_own = |waiting: &Waiting| waiting.client == client;
        if !self.waiting.get(id).is_some_and(is_own) {
            return MessageInfo::new(reply::NOT_SET, 0);
        }
        self.waiting.remove(id);
        self.clock.set_alarm(self.waiting.earliest());
        MessageInfo::new(reply::DONE, 0)
    }

    /// Moves due time-outs to `expired`, and notifies each client of these time-outs once.
    fn expire(&mut self) {
        let mut clients = ChannelSet::default();
        let now = self.clock.now_ns();
        while let Some((deadline_ns, Waiting { client, tag })) = self.waiting.take_due(now) {
            let expired = Expired {
                tag,
                deadline_ns,
                order: self.order,
            };
            self.order += 1;
            // The queue has room: `set` refuses a time-out if the client's waiting and expired
            // time-outs would not all fit into the queue.
            self.expired[client].push_back(expired).ok();
            clients.extend([Channel::new(FIRST_CLIENT + client)]);
        }
        self.clock.set_alarm(self.waiting.earliest());
        for client in clients {
            client.notify();
        }
    }

    /// Replies with all expired time-outs of a client.
    fn report_expired(&mut self, client: usize) -> MessageInfo {
        let mut count = 0;
        while let Some(expired) = self.expired[client].pop_front() {
            for word in [expired.tag, expired.deadline_ns, expired.order] {
                set_mr(count, word);
                count += 1;
            }
        }
        MessageInfo::new(reply::DONE, count)
    }
}

fn one_word(word: u64) -> MessageInfo {
    set_mr(0, word);
    MessageInfo::new(reply::DONE, 1)
}
