//! IRQs. Each IRQ signals a notification, and is masked until it is acknowledged (seL4 manual,
//! *Interrupt Delivery*; seL4's `object/interrupt.c`, with a `GICv2`).
//!
//! An IRQ that arrives before its PD has started is signalled and masked like any other IRQ.
//! libmicrokit acknowledges every IRQ of the PD before the first receive. The first receive of the
//! PD then returns the signal.

use crate::ids::{Arena, IrqId, NotificationId};
use crate::system::System;

/// An IRQ (seL4 manual, *Hardware I/O*).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Irq {
    /// The handler that the IRQ signals.
    pub handler: Option<IrqHandler>,
    /// Whether the IRQ is masked. An acknowledgement unmasks the IRQ.
    pub masked: bool,
}

/// The handler of an IRQ: the notification to signal, and the badge.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct IrqHandler {
    /// The notification.
    pub notification: NotificationId,
    /// The badge of the signal.
    pub badge: u64,
}

/// All IRQs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Irqs(Arena<IrqId, Irq>);

impl Irqs {
    pub(crate) fn new(system: &System) -> Self {
        Self(Arena::new(system.irqs.iter().map(|(_, handler)| Irq {
            handler: Some(*handler),
            masked: false,
        })))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (IrqId, &Irq)> {
        self.0.iter()
    }

    pub(crate) fn handler(&self, irq: IrqId) -> Option<IrqHandler> {
        self.0[irq].handler
    }

    pub(crate) fn set_handler(&mut self, irq: IrqId, handler: Option<IrqHandler>) {
        self.0[irq].handler = handler;
    }

    pub(crate) fn set_masked(&mut self, irq: IrqId, masked: bool) {
        self.0[irq].masked = masked;
    }
}
