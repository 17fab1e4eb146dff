//! The PD `serial`: drives the PL011 UART of QEMU's `virt` machine by its interrupt, for up to
//! [`CLIENTS`] clients that print. One client may also read.
//!
//! The documentation of the library describes the clients and the system file. [`Port`] is the
//! UART, and [`Clients`] are the output queues. Each event moves bytes from the UART to the
//! reader's queue, and from the output queues to the UART, while the destination has room.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

mod client;
mod port;

use client::Clients;
use microkit_shared_memory::{Broken, ByteProducer};
use port::Port;
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, IrqAckError, SharedWord,
    protection_domain, shared_words_if_mapped,
};

/// The UART's interrupt.
const IRQ: Channel = Channel::new(0);

/// The number of clients.
const CLIENTS: usize = 4;

/// The channel of the first client. Its region is `output_1`. The next clients have the next
/// channels.
const FIRST_CLIENT: usize = 1;

/// The channel of the client that may read.
const READER: Channel = Channel::new(1);

struct Driver {
    port: Port,
    clients: Clients<CLIENTS>,
    /// The queue to the reader, if there is a reader that has not broken its queue.
    input: Option<ByteProducer>,
    deferred: DeferredActionSlot,
}

#[protection_domain]
fn init() -> Driver {
    let outputs = [
        shared_words_if_mapped!(output_1, output_1_size, SharedWord),
        shared_words_if_mapped!(output_2, output_2_size, SharedWord),
        shared_words_if_mapped!(output_3, output_3_size, SharedWord),
        shared_words_if_mapped!(output_4, output_4_size, SharedWord),
    ];
    let mut driver = Driver {
        port: Port::new(),
        clients: Clients::new(),
        input: shared_words_if_mapped!(input, input_size, SharedWord).map(ByteProducer::new),
        deferred: DeferredActionSlot::new(),
    };
    for (place, output) in outputs.into_iter().enumerate() {
        if let Some(output) = output {
            let channel = Channel::new(FIRST_CLIENT + place);
            driver.clients.add(place, channel, output);
        }
    }
    driver
}

impl Handler for Driver {
    type Error = IrqAckError;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), IrqAckError> {
        if channels.contains(IRQ) {
            self.port.interrupted();
            self.deferred.defer_irq_ack(IRQ)?;
        }
        self.receive();
        self.port.transmit(&mut self.clients);
        Ok(())
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}

impl Driver {
    /// Moves received bytes from the UART to the reader. While the reader's queue is full, the
    /// bytes stay in the UART's FIFO.
    fn receive(&mut self) {
        let mut has_received = false;
        while self.has_room() {
            let Some(byte) = self.port.receive() else {
                break;
            };
            if let Some(input) = &mut self.input {
                has_received |= input.put(&[byte]) == Ok(1);
            }
        }
        if has_received {
            READER.notify();
        }
    }

    /// Returns whether the reader's queue has room. If the queue is full, requests a notification
    /// from the reader and disables the UART's receive interrupts.
    fn has_room(&mut self) -> bool {
        let room = self.input.as_mut().map(|input| match input.room_bytes()? {
            0 => Ok(input.capacity_bytes() - input.ask_for_room()?),
            room => Ok(room),
        });
        let has_room = match room {
            Some(Ok(room)) => room > 0,
            // Received bytes are dropped if no reader exists, or if the reader has broken its
            // queue.
            Some(Err(Broken)) | None => {
                self.input = None;
                true
            }
        };
        self.port.listen(has_room);
        has_room
    }
}
