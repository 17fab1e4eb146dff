//! Message passing and notifications (seL4 manual, *Message Passing (IPC)* and *Notifications*).
//!
//! Most calls have two forms. The plain form sends a message of any length from the IPC buffer, and
//! stores the received message in the buffer. The form `_with_mrs` takes up to four words as
//! arguments and returns the first four received words. These words do not pass through the buffer.

use sel4_sys::{self as sys, FastMessage, Received};

use crate::{
    Cap, CapType, InvocationContext, IpcBufferToken, MessageInfo, NoExplicitInvocationContext,
    Word, cap,
};

/// The number of message registers that travel in CPU registers.
pub const NUM_FAST_MESSAGE_REGISTERS: usize = sys::FAST_MESSAGE_REGISTERS;

/// The number of message registers.
pub const NUM_MESSAGE_REGISTERS: usize = sys::MAX_MESSAGE_WORDS;

/// The badge of the capability through which a message was sent.
pub type Badge = Word;

/// The capability to a reply object, which holds a caller until the reply.
pub type ReplyAuthority<C = NoExplicitInvocationContext> = cap::Reply<C>;

/// A type that converts to a reply capability.
pub trait ConveysReplyAuthority {
    /// The invocation context of the capability.
    type C;

    /// Returns the reply capability.
    fn into_reply_authority(self) -> ReplyAuthority<Self::C>;
}

/// A type of capability to receive from: an endpoint or a notification.
pub trait ReceiveFrom: CapType + sealed::ReceiveFrom {}

impl<T: CapType + sealed::ReceiveFrom> ReceiveFrom for T {}

impl<C> ConveysReplyAuthority for ReplyAuthority<C> {
    type C = C;

    #[inline]
    fn into_reply_authority(self) -> Self {
        self
    }
}

/// Defines message passing for a type of capability. The calls are safe for an endpoint, because
/// sender and receiver agree on the meaning of the label. The calls are `unsafe` for an unspecified
/// object, because the label may name an invocation.
///
/// The SAFETY comments refer to C-2. For an endpoint, C-1 (2) allows any message, and C-1 (3) of
/// the reply capability allows any reply. For an unspecified object, the caller's contract allows
/// the message and the reply.
macro_rules! message_passing {
    ($type:ident, [$($unsafe:tt)?], $contract:literal) => {
        impl<C: InvocationContext> cap::$type<C> {
            /// Sends the message in the message registers, and waits for the reply (`seL4_Call`).
            ///
            /// **Blocking:** until the reply arrives.
            /// **Rights:** write on the endpoint, and also grant or grant-reply.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
            ///
            /// # Examples
            ///
            /// ```
            /// fn ask(server: sel4::cap::Endpoint) -> u64 {
            ///     sel4::with_ipc_buffer_mut(|buffer| buffer.msg_regs_mut()[..5].fill(1));
            ///     server.call(sel4::MessageInfo::new(0, 0, 0, 5));
            ///     sel4::msg_reg(0)
            /// }
            /// ```
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
            /// The IPC buffer holds the fifth and later words of the reply. The crate page has an
            /// [example](crate).
            ///
            /// **Blocking:** until the reply arrives.
            /// **Rights:** write on the endpoint, and also grant or grant-reply.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
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

            /// Sends the message in the message registers (`seL4_Send`).
            ///
            /// **Blocking:** until a receiver takes the message.
            /// **Rights:** write.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
            ///
            /// # Examples
            ///
            /// ```
            /// fn tell(receiver: sel4::cap::Endpoint) {
            ///     sel4::set_msg_reg(0, 7);
            ///     receiver.send(sel4::MessageInfo::new(0, 0, 0, 1));
            /// }
            /// ```
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
            /// **Blocking:** until a receiver takes the message.
            /// **Rights:** write.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
            ///
            /// # Examples
            ///
            /// ```
            /// fn tell(receiver: sel4::cap::Endpoint) {
            ///     receiver.send_with_mrs(sel4::MessageInfo::new(0, 0, 0, 1), [7]);
            /// }
            /// ```
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

            /// Sends the message in the message registers without blocking (`seL4_NBSend`).
            ///
            /// If no receiver is waiting, the message is dropped.
            ///
            /// **Blocking:** never.
            /// **Rights:** write.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
            ///
            /// # Examples
            ///
            /// ```
            /// fn try_report(monitor: sel4::cap::Endpoint) {
            ///     monitor.nb_send(sel4::MessageInfo::new(1, 0, 0, 0));
            /// }
            /// ```
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

            /// Receives a message into the message registers (`seL4_Recv`).
            ///
            /// If the message is a call, the reply object holds the caller until the reply.
            ///
            /// **Blocking:** until a message or a signal arrives.
            /// **Rights:** read.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
            ///
            /// # Examples
            ///
            /// ```
            /// fn next(input: sel4::cap::Endpoint, reply: sel4::cap::Reply) -> u64 {
            ///     let (info, _badge) = input.recv(reply);
            ///     info.label()
            /// }
            /// ```
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

            /// Receives a message, and returns the first four words (`seL4_RecvWithMRs`).
            ///
            /// If the message is a call, the reply object holds the caller until the reply.
            ///
            /// **Blocking:** until a message or a signal arrives.
            /// **Rights:** read.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
            ///
            /// # Examples
            ///
            /// ```
            /// fn next(input: sel4::cap::Endpoint, reply: sel4::cap::Reply) -> (sel4::Badge, u64) {
            ///     let request = input.recv_with_mrs(reply);
            ///     (request.badge, request.msg[0])
            /// }
            /// ```
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

            /// Receives a message without blocking (`seL4_NBRecv`).
            ///
            /// If no message is pending, the returned badge is 0.
            ///
            /// **Blocking:** never.
            /// **Rights:** read.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
            ///
            /// # Examples
            ///
            /// ```
            /// fn has_message(input: sel4::cap::Endpoint, reply: sel4::cap::Reply) -> bool {
            ///     let (_, badge) = input.nb_recv(reply);
            ///     badge != 0
            /// }
            /// ```
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
            /// **Blocking:** until a message arrives.
            /// **Rights:** read.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
            ///
            /// # Examples
            ///
            /// ```
            /// /// Replies with five words, and receives the next message.
            /// fn answer(input: sel4::cap::Endpoint, reply: sel4::cap::Reply) -> sel4::Badge {
            ///     sel4::with_ipc_buffer_mut(|buffer| buffer.msg_regs_mut()[..5].fill(1));
            ///     let (_, badge) = input.reply_recv(sel4::MessageInfo::new(0, 0, 0, 5), reply);
            ///     badge
            /// }
            /// ```
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
                    let received =
                        // SAFETY: C-2.
                        unsafe { sys::reply_recv(token, cptr.bits(), info, message, reply) };
                    deliver(token, received)
                })
            }

            /// Replies with at most four words to the caller that `reply_authority` holds, and
            /// receives the next message (`seL4_ReplyRecvWithMRs`).
            ///
            /// **Blocking:** until a message arrives.
            /// **Rights:** read.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
            ///
            /// # Examples
            ///
            /// ```
            /// /// Replies to each call with its first word, incremented.
            /// fn serve(input: sel4::cap::Endpoint, reply: sel4::cap::Reply) -> ! {
            ///     let mut request = input.recv_with_mrs(reply);
            ///     loop {
            ///         let info = sel4::MessageInfo::new(0, 0, 0, 1);
            ///         request = input.reply_recv_with_mrs(info, [request.msg[0] + 1], reply);
            ///     }
            /// }
            /// ```
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
                self.invoke(|cptr, token| {
                    // SAFETY: C-2.
                    unsafe { sys::reply_recv(token, cptr.bits(), info, message, reply) }.into()
                })
            }

            /// Sends the message in the message registers without blocking, and receives the next
            /// message from `source` (`seL4_NBSendRecv`).
            ///
            /// If no receiver is waiting, the message is dropped.
            ///
            /// **Blocking:** until a message arrives.
            /// **Rights:** write on this capability, read on `source`.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
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

            /// Sends a message of at most four words without blocking, and receives the next
            /// message from `source` (`seL4_NBSendRecvWithMRs`).
            ///
            /// If no receiver is waiting, the message is dropped. Returns the first four words of
            /// the received message.
            ///
            /// **Blocking:** until a message arrives.
            /// **Rights:** write on this capability, read on `source`.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
            ///
            /// # Examples
            ///
            /// ```
            /// use sel4::cap::{Endpoint, Reply};
            ///
            /// /// Reports to `monitor`, and receives the next message, in one system call.
            /// fn finish(monitor: Endpoint, input: Endpoint, reply: Reply) {
            ///     let info = sel4::MessageInfo::new(0, 0, 0, 0);
            ///     let next = monitor.nb_send_recv_with_mrs(info, [], input, reply);
            ///     assert_eq!(next.info.label(), 0);
            /// }
            /// ```
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

            /// Sends the message in the message registers without blocking, and waits for a message
            /// or a signal from `source` (`seL4_NBSendWait`).
            ///
            /// If no receiver is waiting, the message is dropped. A received call cannot be
            /// answered, because this system call does not pass a reply object.
            ///
            /// **Blocking:** until a message arrives.
            /// **Rights:** write on this capability, read on `source`.
            ///
            /// # Panics
            ///
            /// Panics if the implicit IPC buffer is borrowed.
            ///
            /// # Examples
            ///
            /// ```
            /// /// Reports to `monitor`, and waits for a notification, in one system call.
            /// fn report(monitor: sel4::cap::Endpoint, input: sel4::cap::Notification) -> sel4::Badge {
            ///     let empty = sel4::MessageInfo::new(0, 0, 0, 0);
            ///     let (_, badge) = monitor.nb_send_wait(empty, input);
            ///     badge
            /// }
            /// ```
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
    "\n\n# Safety\n\nThe conditions of [`sys`](crate::sys#safety-of-system-calls): the request to \
     this capability breaks no memory, and later messages to a reply capability are valid replies \
     to what was received with it."
);

impl<C: InvocationContext> cap::Reply<C> {
    /// Replies to the caller that the reply object holds, with the message in the message
    /// registers (`seL4_Send`).
    ///
    /// Does nothing if the reply object does not hold a caller.
    ///
    /// **Blocking:** never.
    ///
    /// # Panics
    ///
    /// Panics if the implicit IPC buffer is borrowed.
    #[inline]
    #[track_caller]
    pub fn send(self, info: MessageInfo) {
        self.invoke(|cptr, token| {
            let message = load(token);
            // SAFETY: C-1 (3): any reply is sound.
            unsafe { sys::send(token, cptr.bits(), info, message) };
        });
    }

    /// Replies with at most four words to the caller that the reply object holds
    /// (`seL4_SendWithMRs`).
    ///
    /// Does nothing if the reply object does not hold a caller.
    ///
    /// **Blocking:** never.
    ///
    /// # Panics
    ///
    /// Panics if the implicit IPC buffer is borrowed.
    ///
    /// # Examples
    ///
    /// ```
    /// fn answer(caller: sel4::cap::Reply) {
    ///     caller.send_with_mrs(sel4::MessageInfo::new(0, 0, 0, 1), [42]);
    /// }
    /// ```
    #[inline]
    #[track_caller]
    pub fn send_with_mrs(self, info: MessageInfo, message: impl FastMessages) {
        let is_empty = is_empty(&message, info);
        let message = message.into_fast();
        self.invoke_in_registers(|cptr, token| match is_empty {
            // SAFETY: C-1 (3): any reply is sound.
            true => unsafe { sys::send_empty(token, cptr.bits(), info) },
            // SAFETY: as above.
            false => unsafe { sys::send(token, cptr.bits(), info, message) },
        });
    }
}

impl<C: InvocationContext> cap::Notification<C> {
    /// Signals the notification (`seL4_Signal`).
    ///
    /// **Blocking:** never.
    /// **Rights:** write.
    ///
    /// # Panics
    ///
    /// Panics if the implicit IPC buffer is borrowed.
    ///
    /// # Examples
    ///
    /// ```
    /// fn wake(other: sel4::cap::Notification) {
    ///     other.signal();
    /// }
    /// ```
    #[inline]
    #[track_caller]
    pub fn signal(self) {
        // SAFETY: C-1 (1): the object is a notification, or an object that answers invocations.
        // Label 0 is not an invocation.
        self.invoke_in_registers(|cptr, token| unsafe { sys::signal(token, cptr.bits()) });
    }

    /// Waits for a signal (`seL4_Wait`).
    ///
    /// **Blocking:** until a message or a signal arrives.
    /// **Rights:** read.
    ///
    /// # Panics
    ///
    /// Panics if the implicit IPC buffer is borrowed.
    ///
    /// # Examples
    ///
    /// ```
    /// fn next(notification: sel4::cap::Notification) -> sel4::Badge {
    ///     let (_, badge) = notification.wait();
    ///     badge
    /// }
    /// ```
    #[inline]
    #[track_caller]
    pub fn wait(self) -> (MessageInfo, Badge) {
        self.invoke(|cptr, token| {
            let received = sys::wait(token, cptr.bits());
            deliver(token, received)
        })
    }

    /// Takes the pending signals without blocking (`seL4_Poll`).
    ///
    /// If no signal is pending, the returned badge is 0.
    ///
    /// **Blocking:** never.
    /// **Rights:** read.
    ///
    /// # Panics
    ///
    /// Panics if the implicit IPC buffer is borrowed.
    ///
    /// # Examples
    ///
    /// ```
    /// fn is_signalled(notification: sel4::cap::Notification) -> bool {
    ///     let (_, badge) = notification.poll();
    ///     badge != 0
    /// }
    /// ```
    #[inline]
    #[track_caller]
    pub fn poll(self) -> (MessageInfo, Badge) {
        self.invoke(|cptr, token| {
            let received = sys::nb_wait(token, cptr.bits());
            deliver(token, received)
        })
    }
}

/// Gives up the rest of the budget for this period (`seL4_Yield`).
///
/// **Blocking:** until the next refill is ready.
pub fn r#yield() {
    sys::yield_();
}

/// A message received by [`Cap::recv_with_mrs`].
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct RecvWithMRs {
    /// The label, the length and the capabilities of the message.
    pub info: MessageInfo,
    /// The badge of the sender's capability.
    pub badge: Badge,
    /// The first four words of the message.
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

/// A reply received by [`Cap::call_with_mrs`].
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct CallWithMRs {
    /// The label, the length and the capabilities of the reply.
    pub info: MessageInfo,
    /// The first four words of the message.
    pub msg: FastMessage,
}

/// A message of at most four words: an array or a slice.
///
/// An array of more than four words does not compile. A slice of more than four words causes a
/// panic.
pub trait FastMessages: sealed::FastMessages {}

impl<T: sealed::FastMessages> FastMessages for T {}

mod sealed {
    use super::{FastMessage, NUM_FAST_MESSAGE_REGISTERS};
    use crate::{Word, cap_type};

    pub trait ReceiveFrom {}

    impl ReceiveFrom for cap_type::Endpoint {}
    impl ReceiveFrom for cap_type::Notification {}

    pub trait FastMessages {
        /// Whether the type proves at compile time that the message is empty.
        const IS_EMPTY: bool;

        /// Returns the words of the message, padded with zeros.
        fn into_fast(self) -> FastMessage;
    }

    impl<const N: usize> FastMessages for [Word; N] {
        const IS_EMPTY: bool = N == 0;

        #[inline]
        fn into_fast(self) -> FastMessage {
            const {
                assert!(
                    N <= NUM_FAST_MESSAGE_REGISTERS,
                    "a message in registers has at most four words"
                )
            };
            core::array::from_fn(|index| self.get(index).copied().unwrap_or(0))
        }
    }

    impl FastMessages for &[Word] {
        const IS_EMPTY: bool = false;

        /// Panics if the slice has more than four words.
        #[inline]
        #[track_caller]
        fn into_fast(self) -> FastMessage {
            assert!(
                self.len() <= NUM_FAST_MESSAGE_REGISTERS,
                "a message in registers has at most four words"
            );
            core::array::from_fn(|index| self.get(index).copied().unwrap_or(0))
        }
    }
}

/// Returns whether the message is empty. An empty message does not load the message registers.
///
/// If `info` claims more words than the message has, the call sends zeros for the missing words. A
/// message must not reveal old register contents.
#[inline]
fn is_empty<M: FastMessages>(_: &M, info: MessageInfo) -> bool {
    M::IS_EMPTY && info.length() == 0
}

/// Reads (marshals) the first four message registers of the buffer, in a separate scope.
#[inline]
pub(crate) fn load(token: &IpcBufferToken) -> FastMessage {
    token.with(|buffer| core::array::from_fn(|index| buffer.msg_regs()[index]))
}

/// Writes (unmarshals) the first four message registers of the buffer, in a separate scope.
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
