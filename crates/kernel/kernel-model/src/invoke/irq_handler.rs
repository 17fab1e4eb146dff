//! Invocations of interrupts (seL4 manual, *seL4_IRQHandler_Ack* and those that follow).

use super::Invocation;
use crate::cap::Cap;
use crate::error::InvocationError;
use crate::ids::IrqId;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::numbers::invocation;
use crate::objects::IrqHandler;

impl Kernel {
    pub(super) fn invoke_irq_handler(
        &mut self,
        machine: &mut dyn Machine,
        irq: IrqId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        match invocation.label {
            invocation::IRQAckIRQ => {
                self.accept(invocation);
                self.acknowledge(machine, irq);
            }
            invocation::IRQSetIRQHandler => {
                let Cap::Notification(cap) = invocation.first_cap()? else {
                    return Err(InvocationError::InvalidCapability(0));
                };
                if !cap.can_send {
                    return Err(InvocationError::InvalidCapability(0));
                }
                self.accept(invocation);
                self.irqs[irq].handler = Some(IrqHandler {
                    notification: cap.notification,
                    badge: cap.badge,
                });
            }
            invocation::IRQClearIRQHandler => {
                self.accept(invocation);
                self.irqs[irq].handler = None;
            }
            _ => return Err(InvocationError::IllegalOperation),
        }
        Ok(())
    }
}
