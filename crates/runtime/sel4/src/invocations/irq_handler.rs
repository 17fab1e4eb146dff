//! Invocations of IRQ handlers (seL4 manual, `seL4_IRQHandler`).

use sel4_sys::invocation as label;

use super::{Invocation, make_in_registers};
use crate::{InvocationContext, Result, cap};

impl<C: InvocationContext> cap::IrqHandler<C> {
    /// Acknowledges the interrupt, which unmasks it (`seL4_IRQHandler_Ack`).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) if this capability is not an IRQ handler.
    ///
    /// # Examples
    ///
    /// ```
    /// fn interrupted(device: sel4::cap::IrqHandler) -> sel4::Result<()> {
    ///     // Read the device's registers, then:
    ///     device.irq_handler_ack()
    /// }
    /// ```
    #[inline]
    #[track_caller]
    pub fn irq_handler_ack(self) -> Result<()> {
        // SAFETY: C-3: the invocation affects the delivery of interrupts, not memory.
        self.invoke_in_registers(|cptr, token| unsafe {
            make_in_registers(label::IRQAckIRQ, [], cptr, token)
        })
    }

    /// Sets the notification that the interrupt signals (`seL4_IRQHandler_SetNotification`).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) if this capability is not an IRQ handler, or if
    /// `notification` is not a notification.
    ///
    /// # Examples
    ///
    /// ```
    /// use sel4::cap::{IrqHandler, Notification};
    ///
    /// fn connect(device: IrqHandler, notification: Notification) -> sel4::Result<()> {
    ///     device.irq_handler_set_notification(notification)?;
    ///     device.irq_handler_ack()
    /// }
    /// ```
    #[track_caller]
    pub fn irq_handler_set_notification(self, notification: cap::Notification) -> Result<()> {
        let invocation = Invocation {
            label: label::IRQSetIRQHandler,
            caps: &[notification.bits()],
            words: &[],
        };
        // SAFETY: C-3: a notification delivers a badge in a register and writes nothing to memory.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }

    /// Removes the notification that the interrupt signals (`seL4_IRQHandler_Clear`).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) if this capability is not an IRQ handler.
    ///
    /// # Examples
    ///
    /// ```
    /// fn disconnect(device: sel4::cap::IrqHandler) -> sel4::Result<()> {
    ///     device.irq_handler_clear()
    /// }
    /// ```
    #[track_caller]
    pub fn irq_handler_clear(self) -> Result<()> {
        let invocation = Invocation::bare(label::IRQClearIRQHandler);
        // SAFETY: C-3: the invocation affects the delivery of interrupts, not memory.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }
}
