//! The system calls of MCS seL4, one function each (seL4 manual, *System Calls*).
//!
//! | blocks | returns at once |
//! | --- | --- |
//! | [`call`], [`send`], [`recv`], [`reply_recv`], [`nb_send_recv`], [`nb_send_wait`], [`wait`] | [`nb_send`], [`signal`], [`nb_recv`], [`nb_wait`], the debug and benchmark calls |

use crate::arch;
use crate::{CPtr, FastMessage, IpcBufferToken, MessageInfo, Word, syscall};

/// The message that a system call has received.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Received {
    /// The badge of the sender's capability, or the notification word.
    pub badge: Word,
    /// The label, the length and the capabilities of the message.
    pub info: MessageInfo,
    /// The first four words of the message. Further words are in the IPC buffer.
    pub message: FastMessage,
}

/// Sends a message to `destination`, and waits for the reply (`seL4_Call`).
///
/// `destination` is an endpoint, or a kernel object to invoke. The kernel reads message words after
/// the fourth from the buffer, and writes reply words after the fourth to the buffer.
///
/// **Blocking:** until the reply arrives.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): the request does not break memory safety.
///
/// # Examples
///
/// ```
/// # use std::rc::Rc;
/// # use sel4_sys::host::{self, HostBuffer, Registers};
/// # host::install(Some(Rc::new(|registers: &mut Registers, _: Option<HostBuffer<'_>>| {
/// #     registers.message[0] = 42;
/// # })));
/// # let mut token = host::new_ipc_buffer();
/// use sel4_sys::MessageInfo;
///
/// const SERVER: sel4_sys::CPtr = 74;
/// let info = MessageInfo::new(1, 0, 0, 1);
/// // SAFETY: the server expects messages of one word with label 1.
/// let reply = unsafe { sel4_sys::call(&mut token, SERVER, info, [7, 0, 0, 0]) };
/// assert_eq!(reply.message[0], 42);
/// ```
#[inline]
pub unsafe fn call(
    buffer: &mut IpcBufferToken,
    destination: CPtr,
    info: MessageInfo,
    message: FastMessage,
) -> Received {
    // SAFETY: 1. `buffer` is this thread's own token, held by `&mut`, so no view is alive (B-2).
    // 2. The caller's contract covers the effects of the request.
    unsafe { arch::call(syscall::Call, buffer.pointer(), destination, info, message) }
}

/// Sends an empty message as [`call`] does, and waits for the reply.
///
/// This function does not load the message registers. The reply may have words.
///
/// **Blocking:** until the reply arrives.
///
/// # Panics
///
/// Panics if the length in `info` is not 0, because the call would send the current contents of the
/// registers.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): the request does not break memory safety.
///
/// # Examples
///
/// ```
/// # use std::rc::Rc;
/// # use sel4_sys::host::{self, HostBuffer, Registers};
/// # host::install(Some(Rc::new(|registers: &mut Registers, _: Option<HostBuffer<'_>>| {
/// #     registers.message[0] = 42;
/// # })));
/// # let mut token = host::new_ipc_buffer();
/// use sel4_sys::MessageInfo;
///
/// const SERVER: sel4_sys::CPtr = 74;
/// // SAFETY: the server expects empty messages with label 2.
/// let reply = unsafe { sel4_sys::call_empty(&mut token, SERVER, MessageInfo::new(2, 0, 0, 0)) };
/// assert_eq!(reply.message[0], 42);
/// ```
#[inline]
pub unsafe fn call_empty(
    buffer: &mut IpcBufferToken,
    destination: CPtr,
    info: MessageInfo,
) -> Received {
    assert!(info.length() == 0, "the message is not empty");
    // SAFETY: as in `call`.
    unsafe { arch::call_empty(syscall::Call, buffer.pointer(), destination, info) }
}

/// Replies to the caller that `reply` holds, and receives the next message from `source`
/// (`seL4_ReplyRecv`).
///
/// **Blocking:** until a message arrives.
///
/// # Safety
///
/// [Conditions 1 and 2](crate#safety-of-system-calls), for `reply`: this message is a valid reply
/// to the caller or fault that `reply` holds now. Later messages to `reply` are valid replies to
/// the message that this call received.
///
/// # Examples
///
/// ```
/// # use std::rc::Rc;
/// # use sel4_sys::host::{self, HostBuffer, Registers};
/// # host::install(Some(Rc::new(|registers: &mut Registers, _: Option<HostBuffer<'_>>| {
/// #     registers.info = 1;
/// #     registers.message = [41, 0, 0, 0];
/// # })));
/// # let mut token = host::new_ipc_buffer();
/// use sel4_sys::MessageInfo;
///
/// const INPUT: sel4_sys::CPtr = 1;
/// const REPLY: sel4_sys::CPtr = 4;
///
/// // SAFETY: every message at `INPUT` is a call, so `REPLY` holds a caller.
/// let request = unsafe { sel4_sys::recv(&mut token, INPUT, REPLY) };
/// let answer = [request.message[0] + 1, 0, 0, 0];
/// // SAFETY: as above.
/// let next = unsafe {
///     sel4_sys::reply_recv(&mut token, INPUT, MessageInfo::new(0, 0, 0, 1), answer, REPLY)
/// };
/// # assert_eq!(next.info.length(), 1);
/// ```
#[inline]
pub unsafe fn reply_recv(
    buffer: &mut IpcBufferToken,
    source: CPtr,
    info: MessageInfo,
    message: FastMessage,
    reply: CPtr,
) -> Received {
    // SAFETY: as in `call`.
    unsafe {
        arch::send_recv(
            syscall::ReplyRecv,
            buffer.pointer(),
            source,
            info,
            message,
            reply,
        )
    }
}

/// Sends to `destination` without blocking, and receives the next message from `source`
/// (`seL4_NBSendRecv`).
///
/// If `destination` cannot take the message now, the message is dropped. If the received message is
/// a call, `reply` holds the caller until the reply. Microkit's event loop uses this system call to
/// join a deferred action with the next wait.
///
/// **Blocking:** until a message arrives.
///
/// # Safety
///
/// [Conditions 1 and 2](crate#safety-of-system-calls): the request does not break memory safety,
/// and later messages to `reply` are valid replies to the message that this call received.
///
/// # Examples
///
/// ```
/// # use std::rc::Rc;
/// # use sel4_sys::host::{self, HostBuffer, Registers};
/// # host::install(Some(Rc::new(|registers: &mut Registers, _: Option<HostBuffer<'_>>| {
/// #     registers.info = 0;
/// # })));
/// # let mut token = host::new_ipc_buffer();
/// use sel4_sys::{CPtr, MessageInfo};
///
/// const NOTIFICATION: CPtr = 10;
/// const INPUT: CPtr = 1;
/// const REPLY: CPtr = 4;
/// let info = MessageInfo::new(0, 0, 0, 0);
/// // SAFETY: an empty message only signals `NOTIFICATION`, and `INPUT` delivers only calls.
/// let next = unsafe {
///     sel4_sys::nb_send_recv(&mut token, NOTIFICATION, info, [0; 4], INPUT, REPLY)
/// };
/// # assert_eq!(next.info.length(), 0);
/// ```
#[inline]
pub unsafe fn nb_send_recv(
    buffer: &mut IpcBufferToken,
    destination: CPtr,
    info: MessageInfo,
    message: FastMessage,
    source: CPtr,
    reply: CPtr,
) -> Received {
    let number = syscall::NBSendRecv;
    // SAFETY: as in `call`.
    unsafe {
        arch::nb_send_recv(
            number,
            buffer.pointer(),
            source,
            info,
            message,
            reply,
            destination,
        )
    }
}

/// Sends an empty message as [`nb_send_recv`] does, and receives the next message from `source`.
///
/// This function does not load the message registers.
///
/// **Blocking:** until a message arrives.
///
/// # Panics
///
/// Panics if the length in `info` is not 0.
///
/// # Safety
///
/// [Conditions 1 and 2](crate#safety-of-system-calls): the request does not break memory safety,
/// and later messages to `reply` are valid replies to the message that this call received.
#[inline]
pub unsafe fn nb_send_recv_empty(
    buffer: &mut IpcBufferToken,
    destination: CPtr,
    info: MessageInfo,
    source: CPtr,
    reply: CPtr,
) -> Received {
    assert!(info.length() == 0, "the message is not empty");
    let number = syscall::NBSendRecv;
    // SAFETY: as in `call`.
    unsafe { arch::nb_send_recv_empty(number, buffer.pointer(), source, info, reply, destination) }
}

/// Sends to `destination` without blocking. Then waits at `source` for a notification, or for a
/// message that is not a call (`seL4_NBSendWait`).
///
/// If `destination` cannot take the message now, the message is dropped.
///
/// **Blocking:** until a message arrives.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): the request does not break memory safety.
#[inline]
pub unsafe fn nb_send_wait(
    buffer: &mut IpcBufferToken,
    destination: CPtr,
    info: MessageInfo,
    message: FastMessage,
    source: CPtr,
) -> Received {
    let number = syscall::NBSendWait;
    // This system call has no reply object. The register of the reply object holds the destination.
    // SAFETY: as in `call`.
    unsafe {
        arch::nb_send_recv(
            number,
            buffer.pointer(),
            source,
            info,
            message,
            destination,
            0,
        )
    }
}

/// Sends a message to `destination` (`seL4_Send`).
///
/// **Blocking:** at an endpoint, until a receiver takes the message. At any other object, the call
/// does not block.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): the request does not break memory safety.
///
/// # Examples
///
/// ```
/// # use std::rc::Rc;
/// # use sel4_sys::host::{self, HostBuffer, Registers};
/// # host::install(Some(Rc::new(|registers: &mut Registers, _: Option<HostBuffer<'_>>| {
/// #     registers.info = 0;
/// # })));
/// # let mut token = host::new_ipc_buffer();
/// use sel4_sys::MessageInfo;
///
/// const REPLY: sel4_sys::CPtr = 4;
/// // SAFETY: `REPLY` holds a caller that expects one word.
/// unsafe { sel4_sys::send(&mut token, REPLY, MessageInfo::new(0, 0, 0, 1), [7, 0, 0, 0]) };
/// ```
#[inline]
pub unsafe fn send(
    buffer: &mut IpcBufferToken,
    destination: CPtr,
    info: MessageInfo,
    message: FastMessage,
) {
    // SAFETY: as in `call`.
    unsafe { arch::send(syscall::Send, buffer.pointer(), destination, info, message) }
}

/// Sends an empty message as [`send`] does.
///
/// This function does not load the message registers.
///
/// **Blocking:** at an endpoint, until a receiver takes the message. At any other object, the call
/// does not block.
///
/// # Panics
///
/// Panics if the length in `info` is not 0.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): the request does not break memory safety.
#[inline]
pub unsafe fn send_empty(buffer: &mut IpcBufferToken, destination: CPtr, info: MessageInfo) {
    assert!(info.length() == 0, "the message is not empty");
    // SAFETY: as in `call`.
    unsafe { arch::send_empty(syscall::Send, buffer.pointer(), destination, info) }
}

/// Sends to `destination` without blocking (`seL4_NBSend`).
///
/// If `destination` is an endpoint without a waiting receiver, the kernel drops the message and
/// does not report the loss.
///
/// **Blocking:** never.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): the request does not break memory safety.
#[inline]
pub unsafe fn nb_send(
    buffer: &mut IpcBufferToken,
    destination: CPtr,
    info: MessageInfo,
    message: FastMessage,
) {
    // SAFETY: as in `call`.
    unsafe {
        arch::send(
            syscall::NBSend,
            buffer.pointer(),
            destination,
            info,
            message,
        )
    }
}

/// Signals a notification (`seL4_Signal`).
///
/// **Blocking:** never, if `notification` is a capability to a notification.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): `notification` leads to a notification, or to an
/// object for which an empty message is harmless. This function makes the system call `Send`. At an
/// endpoint, `Send` delivers an empty message and may block. At a reply object, `Send` replies.
///
/// # Examples
///
/// ```
/// # use std::rc::Rc;
/// # use sel4_sys::host::{self, HostBuffer, Registers};
/// # host::install(Some(Rc::new(|registers: &mut Registers, _: Option<HostBuffer<'_>>| {
/// #     registers.info = 0;
/// # })));
/// # let mut token = host::new_ipc_buffer();
/// const NOTIFICATION: sel4_sys::CPtr = 10;
/// // SAFETY: the capability leads to a notification.
/// unsafe { sel4_sys::signal(&mut token, NOTIFICATION) };
/// ```
#[inline]
pub unsafe fn signal(buffer: &mut IpcBufferToken, notification: CPtr) {
    let info = MessageInfo::new(0, 0, 0, 0);
    // SAFETY: as in `call`.
    unsafe { arch::send_empty(syscall::Send, buffer.pointer(), notification, info) }
}

/// Receives a message from `source` (`seL4_Recv`).
///
/// If the received message is a call, `reply` holds the caller until the reply. [`reply_recv`] has
/// an example.
///
/// **Blocking:** until a message arrives.
///
/// # Safety
///
/// [Condition 2](crate#safety-of-system-calls): later messages to `reply` are valid replies to the
/// message that this call received.
#[inline]
pub unsafe fn recv(buffer: &mut IpcBufferToken, source: CPtr, reply: CPtr) -> Received {
    // SAFETY: as in `call`.
    unsafe { arch::recv(syscall::Recv, buffer.pointer(), source, reply) }
}

/// Receives a message from `source` without blocking (`seL4_NBRecv`).
///
/// Without a message, the badge is 0.
///
/// **Blocking:** never.
///
/// # Safety
///
/// [Condition 2](crate#safety-of-system-calls): later messages to `reply` are valid replies to the
/// message that this call received.
#[inline]
pub unsafe fn nb_recv(buffer: &mut IpcBufferToken, source: CPtr, reply: CPtr) -> Received {
    // SAFETY: as in `call`.
    unsafe { arch::recv(syscall::NBRecv, buffer.pointer(), source, reply) }
}

/// Waits for a notification, or for a message that is not a call (`seL4_Wait`).
///
/// **Blocking:** until a notification or message arrives.
///
/// ```
/// # use std::rc::Rc;
/// # use sel4_sys::host::{self, HostBuffer, Registers};
/// # host::install(Some(Rc::new(|registers: &mut Registers, _: Option<HostBuffer<'_>>| {
/// #     registers.capability = 0b100;
/// # })));
/// # let mut token = host::new_ipc_buffer();
/// const INPUT: sel4_sys::CPtr = 1;
/// let notified = sel4_sys::wait(&mut token, INPUT).badge;
/// assert_eq!(notified, 0b100);
/// ```
#[inline]
pub fn wait(buffer: &mut IpcBufferToken, source: CPtr) -> Received {
    // SAFETY: reason 1 of `call`. Any `source` is sound: without a reply object, the kernel keeps
    // no sender to reply to. Received capabilities go only to the slot of `set_receive_path`, which
    // is `unsafe`.
    unsafe { arch::recv(syscall::Wait, buffer.pointer(), source, 0) }
}

/// Polls for a notification, or for a message that is not a call (`seL4_NBWait`, also named
/// `seL4_Poll`).
///
/// Without a notification or message, the badge is 0.
///
/// **Blocking:** never.
///
/// ```
/// # use std::rc::Rc;
/// # use sel4_sys::host::{self, HostBuffer, Registers};
/// # host::install(Some(Rc::new(|registers: &mut Registers, _: Option<HostBuffer<'_>>| {
/// #     registers.capability = 0;
/// # })));
/// # let mut token = host::new_ipc_buffer();
/// const INPUT: sel4_sys::CPtr = 1;
/// let is_notified = sel4_sys::nb_wait(&mut token, INPUT).badge != 0;
/// assert!(!is_notified);
/// ```
#[inline]
pub fn nb_wait(buffer: &mut IpcBufferToken, source: CPtr) -> Received {
    // SAFETY: as in `wait`.
    unsafe { arch::recv(syscall::NBWait, buffer.pointer(), source, 0) }
}

/// Gives up the rest of the budget for this period (`seL4_Yield`).
///
/// **Blocking:** until the next refill is ready.
#[inline]
pub fn yield_() {
    // SAFETY: this system call transfers no message, so the kernel does not access the buffer.
    unsafe { arch::bare(syscall::Yield, 0) };
}

/// Prints a byte on the kernel's console (`seL4_DebugPutChar`).
///
/// Does nothing if the kernel does not print ([`config::PRINTING`](crate::config::PRINTING)).
///
/// ```
/// # use std::rc::Rc;
/// # use sel4_sys::host::{self, HostBuffer, Registers};
/// # host::install(Some(Rc::new(|registers: &mut Registers, _: Option<HostBuffer<'_>>| {
/// #     assert_eq!(registers.capability, u64::from(b'!'));
/// # })));
/// # let mut token = host::new_ipc_buffer();
/// sel4_sys::debug_put_char(b'!');
/// ```
#[inline]
pub fn debug_put_char(byte: u8) {
    if crate::config::PRINTING {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::DebugPutChar, byte.into()) };
    }
}

/// Prints the threads on the kernel's console (`seL4_DebugDumpScheduler`).
///
/// Does nothing if the kernel does not print ([`config::PRINTING`](crate::config::PRINTING)).
#[inline]
pub fn debug_dump_scheduler() {
    if crate::config::PRINTING {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::DebugDumpScheduler, 0) };
    }
}

/// Halts the machine (`seL4_DebugHalt`).
///
/// Does nothing if the kernel is not a debug build
/// ([`config::DEBUG_BUILD`](crate::config::DEBUG_BUILD)).
#[inline]
pub fn debug_halt() {
    if crate::config::DEBUG_BUILD {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::DebugHalt, 0) };
    }
}

/// Prints the capabilities of the system on the kernel's console (`seL4_DebugSnapshot`).
///
/// Does nothing if the kernel is not a debug build
/// ([`config::DEBUG_BUILD`](crate::config::DEBUG_BUILD)).
#[inline]
pub fn debug_snapshot() {
    if crate::config::DEBUG_BUILD {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::DebugSnapshot, 0) };
    }
}

/// Returns the kernel's number for the type of a capability (`seL4_DebugCapIdentify`).
///
/// The number is 0 for an empty slot. Returns `None` if the kernel is not a debug build
/// ([`config::DEBUG_BUILD`](crate::config::DEBUG_BUILD)).
#[inline]
pub fn debug_cap_identify(cptr: CPtr) -> Option<Word> {
    if crate::config::DEBUG_BUILD {
        // SAFETY: as in `yield_`.
        Some(unsafe { arch::bare(syscall::DebugCapIdentify, cptr) })
    } else {
        None
    }
}

/// Names a thread in the kernel's messages (`seL4_DebugNameThread`).
///
/// The name is passed in the IPC buffer and overwrites message registers. Does nothing if the
/// kernel is not a debug build ([`config::DEBUG_BUILD`](crate::config::DEBUG_BUILD)).
///
/// # Panics
///
/// Panics if the name and a zero byte do not fit into the message registers.
///
/// # Examples
///
/// ```
/// # use std::rc::Rc;
/// # use sel4_sys::host::{self, HostBuffer, Registers};
/// # host::install(Some(Rc::new(|registers: &mut Registers, _: Option<HostBuffer<'_>>| {
/// #     registers.info = 0;
/// # })));
/// # let mut token = host::new_ipc_buffer();
/// const TCB: sel4_sys::CPtr = 202;
/// sel4_sys::debug_name_thread(&mut token, TCB, b"child");
/// ```
#[inline]
pub fn debug_name_thread(buffer: &mut IpcBufferToken, tcb: CPtr, name: &[u8]) {
    if crate::config::DEBUG_BUILD {
        buffer.with_mut(|view| {
            let bytes = view.msg_bytes_mut();
            bytes[..name.len()].copy_from_slice(name);
            bytes[name.len()] = 0;
        });
        let info = MessageInfo::new(0, 0, 0, 0);
        // SAFETY: reason 1 of `call`. The view has ended, and the kernel only reads the name.
        unsafe { arch::send_empty(syscall::DebugNameThread, buffer.pointer(), tcb, info) };
    }
}

/// Starts a measurement, and returns a `seL4_Error` value (`seL4_BenchmarkResetLog`).
///
/// Returns `None` if the kernel has no benchmarks
/// ([`config::ENABLE_BENCHMARKS`](crate::config::ENABLE_BENCHMARKS)).
#[inline]
pub fn benchmark_reset_log() -> Option<Word> {
    // SAFETY: as in `yield_`.
    crate::config::ENABLE_BENCHMARKS.then(|| unsafe { arch::bare(syscall::BenchmarkResetLog, 0) })
}

/// Ends the measurement, and returns the number of entries in the kernel's log
/// (`seL4_BenchmarkFinalizeLog`).
///
/// The number is 0 if the kernel keeps no log. Returns `None` if the kernel has no benchmarks
/// ([`config::ENABLE_BENCHMARKS`](crate::config::ENABLE_BENCHMARKS)).
#[inline]
pub fn benchmark_finalize_log() -> Option<Word> {
    crate::config::ENABLE_BENCHMARKS.then(|| {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::BenchmarkFinalizeLog, 0) }
    })
}

/// Gives the kernel a page for its log, and returns a `seL4_Error` value
/// (`seL4_BenchmarkSetLogBuffer`).
///
/// Returns `None` if the kernel keeps no log
/// ([`config::KERNEL_LOG_BUFFER`](crate::config::KERNEL_LOG_BUFFER)).
///
/// # Safety
///
/// Nothing else uses the page of `frame`. The kernel writes to the page from now on.
#[inline]
pub unsafe fn benchmark_set_log_buffer(frame: CPtr) -> Option<Word> {
    crate::config::KERNEL_LOG_BUFFER.then(|| {
        // SAFETY: as in `yield_`. The caller promises that nothing else uses the page.
        unsafe { arch::bare(syscall::BenchmarkSetLogBuffer, frame) }
    })
}

/// Enters the kernel and returns at once (`seL4_BenchmarkNullSyscall`).
///
/// Does nothing if the kernel has no benchmarks
/// ([`config::ENABLE_BENCHMARKS`](crate::config::ENABLE_BENCHMARKS)).
#[inline]
pub fn benchmark_null_syscall() {
    if crate::config::ENABLE_BENCHMARKS {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::BenchmarkNullSyscall, 0) };
    }
}

/// Reads the measurements of a thread into the message registers of the buffer
/// (`seL4_BenchmarkGetThreadUtilisation`).
///
/// Returns whether the kernel measures threads
/// ([`config::BENCHMARK_TRACK_UTILISATION`](crate::config::BENCHMARK_TRACK_UTILISATION)).
#[inline]
pub fn benchmark_get_thread_utilisation(buffer: &mut IpcBufferToken, tcb: CPtr) -> bool {
    if crate::config::BENCHMARK_TRACK_UTILISATION {
        let number = syscall::BenchmarkGetThreadUtilisation;
        let info = MessageInfo::new(0, 0, 0, 0);
        // SAFETY: reason 1 of `call`. The kernel only writes numbers into the buffer.
        unsafe { arch::send_empty(number, buffer.pointer(), tcb, info) };
    }
    crate::config::BENCHMARK_TRACK_UTILISATION
}

/// Resets the measurements of a thread (`seL4_BenchmarkResetThreadUtilisation`).
///
/// Does nothing if the kernel does not measure threads.
#[inline]
pub fn benchmark_reset_thread_utilisation(tcb: CPtr) {
    if crate::config::BENCHMARK_TRACK_UTILISATION {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::BenchmarkResetThreadUtilisation, tcb) };
    }
}

/// Prints the measurements of all threads on the kernel's console
/// (`seL4_BenchmarkDumpAllThreadsUtilisation`).
///
/// Does nothing if the kernel is not a debug build that measures threads.
#[inline]
pub fn benchmark_dump_all_thread_utilisation() {
    if crate::config::BENCHMARK_TRACK_UTILISATION && crate::config::DEBUG_BUILD {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::BenchmarkDumpAllThreadsUtilisation, 0) };
    }
}

/// Resets the measurements of all threads (`seL4_BenchmarkResetAllThreadsUtilisation`).
///
/// Does nothing if the kernel is not a debug build that measures threads.
#[inline]
pub fn benchmark_reset_all_thread_utilisation() {
    if crate::config::BENCHMARK_TRACK_UTILISATION && crate::config::DEBUG_BUILD {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::BenchmarkResetAllThreadsUtilisation, 0) };
    }
}

/// Reads the CPU's cycle counter, `PMCCNTR_EL0`.
///
/// Returns `None` if the kernel does not allow PDs to read the counter
/// ([`config::EXPORT_PMU_USER`](crate::config::EXPORT_PMU_USER)).
///
/// ```
/// if let Some(cycles) = sel4_sys::cycle_counter() {
///     assert!(sel4_sys::cycle_counter() >= Some(cycles));
/// }
/// ```
#[inline]
pub fn cycle_counter() -> Option<u64> {
    crate::config::EXPORT_PMU_USER.then(arch::cycle_counter)
}
