//! Invocations of scheduling contexts (seL4 manual, *seL4_SchedContext*).

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{Cap, CapType, InvocationContext, Result, cap};

/// `seL4_Time`, in microseconds.
pub type Time = u64;

impl<C: InvocationContext> cap::SchedContext<C> {
    /// Binds it to a thread or a notification (`seL4_SchedContext_Bind`).
    ///
    /// **Blocks:** never.
    /// **Errors:** `IllegalOperation` if either is bound already, `InvalidCapability` if the
    /// capability is to something else.
    #[track_caller]
    pub fn bind<T: CapType>(self, object: Cap<T>) -> Result<()> {
        let caps = &[object.bits()];
        let invocation = Invocation {
            label: label::SchedContextBind,
            caps,
            words: &[],
        };
        // SAFETY: C-3: when a thread runs is not what it does.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }

    /// Unbinds it from what it is bound to (`seL4_SchedContext_Unbind`).
    ///
    /// **Blocks:** never. **Errors:** `IllegalOperation` if it is the caller's own.
    #[track_caller]
    pub fn unbind(self) -> Result<()> {
        let invocation = Invocation::bare(label::SchedContextUnbind);
        // SAFETY: C-3: when a thread runs is not what it does.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }

    /// Unbinds it from that thread or notification (`seL4_SchedContext_UnbindObject`).
    ///
    /// **Blocks:** never. **Errors:** `IllegalOperation` if it is not bound to it.
    #[track_caller]
    pub fn unbind_object<T: CapType>(self, object: Cap<T>) -> Result<()> {
        let caps = &[object.bits()];
        let invocation = Invocation {
            label: label::SchedContextUnbindObject,
            caps,
            words: &[],
        };
        // SAFETY: C-3: when a thread runs is not what it does.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }

    /// The time used since this was last asked, or a timeout fault said it, in microseconds
    /// (`seL4_SchedContext_Consumed`).
    ///
    /// **Blocks:** never. **Errors:** if this is no scheduling context.
    #[track_caller]
    pub fn consumed(self) -> Result<Time> {
        let invocation = Invocation::bare(label::SchedContextConsumed);
        self.invoke(|cptr, token| {
            // SAFETY: C-3: a number is read.
            unsafe { invocation.make(cptr, token) }.map(|[consumed, ..]| consumed)
        })
    }

    /// Lets the thread of this scheduling context run before the caller, if it may; returns the
    /// time that it used, in microseconds (`seL4_SchedContext_YieldTo`).
    ///
    /// **Blocks:** while that thread has the higher priority, or its turn.
    /// **Errors:** `IllegalOperation` if no thread has it, the caller has it, or its thread may
    /// not be controlled.
    #[track_caller]
    pub fn yield_to(self) -> Result<Time> {
        let invocation = Invocation::bare(label::SchedContextYieldTo);
        self.invoke(|cptr, token| {
            // SAFETY: C-3: when a thread runs is not what it does.
            unsafe { invocation.make(cptr, token) }.map(|[consumed, ..]| consumed)
        })
    }
}
