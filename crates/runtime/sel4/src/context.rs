//! The context of a call: the source of the IPC buffer that the call uses.

use crate::{ImplicitInvocationContext, IpcBufferToken};

/// The source of the IPC buffer for a call.
///
/// The implementations are `&mut` [`IpcBufferToken`] and [`ImplicitInvocationContext`]. The trait
/// is sealed, because an implementation must guarantee that no view of the buffer is alive.
pub trait InvocationContext: sealed::Context {}

impl InvocationContext for &mut IpcBufferToken {}

impl InvocationContext for ImplicitInvocationContext {}

/// The default context of a [`Cap`](crate::Cap): the implicit context.
pub type NoExplicitInvocationContext = ImplicitInvocationContext;

pub(crate) mod sealed {
    use crate::IpcBufferToken;

    /// Proof that the caller is in this crate. Other crates cannot name this type, so they cannot
    /// create a value.
    pub struct Internal;

    /// The part of the buffer that a call uses.
    #[derive(Copy, Clone, PartialEq, Eq)]
    pub enum Uses {
        /// The message registers in memory, before or after the call.
        Memory,
        /// Only message registers that travel in CPU registers.
        Registers,
    }

    pub trait Context {
        /// Runs `call` with the token. `call` makes system calls and must not run user code.
        fn with_token<R>(
            self,
            _: Internal,
            uses: Uses,
            call: impl FnOnce(&mut IpcBufferToken) -> R,
        ) -> R;
    }

    impl Context for &mut IpcBufferToken {
        #[inline]
        fn with_token<R>(
            self,
            _: Internal,
            _: Uses,
            call: impl FnOnce(&mut IpcBufferToken) -> R,
        ) -> R {
            call(self)
        }
    }
}
