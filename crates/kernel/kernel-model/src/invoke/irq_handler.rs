//! Invocations of IRQ handlers (seL4 manual, *`seL4_IRQHandler_Ack`* and the following sections).

use super::Invocation;
use crate::cap::Cap;
use crate::error::InvocationError;
use crate::ids::IrqId;
use crate::irq::{IrqHandler, Irqs};
use crate::messages::Messages;
use crate::numbers::invocation;

pub(crate) fn invoke(
    irqs: &mut Irqs,
    messages: &mut Messages<'_>,
    irq: IrqId,
    invocation: &Invocation<'_>,
) -> Result<(), InvocationError> {
    match invocation.label {
        invocation::IRQAckIRQ => {
            irqs.set_masked(irq, false);
            messages.machine.unmask_irq(messages.system.irq_number(irq));
        }
        invocation::IRQSetIRQHandler => {
            let Cap::Notification(cap) = invocation.first_cap()? else {
                return Err(InvocationError::InvalidCapability(0));
            };
            if !cap.can_send {
                return Err(InvocationError::InvalidCapability(0));
            }
            let handler = IrqHandler {
                notification: cap.notification,
                badge: cap.badge,
            };
            irqs.set_handler(irq, Some(handler));
        }
        invocation::IRQClearIRQHandler => irqs.set_handler(irq, None),
        _ => return Err(InvocationError::IllegalOperation),
    }
    Ok(())
}
