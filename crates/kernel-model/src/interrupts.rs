//! Interrupts: each signals a notification, and is masked until it is acknowledged (seL4 manual,
//! *Interrupt Delivery*; seL4's `object/interrupt.c`, with a GICv2).
//!
//! An interrupt that comes before the PD has started is signalled and masked as any other. The PD
//! finds the signal when it first receives, and libmicrokit acknowledges every interrupt before
//! that.

use crate::ids::IrqId;
use crate::kernel::Kernel;
use crate::machine::{Machine, Report};

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
            None => machine.report(Report::UnhandledIrq { number }),
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
}
