//! Interrupts: each signals a notification, and is masked until it is acknowledged (seL4 manual,
//! *Interrupt Delivery*; seL4's `object/interrupt.c`, with a GICv2).
//!
//! An interrupt that comes before the PD has started is signalled and masked as any other. The PD
//! finds the signal when it first receives, and libmicrokit acknowledges every interrupt before
//! that.

use crate::ids::{IrqId, ThreadId};
use crate::kernel::Kernel;
use crate::machine::{Machine, Report};
use crate::objects::{NotificationState, ThreadState};

impl Kernel {
    /// The interrupt with this number has come (`handleInterrupt`).
    pub(crate) fn interrupt(&mut self, machine: &mut dyn Machine, number: u32) {
        let known = self
            .irqs
            .ids()
            .find(|irq| self.system.irqs[irq.index()].0 == number);
        let handler = known.and_then(|irq| self.irqs[irq].handler);
        match handler {
            Some(handler) => self.signal(handler.notification, handler.badge),
            None => machine.report(Report::UnhandledIrq {
                number,
                kernel: self,
            }),
        }
        if let Some(irq) = known {
            self.irqs[irq].masked = true;
        }
        machine.mask_irq(number);
    }

    /// Lets an interrupt come again.
    pub(crate) fn acknowledge(&mut self, machine: &mut dyn Machine, irq: IrqId) {
        self.irqs[irq].masked = false;
        machine.unmask_irq(self.system.irqs[irq.index()].0);
    }

    /// Whether an interrupt can come that wakes a thread: it is unmasked, and someone waits for its
    /// notification.
    pub fn awaits_interrupt(&self) -> bool {
        let unmasked = self.irqs.iter().filter(|(_, irq)| !irq.masked);
        let mut handlers = unmasked.filter_map(|(_, irq)| irq.handler);
        handlers.any(|handler| {
            let notification = &self.notifications[handler.notification];
            let receives = |thread: ThreadId| {
                let state = self.threads[thread].state;
                matches!(state, ThreadState::BlockedOnReceive { .. })
            };
            matches!(notification.state, NotificationState::Waiting(_))
                || notification.bound_thread.is_some_and(receives)
        })
    }
}
