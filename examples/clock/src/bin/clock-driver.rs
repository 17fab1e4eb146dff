//! Drives a real-time clock (Arm PL031) for one client, through the registers and the interrupt of
//! the clock.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use clock_protocol::{Clock, ClockServer};
use safe_mmio::fields::{ReadPure, ReadPureWrite, WriteOnly};
use sel4_microkit::{
    Channel, ChannelSet, DeviceRegion, Handler, IrqAckError, MessageInfo, device_region,
    protection_domain, register, waits,
};

/// The interrupt of the clock.
const IRQ: Channel = Channel::new(0);

const CLIENT: Channel = Channel::new(1);

/// Arm DDI 0224, *Summary of registers*.
#[repr(C)]
struct Registers {
    data: ReadPure<u32>,
    matched: ReadPureWrite<u32>,
    load: ReadPureWrite<u32>,
    control: ReadPureWrite<u32>,
    mask: ReadPureWrite<u32>,
    raw_status: ReadPure<u32>,
    masked_status: ReadPure<u32>,
    clear: WriteOnly<u32>,
}

/// The only bit of three registers: it starts the clock in `control`, enables the interrupt in
/// `mask`, and clears the interrupt in `clear`.
const ON: u32 = 1;

struct Driver {
    registers: DeviceRegion<Registers>,
    /// The time of the alarm in seconds, until the alarm rings.
    alarm: Option<u32>,
}

// The driver calls no other PD, and waits only for events.
waits! {}

#[protection_domain]
fn init() -> Driver {
    let mut registers = device_region!(clock, clock_size, Registers);
    register!(registers, Registers, control).write(ON);
    register!(registers, Registers, mask).write(ON);
    Driver {
        registers,
        alarm: None,
    }
}

impl Clock for Driver {
    fn now(&mut self) -> u32 {
        register!(self.registers, Registers, data).read()
    }

    fn set_alarm(&mut self, after_s: u32) {
        let due = self.now().wrapping_add(after_s);
        self.alarm = Some(due);
        register!(self.registers, Registers, matched).write(due);
        // The device raises the interrupt only if both registers become equal. If the second has
        // ended before the write, this does not happen.
        self.ring_if_due();
    }
}

impl Driver {
    fn ring_if_due(&mut self) {
        let now = self.now();
        // The counter wraps around, so the two times are compared by their difference.
        let is_due = |due: &u32| now.wrapping_sub(*due).cast_signed() >= 0;
        if self.alarm.take_if(|due| is_due(due)).is_some() {
            CLIENT.notify();
        }
    }
}

impl Handler for Driver {
    type Error = IrqAckError;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), IrqAckError> {
        if channels.contains(IRQ) {
            // The driver clears the interrupt before it reads the time. In the opposite order, the
            // clear would remove an interrupt that the device raises after the read.
            register!(self.registers, Registers, clear).write(ON);
            self.ring_if_due();
            IRQ.irq_ack()?;
        }
        Ok(())
    }

    fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, IrqAckError> {
        Ok(ClockServer::dispatch(self, &info))
    }
}
