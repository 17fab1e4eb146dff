//! Invocations of scheduling contexts (seL4 manual, `seL4_SchedContext`).

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{Cap, CapType, InvocationContext, Result, cap};

/// A time in microseconds (`seL4_Time`).
pub type Time = u64;

impl<C: InvocationContext> cap::SchedContext<C> {
    /// Binds the scheduling context to a thread or a notification (`seL4_SchedContext_Bind`).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the scheduling
    /// context or `object` is already bound, and
    /// [`Error::InvalidCapability`](crate::Error::InvalidCapability) if `object` is neither a
    /// thread nor a notification.
    ///
    /// # Examples
    ///
    /// ```
    /// /// Gives a passive child time of its own.
    /// fn activate(context: sel4::cap::SchedContext, child: sel4::cap::Tcb) -> sel4::Result<()> {
    ///     context.bind(child)
    /// }
    /// ```
    #[track_caller]
    pub fn bind<T: CapType>(self, object: Cap<T>) -> Result<()> {
        let caps = &[object.bits()];
        let invocation = Invocation {
            label: label::SchedContextBind,
            caps,
            words: &[],
        };
        // SAFETY: C-3: the invocation affects the scheduling of threads, not their memory accesses.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }

    /// Unbinds the scheduling context from its thread or notification (`seL4_SchedContext_Unbind`).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if this is the caller's
    /// own scheduling context.
    ///
    /// # Examples
    ///
    /// ```
    /// fn make_passive(context: sel4::cap::SchedContext) -> sel4::Result<()> {
    ///     context.unbind()
    /// }
    /// ```
    #[track_caller]
    pub fn unbind(self) -> Result<()> {
        let invocation = Invocation::bare(label::SchedContextUnbind);
        // SAFETY: C-3: the invocation affects the scheduling of threads, not their memory accesses.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }

    /// Unbinds the scheduling context from `object` (`seL4_SchedContext_UnbindObject`).
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the scheduling
    /// context is not bound to `object`.
    #[track_caller]
    pub fn unbind_object<T: CapType>(self, object: Cap<T>) -> Result<()> {
        let caps = &[object.bits()];
        let invocation = Invocation {
            label: label::SchedContextUnbindObject,
            caps,
            words: &[],
        };
        // SAFETY: C-3: the invocation affects the scheduling of threads, not their memory accesses.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }

    /// Returns the time used since the last report, in microseconds (`seL4_SchedContext_Consumed`).
    ///
    /// This call, [`yield_to`](Self::yield_to) and a timeout fault each count as a report.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) if this capability is not a scheduling context.
    ///
    /// # Examples
    ///
    /// ```
    /// fn time_used(context: sel4::cap::SchedContext) -> sel4::Result<sel4::Time> {
    ///     context.consumed()
    /// }
    /// ```
    #[track_caller]
    pub fn consumed(self) -> Result<Time> {
        let invocation = Invocation::bare(label::SchedContextConsumed);
        self.invoke(|cptr, token| {
            // SAFETY: C-3: the invocation only reads a number.
            unsafe { invocation.make(cptr, token) }.map(|[consumed, ..]| consumed)
        })
    }

    /// Yields to the thread of this scheduling context, and returns the time that the thread used,
    /// in microseconds (`seL4_SchedContext_YieldTo`).
    ///
    /// **Blocking:** until the caller is scheduled again, if that thread has the same or a higher
    /// priority.
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the scheduling
    /// context is the caller's own or is not bound to a thread. Returns the same error if the
    /// priority of that thread is above the caller's maximum controlled priority.
    ///
    /// # Examples
    ///
    /// ```
    /// fn run_first(context: sel4::cap::SchedContext) -> sel4::Result<sel4::Time> {
    ///     context.yield_to()
    /// }
    /// ```
    #[track_caller]
    pub fn yield_to(self) -> Result<Time> {
        let invocation = Invocation::bare(label::SchedContextYieldTo);
        self.invoke(|cptr, token| {
            // SAFETY: C-3: the invocation affects the scheduling of threads, not their memory
            // accesses.
            unsafe { invocation.make(cptr, token) }.map(|[consumed, ..]| consumed)
        })
    }
}
