//! Invocations of interrupt handlers (seL4 manual, *seL4_IRQHandler*).

use sel4_sys::invocation as label;

use super::{Invocation, make_in_registers};
use crate::{InvocationContext, Result, cap};

impl<C: InvocationContext> cap::IrqHandler<C> {
    /// Lets the interrupt come again (`seL4_IRQHandler_Ack`).
    ///
    /// **Blocks:** never. **Errors:** if this is no interrupt handler.
    #[inline]
    #[track_caller]
    pub fn irq_handler_ack(self) -> Result<()> {
        // SAFETY: C-3: whether an interrupt comes is not what is done when it does.
        self.invoke_in_registers(|cptr, token| unsafe {
            make_in_registers(label::IRQAckIRQ, [], cptr, token)
        })
    }

    /// Has the interrupt signal `notification` (`seL4_IRQHandler_SetNotification`).
    ///
    /// **Blocks:** never. **Errors:** if one of them is not what it is taken for.
    #[track_caller]
    pub fn irq_handler_set_notification(self, notification: cap::Notification) -> Result<()> {
        let invocation = Invocation {
            label: label::IRQSetIRQHandler,
            caps: &[notification.bits()],
            words: &[],
        };
        // SAFETY: C-3: a notification brings a badge, and no word of it is written to memory.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }

    /// Has the interrupt signal nothing (`seL4_IRQHandler_Clear`).
    ///
    /// **Blocks:** never. **Errors:** if this is no interrupt handler.
    #[track_caller]
    pub fn irq_handler_clear(self) -> Result<()> {
        let invocation = Invocation::bare(label::IRQClearIRQHandler);
        // SAFETY: C-3: whether an interrupt comes is not what is done when it does.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }
}
