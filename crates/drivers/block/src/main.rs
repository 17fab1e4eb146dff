//! The PD `block`: drives a virtio disk by its interrupt, for up to [`CLIENTS`] clients.
//!
//! The documentation of the library describes the clients and the system file. A request starts in
//! a client's call, and is completed at the interrupt. `owners` records the client of each request.
//! A flush starts only while no request is under way, so that the flush covers all earlier
//! requests.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

mod client;

use client::Client;
use microkit_block::{BUFFERS, reply, request};
use microkit_virtio::{BlockDevice, Error, REQUESTS, SLOTS_PER_PAGE, Slot, transport};
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, IrqAckError, MessageInfo,
    device_region, dma_region, get_mr, protection_domain, set_mr, shared_words_if_mapped,
};

/// The disk's interrupt.
const IRQ: Channel = Channel::new(0);

/// The number of clients.
const CLIENTS: usize = 2;

/// The channel of the first client, whose region is `buffers_1`. The next client has the next
/// channel.
const FIRST_CLIENT: usize = 1;

/// The slot of the disk in the last page of slots: QEMU puts the first device into the last slot.
const SLOT: usize = SLOTS_PER_PAGE - 1;

const _: () = assert!(
    CLIENTS * BUFFERS <= REQUESTS,
    "every buffer of every client can be under way at once"
);

struct Driver {
    disk: BlockDevice,
    clients: [Option<Client>; CLIENTS],
    /// The client and the buffer of each request that is under way.
    owners: [Option<(usize, usize)>; REQUESTS],
    deferred: DeferredActionSlot,
}

#[protection_domain]
fn init() -> Driver {
    let slots = device_region!(virtio, virtio_size, [Slot; SLOTS_PER_PAGE]);
    let transport = match transport(slots, SLOT) {
        Ok(transport) => transport,
        Err(error) => panic!(
            "there is no disk ({error}): give QEMU `-device virtio-blk-device,drive=…`, as the \
             system's .qemu file does"
        ),
    };
    let disk = match BlockDevice::new(transport, dma_region!(dma, dma_size, dma_paddr)) {
        Ok(disk) => disk,
        Err(error) => panic!("the disk cannot be used: {error}"),
    };
    let client = |place, words| Client::new(Channel::new(FIRST_CLIENT + place), words);
    Driver {
        disk,
        clients: [
            shared_words_if_mapped!(buffers_1, buffers_1_size).map(|words| client(0, words)),
            shared_words_if_mapped!(buffers_2, buffers_2_size).map(|words| client(1, words)),
        ],
        owners: [None; REQUESTS],
        deferred: DeferredActionSlot::new(),
    }
}

impl Handler for Driver {
    type Error = IrqAckError;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), IrqAckError> {
        if channels.contains(IRQ) {
            self.disk.acknowledge_interrupt();
            self.complete();
            self.flush();
            self.deferred.defer_irq_ack(IRQ)?;
        }
        Ok(())
    }

    fn protected(
        &mut self,
        channel: Channel,
        info: MessageInfo,
    ) -> Result<MessageInfo, IrqAckError> {
        let index = channel.index().wrapping_sub(FIRST_CLIENT);
        let words = core::array::from_fn(|word| if word < info.count() { get_mr(word) } else { 0 });
        let Some(Some(client)) = self.clients.get_mut(index) else {
            return Ok(MessageInfo::new(reply::UNKNOWN, 0));
        };
        Ok(match info.label() {
            request::BLOCKS => {
                set_mr(0, self.disk.blocks());
                MessageInfo::new(reply::DONE, 1)
            }
            request::COMPLETED => client.report_completed(),
            request::READ => MessageInfo::new(self.begin(index, words, false), 0),
            request::WRITE => MessageInfo::new(self.begin(index, words, true), 0),
            request::FLUSH => {
                let reply = client.want_flush();
                self.flush();
                MessageInfo::new(reply, 0)
            }
            _ => MessageInfo::new(reply::UNKNOWN, 0),
        })
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}

impl Driver {
    /// Starts a request, and returns the reply to the client's call.
    fn begin(&mut self, index: usize, words: [u64; 3], is_write: bool) -> u64 {
        let is_flush_wanted = self.clients.iter().flatten().any(Client::wants_flush);
        let Some(client) = &mut self.clients[index] else {
            return reply::UNKNOWN;
        };
        let [block, count, buffer] = words;
        let (Ok(count), Ok(buffer)) = (usize::try_from(count), usize::try_from(buffer)) else {
            return reply::UNKNOWN;
        };
        if buffer >= BUFFERS {
            return reply::UNKNOWN;
        }
        if is_flush_wanted || client.is_in_use(buffer) {
            return reply::BUSY;
        }
        let begun = if is_write {
            self.disk
                .begin_write(block, count, |data| client.read_buffer(buffer, data))
        } else {
            self.disk.begin_read(block, count)
        };
        match begun {
            Ok(request) => {
                client.use_buffer(buffer);
                self.owners[request.index()] = Some((index, buffer));
                reply::DONE
            }
            Err(error) => reply_for(error),
        }
    }

    /// Records the results of all requests that the disk has completed, and notifies each client of
    /// these requests once.
    fn complete(&mut self) {
        let (clients, owners) = (&mut self.clients, &mut self.owners);
        let mut has_news = [false; CLIENTS];
        while self
            .disk
            .complete(|request, result| {
                let Some((index, buffer)) = owners[request.index()].take() else {
                    return;
                };
                if let Some(client) = &mut clients[index] {
                    client.completed(buffer, result.map_err(reply_for));
                    has_news[index] = true;
                }
            })
            .is_some()
        {}
        if self.disk.is_broken() {
            for (index, buffer) in owners.iter_mut().filter_map(Option::take) {
                if let Some(client) = &mut clients[index] {
                    client.completed(buffer, Err(reply::FAILED));
                    has_news[index] = true;
                }
            }
        }
        for (client, _) in clients
            .iter()
            .zip(has_news)
            .filter(|(_, has_news)| *has_news)
        {
            client.iter().for_each(Client::notify);
        }
    }

    /// Flushes the disk, if a client wants a flush and no request is under way.
    fn flush(&mut self) {
        if self.owners.iter().any(Option::is_some) {
            return;
        }
        for client in self.clients.iter_mut().flatten() {
            if client.wants_flush() {
                client.flushed(self.disk.flush().map_err(reply_for));
                client.notify();
            }
        }
    }
}

fn reply_for(error: Error) -> u64 {
    match error {
        Error::Count => reply::UNKNOWN,
        Error::Outside => reply::OUTSIDE,
        Error::Busy => reply::BUSY,
        Error::ReadOnly => reply::READ_ONLY,
        Error::Device | Error::Broken | Error::Memory => reply::FAILED,
    }
}
