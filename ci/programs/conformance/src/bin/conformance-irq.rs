//! Prints when the kernel delivers an interrupt. The source is the alarm of a PL031 clock. An alarm
//! for the current second is raised at once.
#![no_std]
#![no_main]

use microkit_abi::slots;
use microkit_console::println;
use safe_mmio::fields::{ReadPure, ReadPureWrite, WriteOnly};
use sel4::sys::invocation;
use sel4::{MessageInfo, cap};
use sel4_microkit::{
    Channel, DeviceRegion, NullHandler, device_region, panicking, protection_domain, register,
};

const ALARM: Channel = Channel::new(5);

// SAFETY: the slot holds the notification, because this PD has no endpoint.
const INPUT: cap::Notification = unsafe { cap::Notification::from_bits(slots::INPUT) };

/// The registers of a PL031 (Arm DDI 0224).
#[repr(C)]
struct Registers {
    data: ReadPure<u32>,
    matches: ReadPureWrite<u32>,
    load: ReadPureWrite<u32>,
    control: ReadPureWrite<u32>,
    interrupt_mask: ReadPureWrite<u32>,
    raw_interrupt: ReadPure<u32>,
    masked_interrupt: ReadPure<u32>,
    interrupt_clear: WriteOnly<u32>,
}

struct Clock {
    registers: DeviceRegion<Registers>,
}

#[protection_domain]
fn init() -> NullHandler {
    panicking::set_hook(&microkit_console::panic_hook);
    let mut clock = Clock {
        registers: device_region!(clock, clock_size, Registers),
    };
    clock.clear();
    clock.let_through(true);
    println!("nothing is raised: {}", come());

    clock.raise();
    println!("raised, never acknowledged before: {}", come());
    println!("again: {}", come());
    ack();
    println!("acknowledged, still raised: {}", come());
    clock.clear();
    println!("cleared: {}", come());
    ack();
    println!("acknowledged: {}", come());
    ack();
    println!("acknowledged again: {}", come());

    clock.raise();
    println!("raised: {}", come());
    clock.clear();
    clock.raise();
    println!("cleared, raised: {}", come());
    ack();
    println!("acknowledged: {}", come());
    clock.clear();
    clock.raise();
    clock.clear();
    println!("cleared, raised, cleared: {}", come());
    ack();
    println!("acknowledged: {}", come());
    ack();
    println!("acknowledged again: {}", come());

    clock.let_through(false);
    clock.raise();
    println!("raised, but not let through: {}", come());
    clock.let_through(true);
    println!("let through: {}", come());
    clock.clear();
    ack();
    println!("cleared, acknowledged: {}", come());

    clock.raise();
    println!("raised: {}", come());
    // Acknowledges the interrupt and waits for the next interrupt in one system call, as an event
    // loop does.
    let ack = MessageInfo::new(invocation::IRQAckIRQ, 0, 0, 0);
    clock.clear();
    clock.raise();
    let irq = slots::BASE_IRQ + ALARM.index() as u64;
    // SAFETY: an acknowledgement. This PD receives no call, so it owes no reply.
    let (_, badge) = unsafe { cap::Unspecified::from_bits(irq).nb_send_wait(ack, INPUT) };
    println!("cleared, raised, acknowledged and waited: with badge {badge:x}");
    clock.clear();
    println!("end");
    NullHandler::new()
}

fn ack() {
    ALARM.irq_ack().expect("the channel is an interrupt");
}

/// Returns how many polls received the interrupt, and the received badge bits.
fn come() -> impl core::fmt::Display {
    // The kernel delivers a pending interrupt within this number of polls.
    const LOOKS: usize = 1000;
    let mut times = 0;
    let mut bits = 0;
    for _ in 0..LOOKS {
        let (_, badge) = INPUT.poll();
        times += u32::from(badge != 0);
        bits |= badge;
    }
    Come { times, bits }
}

struct Come {
    times: u32,
    bits: u64,
}

impl core::fmt::Display for Come {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.times {
            0 => f.write_str("no"),
            1 => write!(f, "with badge {:x}", self.bits),
            times => write!(f, "{times} times with badge {:x}", self.bits),
        }
    }
}

impl Clock {
    /// Raises the interrupt at once.
    fn raise(&mut self) {
        // Tries again if a second has ended between the read and the write.
        while register!(self.registers, Registers, raw_interrupt).read() == 0 {
            let now = register!(self.registers, Registers, data).read();
            register!(self.registers, Registers, matches).write(now);
        }
    }

    /// Clears the interrupt.
    fn clear(&mut self) {
        register!(self.registers, Registers, interrupt_clear).write(1);
    }

    /// Unmasks or masks the interrupt in the clock.
    fn let_through(&mut self, lets: bool) {
        register!(self.registers, Registers, interrupt_mask).write(lets.into());
    }
}
