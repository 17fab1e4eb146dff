//! Drives the board's PL011 serial port by its interrupts, for up to [`CLIENTS`] clients that print,
//! of which one may read too.
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

/// The port's interrupt.
const IRQ: Channel = Channel::new(0);

/// Clients that can be served, from this channel on; each has the region `output_` and its number.
const CLIENTS: usize = 4;
const FIRST_CLIENT: usize = 1;

/// The client that may read.
const READER: Channel = Channel::new(1);

struct Driver {
    port: Port,
    clients: Clients<CLIENTS>,
    /// What was typed, on its way to the reader, if there is one.
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
    /// Passes on what was typed. While the reader has no room, it stays in the port, as far as that
    /// has room.
    fn receive(&mut self) {
        let mut has_come = false;
        while self.has_room() {
            let Some(byte) = self.port.receive() else {
                break;
            };
            if let Some(input) = &mut self.input {
                has_come |= input.put(&[byte]) == Ok(1);
            }
        }
        if has_come {
            READER.notify();
        }
    }

    /// Whether a byte can be passed on. If not, the reader notifies when it has taken some.
    fn has_room(&mut self) -> bool {
        let room = self.input.as_mut().map(|input| match input.room_bytes()? {
            0 => Ok(input.capacity_bytes() - input.ask_for_room()?),
            room => Ok(room),
        });
        let has_room = match room {
            Some(Ok(room)) => room > 0,
            // Nobody reads, or who did has broken the queue: what is typed goes nowhere.
            Some(Err(Broken)) | None => {
                self.input = None;
                true
            }
        };
        self.port.listen(has_room);
        has_room
    }
}
