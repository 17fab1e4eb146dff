//! Makes system calls by `svc`, with the registers of libsel4 (`sel4_arch/syscalls.h`).
//!
//! | register | holds |
//! | --- | --- |
//! | x0 | the capability; on return, the badge |
//! | x1 | the message info |
//! | x2 to x5 | the first four message registers |
//! | x6 | the reply object |
//! | x7 | the number of the system call |
//! | x8 | the destination of a call that sends to one capability and receives from another |
//!
//! The reasons for the operands and options of each `asm!` block, called *operands* below:
//!
//! 1. Every register that the kernel may write is an output, so the compiler keeps no value there.
//!    The kernel restores all other registers (seL4 manual, *System Calls*).
//! 2. `{buffer}` names the pointer to the IPC buffer, in a comment of the assembly. The kernel
//!    reads and writes the buffer. The block has the pointer as an operand, and has neither `nomem`
//!    nor `readonly`. So the compiler stores earlier writes to the buffer before the call and
//!    reloads the buffer after the call.
//! 3. `pure` is absent, because it would allow the compiler to drop or merge calls.
//!    `preserves_flags` is absent, because it would gain nothing.
//! 4. `nostack`: the kernel does not write to the thread's stack.

use core::arch::asm;
use core::ptr::NonNull;

use crate::{CPtr, FastMessage, IpcBuffer, MessageInfo, Received, Word};

/// Makes a system call that receives a message. The last arm has the operands of all these calls.
///
/// The brackets hold the message to send: `info, message`; only `info`, if the message registers
/// may hold any values; or nothing. Registers that only some calls read follow the brackets.
macro_rules! receive {
    ($number:ident, $buffer:ident, $x0:ident, [$info:ident, $message:ident] $($more:tt)*) => {{
        let [m0, m1, m2, m3] = $message;
        receive!(
            $number, $buffer, $x0,
            (inlateout("x1") $info.into_word() =>)
            (inlateout("x2") m0 =>)
            (inlateout("x3") m1 =>)
            (inlateout("x4") m2 =>)
            (inlateout("x5") m3 =>)
            $($more)*
        )
    }};
    ($number:ident, $buffer:ident, $x0:ident, [$info:ident] $($more:tt)*) => {
        receive!(
            $number, $buffer, $x0,
            (inlateout("x1") $info.into_word() =>)
            (lateout("x2")) (lateout("x3")) (lateout("x4")) (lateout("x5"))
            $($more)*
        )
    };
    ($number:ident, $buffer:ident, $x0:ident, [] $($more:tt)*) => {
        receive!(
            $number, $buffer, $x0,
            (lateout("x1"))
            (lateout("x2")) (lateout("x3")) (lateout("x4")) (lateout("x5"))
            $($more)*
        )
    };
    (
        $number:ident, $buffer:ident, $x0:ident,
        ($($x1:tt)*) ($($x2:tt)*) ($($x3:tt)*) ($($x4:tt)*) ($($x5:tt)*)
        $(, $more:tt = $value:ident)*
    ) => {{
        let (badge, info): (Word, Word);
        let (r0, r1, r2, r3): (Word, Word, Word, Word);
        // SAFETY: by the caller's contract, and by reasons 1 to 4 of *operands*.
        unsafe {
            asm!(
                "svc #0 // {buffer}",
                buffer = in(reg) $buffer.as_ptr(),
                inlateout("x0") $x0 => badge,
                $($x1)* info,
                $($x2)* r0,
                $($x3)* r1,
                $($x4)* r2,
                $($x5)* r3,
                $(in($more) $value,)*
                in("x7") $number,
                options(nostack),
            );
        }
        Received {
            badge,
            info: MessageInfo::from_word(info),
            message: [r0, r1, r2, r3],
        }
    }};
}

/// Sends a message and receives one.
///
/// # Safety
///
/// 1. `buffer` is the IPC buffer of this thread, and no reference to the buffer is alive.
/// 2. `number` is a system call that uses the registers as this function does.
#[inline(always)]
pub(crate) unsafe fn send_recv(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
    message: FastMessage,
    reply: CPtr,
) -> Received {
    receive!(number, buffer, capability, [info, message], "x6" = reply)
}

/// Sends a message and receives the reply. The kernel reads no reply object in this system call.
///
/// # Safety
///
/// As for [`send_recv`].
#[inline(always)]
pub(crate) unsafe fn call(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
    message: FastMessage,
) -> Received {
    receive!(number, buffer, capability, [info, message])
}

/// Sends an empty message as [`call`] does. The message registers may hold any values.
///
/// # Safety
///
/// As for [`send_recv`].
#[inline(always)]
pub(crate) unsafe fn call_empty(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
) -> Received {
    receive!(number, buffer, capability, [info])
}

/// Sends a message to one capability and receives from another.
///
/// # Safety
///
/// As for [`send_recv`].
#[inline(always)]
pub(crate) unsafe fn nb_send_recv(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    source: CPtr,
    info: MessageInfo,
    message: FastMessage,
    reply: CPtr,
    destination: CPtr,
) -> Received {
    receive!(
        number,
        buffer,
        source,
        [info, message],
        "x6" = reply,
        "x8" = destination
    )
}

/// Sends an empty message as [`nb_send_recv`] does. The message registers may hold any values.
///
/// # Safety
///
/// As for [`send_recv`].
#[inline(always)]
pub(crate) unsafe fn nb_send_recv_empty(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    source: CPtr,
    info: MessageInfo,
    reply: CPtr,
    destination: CPtr,
) -> Received {
    receive!(
        number,
        buffer,
        source,
        [info],
        "x6" = reply,
        "x8" = destination
    )
}

/// Receives a message.
///
/// # Safety
///
/// As for [`send_recv`].
#[inline(always)]
pub(crate) unsafe fn recv(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    source: CPtr,
    reply: CPtr,
) -> Received {
    receive!(number, buffer, source, [], "x6" = reply)
}

/// Sends a message.
///
/// # Safety
///
/// As for [`send_recv`].
#[inline(always)]
pub(crate) unsafe fn send(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    destination: CPtr,
    info: MessageInfo,
    message: FastMessage,
) {
    let [m0, m1, m2, m3] = message;
    // SAFETY: by the caller's contract, and by reasons 1 to 4 of *operands*.
    unsafe {
        asm!(
            "svc #0 // {buffer}",
            buffer = in(reg) buffer.as_ptr(),
            inlateout("x0") destination => _,
            inlateout("x1") info.into_word() => _,
            inlateout("x2") m0 => _,
            inlateout("x3") m1 => _,
            inlateout("x4") m2 => _,
            inlateout("x5") m3 => _,
            in("x7") number,
            options(nostack),
        );
    }
}

/// Sends a message without loading the message registers. Any message words are in the buffer.
///
/// # Safety
///
/// As for [`send_recv`].
#[inline(always)]
pub(crate) unsafe fn send_empty(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    destination: CPtr,
    info: MessageInfo,
) {
    // SAFETY: by the caller's contract, and by reasons 1 to 4 of *operands*.
    unsafe {
        asm!(
            "svc #0 // {buffer}",
            buffer = in(reg) buffer.as_ptr(),
            inlateout("x0") destination => _,
            inlateout("x1") info.into_word() => _,
            in("x7") number,
            options(nostack),
        );
    }
}

/// Makes a system call that transfers no message. The call takes one word and returns one word.
///
/// # Safety
///
/// `number` is a system call of that kind, in which the kernel does not access the IPC buffer.
#[inline(always)]
pub(crate) unsafe fn bare(number: i64, argument: Word) -> Word {
    let result: Word;
    // SAFETY: by the caller's contract, and by reasons 1, 3 and 4 of *operands*. No buffer is used.
    // `nomem` is absent, because another PD may run during the call and change shared memory.
    unsafe {
        asm!(
            "svc #0",
            inlateout("x0") argument => result,
            in("x7") number,
            options(nostack),
        );
    }
    result
}

/// Reads `PMCCNTR_EL0`. The kernel must allow the program to read this register.
#[inline(always)]
pub(crate) fn cycle_counter() -> u64 {
    let cycles;
    // SAFETY: the instruction only reads a register (Arm ARM, *PMCCNTR_EL0*). The program faults if
    // the kernel does not allow the read. `pure` would be wrong, because two reads must not merge.
    unsafe {
        asm!("mrs {}, pmccntr_el0", out(reg) cycles, options(nomem, nostack, preserves_flags))
    };
    cycles
}
