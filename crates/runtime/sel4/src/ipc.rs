//! Sending and receiving (seL4 manual, *Message Passing (IPC)* and *Notifications*).
//!
//! Each call comes in two forms. The plain one takes a message of any length from the IPC buffer
//! and leaves the answer there. The one that ends in `_with_mrs` takes up to four words as
//! arguments, returns four, and does not touch the buffer's first four registers at all.

use sel4_sys::{self as sys, FastMessage, Received};

use crate::{
    Cap, CapType, InvocationContext, IpcBufferToken, MessageInfo, NoExplicitInvocationContext,
    Word, cap,
};

/// Message registers that travel in CPU registers.
pub const NUM_FAST_MESSAGE_REGISTERS: usize = sys::FAST_MESSAGE_REGISTERS;

/// Message registers in all.
pub const NUM_MESSAGE_REGISTERS: usize = sys::MAX_MESSAGE_WORDS;

/// What a received message says of the capability that was used to send it.
pub type Badge = Word;

/// The capability that holds a caller until it is replied to.
pub type ReplyAuthority<C = NoExplicitInvocationContext> = cap::Reply<C>;

/// What can say where a caller is held until it is replied to: a reply capability.
pub trait ConveysReplyAuthority {
    /// What says which IPC buffer the capability uses.
    type C;

    /// The capability.
    fn into_reply_authority(self) -> ReplyAuthority<Self::C>;
}

/// What messages and signals are received from: an endpoint, or a notification.
pub trait ReceiveFrom: CapType + sealed::ReceiveFrom {}

impl<T: CapType + sealed::ReceiveFrom> ReceiveFrom for T {}

impl<C> ConveysReplyAuthority for ReplyAuthority<C> {
    type C = C;

    #[inline]
    fn into_reply_authority(self) -> Self {
        self
    }
}

/// Message passing: safe for an endpoint, where a label names nothing but what sender and receiver
/// agree on; `unsafe` for an unknown object, where it may name an invocation.
///
/// *C-2*, in the SAFETY comments: for an endpoint, C-1 (2) says that any message may be sent, and
/// C-1 (3) of the reply capability that any reply may be; for the other, the caller's contract
/// does.
macro_rules! message_passing {
    ($type:ident, [$($unsafe:tt)?], $contract:literal) => {
        impl<C: InvocationContext> cap::$type<C> {
            /// Sends a message and waits for the reply (`seL4_Call`).
            ///
            /// **Blocks:** until the reply comes.
            /// **Rights:** write and grant or grant-reply on the endpoint.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn call(self, info: MessageInfo) -> MessageInfo {
                self.invoke(|cptr, token| {
                    let request = load(token);
                    // SAFETY: C-2.
                    let reply = unsafe { sys::call(token, cptr.bits(), info, request) };
                    store(token, reply.message);
                    reply.info
                })
            }

            /// Sends a message of at most four words and waits for the reply (`seL4_CallWithMRs`).
            ///
            /// Words of a longer reply, after the fourth, are in the IPC buffer.
            ///
            /// **Blocks:** until the reply comes.
            /// **Rights:** write and grant or grant-reply on the endpoint.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn call_with_mrs(
                self,
                info: MessageInfo,
                message: impl FastMessages,
            ) -> CallWithMRs {
                let is_empty = is_empty(&message, info);
                let message = message.into_fast();
                self.invoke_in_registers(|cptr, token| {
                    let reply = match is_empty {
                        // SAFETY: C-2.
                        true => unsafe { sys::call_empty(token, cptr.bits(), info) },
                        // SAFETY: C-2.
                        false => unsafe { sys::call(token, cptr.bits(), info, message) },
                    };
                    CallWithMRs {
                        info: reply.info,
                        msg: reply.message,
                    }
                })
            }

            /// Sends a message (`seL4_Send`).
            ///
            /// **Blocks:** until an endpoint's receiver takes it.
            /// **Rights:** write.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn send(self, info: MessageInfo) {
                self.invoke(|cptr, token| {
                    let message = load(token);
                    // SAFETY: C-2.
                    unsafe { sys::send(token, cptr.bits(), info, message) };
                });
            }

            /// Sends a message of at most four words (`seL4_SendWithMRs`).
            ///
            /// **Blocks:** until an endpoint's receiver takes it.
            /// **Rights:** write.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn send_with_mrs(self, info: MessageInfo, message: impl FastMessages) {
                let is_empty = is_empty(&message, info);
                let message = message.into_fast();
                self.invoke_in_registers(|cptr, token| match is_empty {
                    // SAFETY: C-2.
                    true => unsafe { sys::send_empty(token, cptr.bits(), info) },
                    // SAFETY: C-2.
                    false => unsafe { sys::send(token, cptr.bits(), info, message) },
                });
            }

            /// Sends a message if a receiver waits, and otherwise does nothing (`seL4_NBSend`).
            ///
            /// **Blocks:** never.
            /// **Rights:** write.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn nb_send(self, info: MessageInfo) {
                self.invoke(|cptr, token| {
                    let message = load(token);
                    // SAFETY: C-2.
                    unsafe { sys::nb_send(token, cptr.bits(), info, message) };
                });
            }

            /// Receives a message (`seL4_Recv`).
            ///
            /// **Blocks:** until one comes.
            /// **Rights:** read.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn recv(
                self,
                reply_authority: impl ConveysReplyAuthority,
            ) -> (MessageInfo, Badge) {
                let reply = reply_authority.into_reply_authority().bits();
                self.invoke(|cptr, token| {
                    // SAFETY: C-2.
                    let received = unsafe { sys::recv(token, cptr.bits(), reply) };
                    deliver(token, received)
                })
            }

            /// Receives a message, and returns its first four words (`seL4_RecvWithMRs`).
            ///
            /// **Blocks:** until one comes.
            /// **Rights:** read.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn recv_with_mrs(
                self,
                reply_authority: impl ConveysReplyAuthority,
            ) -> RecvWithMRs {
                let reply = reply_authority.into_reply_authority().bits();
                // SAFETY: C-2.
                self.invoke(|cptr, token| unsafe { sys::recv(token, cptr.bits(), reply) }.into())
            }

            /// Receives a message if one is there; otherwise the badge is 0 (`seL4_NBRecv`).
            ///
            /// **Blocks:** never.
            /// **Rights:** read.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn nb_recv(
                self,
                reply_authority: impl ConveysReplyAuthority,
            ) -> (MessageInfo, Badge) {
                let reply = reply_authority.into_reply_authority().bits();
                self.invoke(|cptr, token| {
                    // SAFETY: C-2.
                    let received = unsafe { sys::nb_recv(token, cptr.bits(), reply) };
                    deliver(token, received)
                })
            }

            /// Replies to the caller that `reply_authority` holds, and receives the next message
            /// (`seL4_ReplyRecv`).
            ///
            /// **Blocks:** until a message comes.
            /// **Rights:** read.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn reply_recv(
                self,
                info: MessageInfo,
                reply_authority: impl ConveysReplyAuthority,
            ) -> (MessageInfo, Badge) {
                let reply = reply_authority.into_reply_authority().bits();
                self.invoke(|cptr, token| {
                    let message = load(token);
                    // SAFETY: C-2.
                    let received =
                        // SAFETY: C-2.
                        unsafe { sys::reply_recv(token, cptr.bits(), info, message, reply) };
                    deliver(token, received)
                })
            }

            /// Replies with at most four words to the caller that `reply_authority` holds, and
            /// receives the next message (`seL4_ReplyRecvWithMRs`).
            ///
            /// **Blocks:** until a message comes.
            /// **Rights:** read.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn reply_recv_with_mrs(
                self,
                info: MessageInfo,
                message: impl FastMessages,
                reply_authority: impl ConveysReplyAuthority,
            ) -> RecvWithMRs {
                let reply = reply_authority.into_reply_authority().bits();
                let message = message.into_fast();
                // SAFETY: C-2.
                self.invoke(|cptr, token| {
                    // SAFETY: C-2.
                    unsafe { sys::reply_recv(token, cptr.bits(), info, message, reply) }.into()
                })
            }

            /// Sends a message if that can be done at once, and receives the next one from `source`
            /// (`seL4_NBSendRecv`).
            ///
            /// **Blocks:** until a message comes.
            /// **Rights:** write on this capability, read on `source`.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn nb_send_recv<U: ReceiveFrom>(
                self,
                info: MessageInfo,
                source: Cap<U>,
                reply_authority: impl ConveysReplyAuthority,
            ) -> (MessageInfo, Badge) {
                let reply = reply_authority.into_reply_authority().bits();
                self.invoke(|cptr, token| {
                    let message = load(token);
                    let source = source.bits();
                    // SAFETY: C-2.
                    let received = unsafe {
                        sys::nb_send_recv(token, cptr.bits(), info, message, source, reply)
                    };
                    deliver(token, received)
                })
            }

            /// Sends a message of at most four words if that can be done at once, and receives the
            /// next one from `source`. Returns its first four words (`seL4_NBSendRecvWithMRs`).
            ///
            /// **Blocks:** until a message comes.
            /// **Rights:** write on this capability, read on `source`.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn nb_send_recv_with_mrs<U: ReceiveFrom>(
                self,
                info: MessageInfo,
                message: impl FastMessages,
                source: Cap<U>,
                reply_authority: impl ConveysReplyAuthority,
            ) -> RecvWithMRs {
                let reply = reply_authority.into_reply_authority().bits();
                let is_empty = is_empty(&message, info);
                let message = message.into_fast();
                self.invoke(|cptr, token| {
                    let (destination, source) = (cptr.bits(), source.bits());
                    let received = match is_empty {
                        // SAFETY: C-2.
                        true => unsafe {
                            sys::nb_send_recv_empty(token, destination, info, source, reply)
                        },
                        // SAFETY: C-2.
                        false => unsafe {
                            sys::nb_send_recv(token, destination, info, message, source, reply)
                        },
                    };
                    received.into()
                })
            }

            /// Sends a message if that can be done at once, and waits for one that is not a call
            /// from `source` (`seL4_NBSendWait`).
            ///
            /// **Blocks:** until a message comes.
            /// **Rights:** write on this capability, read on `source`.
            /// **Panics:** inside a borrow of the implicit IPC buffer.
            #[doc = $contract]
            #[inline]
            #[track_caller]
            pub $($unsafe)? fn nb_send_wait<U: ReceiveFrom>(
                self,
                info: MessageInfo,
                source: Cap<U>,
            ) -> (MessageInfo, Badge) {
                self.invoke(|cptr, token| {
                    let message = load(token);
                    // SAFETY: C-2.
                    let received = unsafe {
                        sys::nb_send_wait(token, cptr.bits(), info, message, source.bits())
                    };
                    deliver(token, received)
                })
            }
        }
    };
}

message_passing!(Endpoint, [], "");

message_passing!(
    Unspecified,
    [unsafe],
    "\n\n# Safety\n\nThe conditions of [`sys`](crate::sys#safety-of-system-calls): what this \
     capability is asked to do breaks no memory, and whatever is sent later to a reply capability \
     is a reply to what was received with it."
);

impl<C: InvocationContext> cap::Reply<C> {
    /// Replies to the caller that it holds, with words that are in the message registers
    /// (`seL4_Send`). Does nothing if it holds none.
    ///
    /// **Blocks:** never.
    /// **Panics:** inside a borrow of the implicit IPC buffer.
    #[inline]
    #[track_caller]
    pub fn send(self, info: MessageInfo) {
        self.invoke(|cptr, token| {
            let message = load(token);
            // SAFETY: C-1 (3): any reply does.
            unsafe { sys::send(token, cptr.bits(), info, message) };
        });
    }

    /// Replies with at most four words to the caller that it holds (`seL4_SendWithMRs`). Does
    /// nothing if it holds none.
    ///
    /// **Blocks:** never.
    /// **Panics:** inside a borrow of the implicit IPC buffer.
    #[inline]
    #[track_caller]
    pub fn send_with_mrs(self, info: MessageInfo, message: impl FastMessages) {
        let is_empty = is_empty(&message, info);
        let message = message.into_fast();
        self.invoke_in_registers(|cptr, token| match is_empty {
            // SAFETY: C-1 (3): any reply does.
            true => unsafe { sys::send_empty(token, cptr.bits(), info) },
            // SAFETY: as above.
            false => unsafe { sys::send(token, cptr.bits(), info, message) },
        });
    }
}

impl<C: InvocationContext> cap::Notification<C> {
    /// Signals it (`seL4_Signal`).
    ///
    /// **Blocks:** never.
    /// **Rights:** write.
    /// **Panics:** inside a borrow of the implicit IPC buffer.
    #[inline]
    #[track_caller]
    pub fn signal(self) {
        // SAFETY: C-1 (1): a notification, or an object that answers invocations, for which label 0
        // names none.
        self.invoke_in_registers(|cptr, token| unsafe { sys::signal(token, cptr.bits()) });
    }

    /// Waits for a signal (`seL4_Wait`).
    ///
    /// **Blocks:** until one comes.
    /// **Rights:** read.
    /// **Panics:** inside a borrow of the implicit IPC buffer.
    #[inline]
    #[track_caller]
    pub fn wait(self) -> (MessageInfo, Badge) {
        self.invoke(|cptr, token| {
            let received = sys::wait(token, cptr.bits());
            deliver(token, received)
        })
    }

    /// Takes the signals that are there; the badge is 0 if there are none (`seL4_Poll`).
    ///
    /// **Blocks:** never.
    /// **Rights:** read.
    /// **Panics:** inside a borrow of the implicit IPC buffer.
    #[inline]
    #[track_caller]
    pub fn poll(self) -> (MessageInfo, Badge) {
        self.invoke(|cptr, token| {
            let received = sys::nb_wait(token, cptr.bits());
            deliver(token, received)
        })
    }
}

/// Gives up what is left of the budget for this period (`seL4_Yield`).
pub fn r#yield() {
    sys::yield_();
}

/// What [`Cap::recv_with_mrs`] has brought.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct RecvWithMRs {
    /// What was received.
    pub info: MessageInfo,
    /// The badge of the capability that was used to send.
    pub badge: Badge,
    /// The first four words.
    pub msg: FastMessage,
}

impl From<Received> for RecvWithMRs {
    #[inline]
    fn from(received: Received) -> Self {
        Self {
            info: received.info,
            badge: received.badge,
            msg: received.message,
        }
    }
}

/// What [`Cap::call_with_mrs`] has brought.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct CallWithMRs {
    /// The reply.
    pub info: MessageInfo,
    /// Its first four words.
    pub msg: FastMessage,
}

/// A message of at most four words: an array of that many, or a slice.
pub trait FastMessages: sealed::FastMessages {}

impl<T: sealed::FastMessages> FastMessages for T {}

mod sealed {
    use super::{FastMessage, NUM_FAST_MESSAGE_REGISTERS};
    use crate::{Word, cap_type};

    pub trait ReceiveFrom {}

    impl ReceiveFrom for cap_type::Endpoint {}
    impl ReceiveFrom for cap_type::Notification {}

    pub trait FastMessages {
        /// Whether it is known, where this is compiled, that there are no words.
        const IS_EMPTY: bool;

        /// The words, and zeros after them.
        fn into_fast(self) -> FastMessage;
    }

    impl<const N: usize> FastMessages for [Word; N] {
        const IS_EMPTY: bool = N == 0;

        #[inline]
        fn into_fast(self) -> FastMessage {
            const { assert!(N <= NUM_FAST_MESSAGE_REGISTERS, "at most four words") };
            core::array::from_fn(|index| self.get(index).copied().unwrap_or(0))
        }
    }

    impl FastMessages for &[Word] {
        const IS_EMPTY: bool = false;

        /// **Panics:** if there are more than four.
        #[inline]
        #[track_caller]
        fn into_fast(self) -> FastMessage {
            assert!(
                self.len() <= NUM_FAST_MESSAGE_REGISTERS,
                "at most four words"
            );
            core::array::from_fn(|index| self.get(index).copied().unwrap_or(0))
        }
    }
}

/// Whether nothing at all is sent, so that the registers of the message need not be set. A message
/// that claims words it was not given has zeros: nothing that happens to be in a register gets out.
#[inline]
fn is_empty<M: FastMessages>(_: &M, info: MessageInfo) -> bool {
    M::IS_EMPTY && info.length() == 0
}

/// Marshals: the first four message registers of the buffer, in a scope of their own.
#[inline]
pub(crate) fn load(token: &IpcBufferToken) -> FastMessage {
    token.with(|buffer| core::array::from_fn(|index| buffer.msg_regs()[index]))
}

/// Unmarshals: the first four message registers into the buffer, in a scope of their own.
#[inline]
pub(crate) fn store(token: &mut IpcBufferToken, message: FastMessage) {
    token.with_mut(|buffer| {
        buffer.msg_regs_mut()[..NUM_FAST_MESSAGE_REGISTERS].copy_from_slice(&message);
    });
}

#[inline]
fn deliver(token: &mut IpcBufferToken, received: Received) -> (MessageInfo, Badge) {
    store(token, received.message);
    (received.info, received.badge)
}
