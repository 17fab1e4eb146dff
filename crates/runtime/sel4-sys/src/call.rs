//! The system calls of MCS seL4, a function each (seL4 manual, *System Calls*).
//!
//! What blocks: [`call`], [`send`], [`recv`], [`reply_recv`], [`nb_send_recv`], [`nb_send_wait`],
//! [`wait`]. What returns at once: [`nb_send`], [`signal`], [`nb_recv`], [`nb_wait`], [`yield_`]
//! and the debug calls.

use crate::arch;
use crate::{CPtr, FastMessage, IpcBufferToken, MessageInfo, Word, syscall};

/// What a call that receives has brought.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Received {
    /// The badge of the capability that was used to send, or the bits of a notification.
    pub badge: Word,
    /// What was received.
    pub info: MessageInfo,
    /// Its first four words; further ones are in the IPC buffer.
    pub message: FastMessage,
}

/// `seL4_Call`: sends to `destination`, an endpoint or any object to invoke, and waits for the
/// reply. Words of the message after the fourth are read from the buffer, those of the reply are
/// written there.
///
/// **Blocks:** until the reply comes.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): what `destination` is asked to do breaks no memory.
#[inline]
pub unsafe fn call(
    buffer: &mut IpcBufferToken,
    destination: CPtr,
    info: MessageInfo,
    message: FastMessage,
) -> Received {
    // SAFETY: 1. `buffer` is the thread's own, and held by `&mut`: no view of it is alive (B-2).
    // 2. What the kernel does for the capability is the caller's contract.
    unsafe { arch::call(syscall::Call, buffer.pointer(), destination, info, message) }
}

/// As [`call`], for a message of no words, whose registers need not be set. Those of the reply are
/// as for any.
///
/// **Blocks:** until the reply comes.
/// **Panics:** if `info` says that it has words: what happens to be in the registers would be sent.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): what `destination` is asked to do breaks no memory.
#[inline]
pub unsafe fn call_empty(
    buffer: &mut IpcBufferToken,
    destination: CPtr,
    info: MessageInfo,
) -> Received {
    assert!(info.length() == 0, "the message has words");
    // SAFETY: as in `call`.
    unsafe { arch::call_empty(syscall::Call, buffer.pointer(), destination, info) }
}

/// `seL4_ReplyRecv`: replies to the caller that `reply` holds, and receives the next message from
/// `source`.
///
/// **Blocks:** until a message comes.
///
/// # Safety
///
/// [Conditions 1 and 2](crate#safety-of-system-calls), with `reply` as the capability that is
/// asked: the message is a reply to whatever `reply` holds, and so is what is sent to it later.
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

/// `seL4_NBSendRecv`: sends to `destination` if that can be done at once, and receives the next
/// message from `source`; a call is kept in `reply` until it is replied to.
///
/// **Blocks:** until a message comes.
///
/// # Safety
///
/// [Conditions 1 and 2](crate#safety-of-system-calls): what `destination` is asked to do breaks no
/// memory, and whatever is sent later to `reply` is a reply to what this call received.
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

/// As [`nb_send_recv`], sending a message of no words, whose registers need not be set.
///
/// **Blocks:** until a message comes.
/// **Panics:** if `info` says that it has words.
///
/// # Safety
///
/// [Conditions 1 and 2](crate#safety-of-system-calls): what `destination` is asked to do breaks no
/// memory, and whatever is sent later to `reply` is a reply to what this call received.
#[inline]
pub unsafe fn nb_send_recv_empty(
    buffer: &mut IpcBufferToken,
    destination: CPtr,
    info: MessageInfo,
    source: CPtr,
    reply: CPtr,
) -> Received {
    assert!(info.length() == 0, "the message has words");
    let number = syscall::NBSendRecv;
    // SAFETY: as in `call`.
    unsafe { arch::nb_send_recv_empty(number, buffer.pointer(), source, info, reply, destination) }
}

/// `seL4_NBSendWait`: sends to `destination` if that can be done at once, and waits for a message
/// from `source` that is not a call.
///
/// **Blocks:** until a message comes.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): what `destination` is asked to do breaks no memory.
#[inline]
pub unsafe fn nb_send_wait(
    buffer: &mut IpcBufferToken,
    destination: CPtr,
    info: MessageInfo,
    message: FastMessage,
    source: CPtr,
) -> Received {
    let number = syscall::NBSendWait;
    // The kernel takes the destination where other calls pass the reply object.
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

/// `seL4_Send`: sends to `destination`.
///
/// **Blocks:** until an endpoint's receiver takes the message; never for another object.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): what `destination` is asked to do breaks no memory.
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

/// As [`send`], for a message of no words, whose registers need not be set.
///
/// **Blocks:** until an endpoint's receiver takes the message; never for another object.
/// **Panics:** if `info` says that it has words.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): what `destination` is asked to do breaks no memory.
#[inline]
pub unsafe fn send_empty(buffer: &mut IpcBufferToken, destination: CPtr, info: MessageInfo) {
    assert!(info.length() == 0, "the message has words");
    // SAFETY: as in `call`.
    unsafe { arch::send_empty(syscall::Send, buffer.pointer(), destination, info) }
}

/// `seL4_NBSend`: sends to `destination` if a receiver waits; otherwise does nothing, and does
/// not say so.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): what `destination` is asked to do breaks no memory.
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

/// `seL4_Signal`: signals a notification.
///
/// # Safety
///
/// [Condition 1](crate#safety-of-system-calls): `notification` leads to a notification, or to an
/// object to which an empty message does no harm. It is a `Send`: at an endpoint it delivers an
/// empty message, which blocks, and at a reply object it replies.
#[inline]
pub unsafe fn signal(buffer: &mut IpcBufferToken, notification: CPtr) {
    let info = MessageInfo::new(0, 0, 0, 0);
    // SAFETY: as in `call`.
    unsafe { arch::send_empty(syscall::Send, buffer.pointer(), notification, info) }
}

/// `seL4_Recv`: receives a message from `source`; a call is kept in `reply` until it is replied
/// to.
///
/// **Blocks:** until a message comes.
///
/// # Safety
///
/// [Condition 2](crate#safety-of-system-calls): whatever is sent later to `reply` is a reply to
/// what this call received.
#[inline]
pub unsafe fn recv(buffer: &mut IpcBufferToken, source: CPtr, reply: CPtr) -> Received {
    // SAFETY: as in `call`.
    unsafe { arch::recv(syscall::Recv, buffer.pointer(), source, reply) }
}

/// `seL4_NBRecv`: receives a message from `source` if one is there; otherwise the badge is 0.
///
/// # Safety
///
/// [Condition 2](crate#safety-of-system-calls): whatever is sent later to `reply` is a reply to
/// what this call received.
#[inline]
pub unsafe fn nb_recv(buffer: &mut IpcBufferToken, source: CPtr, reply: CPtr) -> Received {
    // SAFETY: as in `call`.
    unsafe { arch::recv(syscall::NBRecv, buffer.pointer(), source, reply) }
}

/// `seL4_Wait`: waits for a notification, or for a message that is not a call.
///
/// **Blocks:** until one comes.
#[inline]
pub fn wait(buffer: &mut IpcBufferToken, source: CPtr) -> Received {
    // SAFETY: 1 of `call`. Any `source` will do: without a reply object the kernel keeps no sender
    // to be replied to, and capabilities go only where `set_receive_path` says, which is `unsafe`.
    unsafe { arch::recv(syscall::Wait, buffer.pointer(), source, 0) }
}

/// `seL4_NBWait`, also known as `seL4_Poll`: takes a notification, or a message that is not a
/// call, if one is there; otherwise the badge is 0.
#[inline]
pub fn nb_wait(buffer: &mut IpcBufferToken, source: CPtr) -> Received {
    // SAFETY: as in `wait`.
    unsafe { arch::recv(syscall::NBWait, buffer.pointer(), source, 0) }
}

/// `seL4_Yield`: gives up what is left of the budget for this period.
#[inline]
pub fn yield_() {
    // SAFETY: this call moves no message: the kernel does not touch the buffer.
    unsafe { arch::bare(syscall::Yield, 0) };
}

/// `seL4_DebugPutChar`: prints a byte on the kernel's console; nothing where the kernel does not
/// print ([`config::PRINTING`](crate::config::PRINTING)).
#[inline]
pub fn debug_put_char(byte: u8) {
    if crate::config::PRINTING {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::DebugPutChar, byte.into()) };
    }
}

/// `seL4_DebugDumpScheduler`: prints the threads on the kernel's console; nothing where the kernel
/// does not print.
#[inline]
pub fn debug_dump_scheduler() {
    if crate::config::PRINTING {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::DebugDumpScheduler, 0) };
    }
}

/// `seL4_DebugHalt`: stops the machine; nothing where the kernel is no debug build
/// ([`config::DEBUG_BUILD`](crate::config::DEBUG_BUILD)).
#[inline]
pub fn debug_halt() {
    if crate::config::DEBUG_BUILD {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::DebugHalt, 0) };
    }
}

/// `seL4_DebugSnapshot`: has the kernel print the capabilities of the system; nothing where the
/// kernel is no debug build.
#[inline]
pub fn debug_snapshot() {
    if crate::config::DEBUG_BUILD {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::DebugSnapshot, 0) };
    }
}

/// `seL4_DebugCapIdentify`: the kernel's number for the type of a capability, 0 for none; `None`
/// where the kernel is no debug build.
#[inline]
pub fn debug_cap_identify(cptr: CPtr) -> Option<Word> {
    if crate::config::DEBUG_BUILD {
        // SAFETY: as in `yield_`.
        Some(unsafe { arch::bare(syscall::DebugCapIdentify, cptr) })
    } else {
        None
    }
}

/// `seL4_DebugNameThread`: names a thread in the kernel's messages; nothing where the kernel is no
/// debug build. The name goes through the buffer and overwrites the message registers there.
///
/// # Panics
///
/// If the name does not fit the message registers with a zero after it.
#[inline]
pub fn debug_name_thread(buffer: &mut IpcBufferToken, tcb: CPtr, name: &[u8]) {
    if crate::config::DEBUG_BUILD {
        buffer.with_mut(|view| {
            let bytes = view.msg_bytes_mut();
            bytes[..name.len()].copy_from_slice(name);
            bytes[name.len()] = 0;
        });
        let info = MessageInfo::new(0, 0, 0, 0);
        // SAFETY: 1 of `call`: the view has ended. The kernel reads a name and no more.
        unsafe { arch::send_empty(syscall::DebugNameThread, buffer.pointer(), tcb, info) };
    }
}

/// `seL4_BenchmarkResetLog`: begins to measure; the word is an error's label. `None` where the
/// kernel has no benchmarks ([`config::ENABLE_BENCHMARKS`](crate::config::ENABLE_BENCHMARKS)), as
/// in the calls below.
#[inline]
pub fn benchmark_reset_log() -> Option<Word> {
    // SAFETY: as in `yield_`.
    crate::config::ENABLE_BENCHMARKS.then(|| unsafe { arch::bare(syscall::BenchmarkResetLog, 0) })
}

/// `seL4_BenchmarkFinalizeLog`: ends the measurement; the word is how many entries the kernel's
/// log has, 0 where it keeps none.
#[inline]
pub fn benchmark_finalize_log() -> Option<Word> {
    crate::config::ENABLE_BENCHMARKS.then(|| {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::BenchmarkFinalizeLog, 0) }
    })
}

/// `seL4_BenchmarkSetLogBuffer`: gives the kernel a page for its log; the word is an error's label.
/// `None` where the kernel keeps none
/// ([`config::KERNEL_LOG_BUFFER`](crate::config::KERNEL_LOG_BUFFER)).
///
/// # Safety
///
/// The page that `frame` leads to is memory that nothing else uses: the kernel writes there from
/// now on.
#[inline]
pub unsafe fn benchmark_set_log_buffer(frame: CPtr) -> Option<Word> {
    crate::config::KERNEL_LOG_BUFFER.then(|| {
        // SAFETY: as in `yield_`, and the caller's contract for what the kernel writes later.
        unsafe { arch::bare(syscall::BenchmarkSetLogBuffer, frame) }
    })
}

/// `seL4_BenchmarkNullSyscall`: enters the kernel and leaves it.
#[inline]
pub fn benchmark_null_syscall() {
    if crate::config::ENABLE_BENCHMARKS {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::BenchmarkNullSyscall, 0) };
    }
}

/// `seL4_BenchmarkGetThreadUtilisation`: has the kernel write what it has measured of a thread into
/// the message registers of the buffer. Returns whether it measures threads
/// ([`config::BENCHMARK_TRACK_UTILISATION`](crate::config::BENCHMARK_TRACK_UTILISATION)).
#[inline]
pub fn benchmark_get_thread_utilisation(buffer: &mut IpcBufferToken, tcb: CPtr) -> bool {
    if crate::config::BENCHMARK_TRACK_UTILISATION {
        let number = syscall::BenchmarkGetThreadUtilisation;
        let info = MessageInfo::new(0, 0, 0, 0);
        // SAFETY: 1 of `call`. The kernel only writes numbers into the buffer.
        unsafe { arch::send_empty(number, buffer.pointer(), tcb, info) };
    }
    crate::config::BENCHMARK_TRACK_UTILISATION
}

/// `seL4_BenchmarkResetThreadUtilisation`: forgets what was measured of a thread; nothing where the
/// kernel measures none.
#[inline]
pub fn benchmark_reset_thread_utilisation(tcb: CPtr) {
    if crate::config::BENCHMARK_TRACK_UTILISATION {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::BenchmarkResetThreadUtilisation, tcb) };
    }
}

/// `seL4_BenchmarkDumpAllThreadsUtilisation`: prints what was measured of all threads on the
/// kernel's console; nothing where the kernel is no debug build that measures them.
#[inline]
pub fn benchmark_dump_all_thread_utilisation() {
    if crate::config::BENCHMARK_TRACK_UTILISATION && crate::config::DEBUG_BUILD {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::BenchmarkDumpAllThreadsUtilisation, 0) };
    }
}

/// `seL4_BenchmarkResetAllThreadsUtilisation`: forgets what was measured of all threads; nothing
/// where the kernel is no debug build that measures them.
#[inline]
pub fn benchmark_reset_all_thread_utilisation() {
    if crate::config::BENCHMARK_TRACK_UTILISATION && crate::config::DEBUG_BUILD {
        // SAFETY: as in `yield_`.
        unsafe { arch::bare(syscall::BenchmarkResetAllThreadsUtilisation, 0) };
    }
}

/// The CPU's cycle counter, PMCCNTR_EL0; `None` where the kernel does not let a PD read it
/// ([`config::EXPORT_PMU_USER`](crate::config::EXPORT_PMU_USER)).
#[inline]
pub fn cycle_counter() -> Option<u64> {
    crate::config::EXPORT_PMU_USER.then(arch::cycle_counter)
}
