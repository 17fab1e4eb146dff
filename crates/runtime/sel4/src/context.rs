//! Which IPC buffer a call uses: a token that is passed, or the thread's implicit one.

use crate::{ImplicitInvocationContext, IpcBufferToken};

/// How a call finds this thread's IPC buffer.
///
/// There are two: `&mut` [`IpcBufferToken`], and [`ImplicitInvocationContext`]. No further ones
/// can be made: whoever hands out the token decides that no view of the buffer is alive.
pub trait InvocationContext: sealed::Context {}

impl InvocationContext for &mut IpcBufferToken {}

impl InvocationContext for ImplicitInvocationContext {}

/// The context of a [`Cap`](crate::Cap) that was given none: the implicit one.
pub type NoExplicitInvocationContext = ImplicitInvocationContext;

pub(crate) mod sealed {
    use crate::IpcBufferToken;

    /// Proof that the caller is this crate; cannot be named, so cannot be made, outside it.
    pub struct Internal;

    /// What a call uses of the buffer.
    #[derive(Copy, Clone, PartialEq, Eq)]
    pub enum Uses {
        /// Words in memory, before or after the call.
        Memory,
        /// Only what travels in registers.
        Registers,
    }

    pub trait Context {
        /// Runs `call`, which makes system calls and runs no code of the user's, with the token.
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
