//! System calls on a host: they go to a kernel that the test has installed for its thread.

#[cfg(feature = "programs")]
mod program;

use core::marker::PhantomData;
use core::ptr::NonNull;
use std::boxed::Box;
use std::cell::RefCell;
use std::rc::Rc;
use std::thread::ThreadId;
use std::time::Instant;

use crate::{CPtr, FastMessage, IpcBuffer, IpcBufferToken, MessageInfo, Received, Word};

#[cfg(feature = "programs")]
pub use program::{Carrier, Program, Stop, is_unwinding, point};

/// What answers the system calls of a thread on a host.
pub trait HostKernel {
    /// Answers one system call: reads the request in `registers` and leaves the answer there.
    ///
    /// `buffer` is the thread's IPC buffer; a call that moves no message has none.
    fn system_call(&self, registers: &mut Registers, buffer: Option<HostBuffer<'_>>);
}

impl<F: Fn(&mut Registers, Option<HostBuffer<'_>>)> HostKernel for F {
    fn system_call(&self, registers: &mut Registers, buffer: Option<HostBuffer<'_>>) {
        self(registers, buffer);
    }
}

/// The registers of a system call, by what AArch64 seL4 uses them for.
#[derive(Debug, Copy, Clone, Default, PartialEq, Eq)]
pub struct Registers {
    /// x7: the system call's number.
    pub number: i64,
    /// x0: the capability to send to, or to receive from; then the badge.
    pub capability: Word,
    /// x1: the message info.
    pub info: Word,
    /// x2 to x5: the first four message registers.
    pub message: FastMessage,
    /// x6: the reply object, or the destination of `NBSendWait`.
    pub reply: CPtr,
    /// x8: the destination of `NBSendRecv`.
    pub destination: CPtr,
}

/// The kernel's own way to a thread's IPC buffer, for the time of a system call.
#[derive(Debug)]
pub struct HostBuffer<'call> {
    buffer: NonNull<IpcBuffer>,
    _call: PhantomData<&'call mut IpcBuffer>,
}

impl HostBuffer<'_> {
    /// Words in a buffer.
    pub const WORDS: usize = size_of::<IpcBuffer>() / size_of::<Word>();

    /// The word that is message register 0.
    pub const MESSAGE: usize = 1;

    /// The word that is capability 0.
    pub const CAPS: usize = 122;

    /// Reads a word.
    ///
    /// # Panics
    ///
    /// If there is no such word.
    pub fn read(&self, index: usize) -> Word {
        // SAFETY: 1. `word` is inside the buffer, which lives as long as the program.
        // 2. `'call` ends with the system call, during which its thread has no view.
        unsafe { self.word(index).read() }
    }

    /// Writes a word.
    ///
    /// # Panics
    ///
    /// If there is no such word.
    pub fn write(&mut self, index: usize, value: Word) {
        // SAFETY: 1 and 2 of `read`.
        unsafe { self.word(index).write(value) }
    }

    fn word(&self, index: usize) -> NonNull<Word> {
        assert!(
            index < Self::WORDS,
            "there is no word {index} of an IPC buffer: the last is {}",
            Self::WORDS - 1
        );
        // SAFETY: the index was checked: the pointer stays in the buffer.
        unsafe { self.buffer.cast::<Word>().add(index) }
    }
}

std::thread_local! {
    static KERNEL: RefCell<Option<Rc<dyn HostKernel>>> = const { RefCell::new(None) };
}

/// Has `kernel` answer this thread's system calls from now on; returns the one that did before.
pub fn install(kernel: Option<Rc<dyn HostKernel>>) -> Option<Rc<dyn HostKernel>> {
    KERNEL.replace(kernel)
}

/// Makes an IPC buffer and its token. The buffer is never freed, as a thread's is not.
pub fn new_ipc_buffer() -> IpcBufferToken {
    let buffer = NonNull::from(Box::leak(Box::new(IpcBuffer::new())));
    // SAFETY: 1. This thread's own: whichever kernel it installs gets no other.
    // 2 and 3. The memory is new, and the only pointer to it goes into the token.
    unsafe { IpcBufferToken::new(buffer) }
}

/// The thread in whose turns this code runs: of a program that stops at its system calls, the
/// thread that resumes it, also if the program has a thread of its own.
pub fn thread_id() -> ThreadId {
    #[cfg(feature = "programs")]
    if let Some(resumer) = program::resumer() {
        return resumer;
    }
    std::thread::current().id()
}

fn system_call(registers: &mut Registers, buffer: Option<NonNull<IpcBuffer>>) {
    #[cfg(feature = "programs")]
    if program::trap(registers, buffer) {
        return;
    }
    let kernel = KERNEL.with_borrow(Clone::clone).unwrap_or_else(|| {
        panic!(
            "system call {} on a host, where no kernel answers: install one with \
             sel4_sys::host::install",
            registers.number
        )
    });
    let buffer = buffer.map(|buffer| HostBuffer {
        buffer,
        _call: PhantomData,
    });
    kernel.system_call(registers, buffer);
}

fn received(registers: Registers) -> Received {
    Received {
        badge: registers.capability,
        info: MessageInfo::from_word(registers.info),
        message: registers.message,
    }
}

/// What the registers of a message hold that has no words: on the target, anything.
const UNSPECIFIED: FastMessage = [0xdead_beef; 4];

// The functions below are `unsafe` because those of the target are.

pub(crate) unsafe fn send_recv(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
    message: FastMessage,
    reply: CPtr,
) -> Received {
    // SAFETY: the caller's contract.
    unsafe { nb_send_recv(number, buffer, capability, info, message, reply, 0) }
}

pub(crate) unsafe fn call(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
    message: FastMessage,
) -> Received {
    // SAFETY: the caller's contract.
    unsafe { send_recv(number, buffer, capability, info, message, 0) }
}

pub(crate) unsafe fn call_empty(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
) -> Received {
    // SAFETY: the caller's contract.
    unsafe { call(number, buffer, capability, info, UNSPECIFIED) }
}

pub(crate) unsafe fn nb_send_recv(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
    message: FastMessage,
    reply: CPtr,
    destination: CPtr,
) -> Received {
    let info = info.into_word();
    let mut registers = Registers {
        number,
        capability,
        info,
        message,
        reply,
        destination,
    };
    system_call(&mut registers, Some(buffer));
    received(registers)
}

pub(crate) unsafe fn nb_send_recv_empty(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
    reply: CPtr,
    destination: CPtr,
) -> Received {
    // SAFETY: the caller's contract.
    unsafe {
        nb_send_recv(
            number,
            buffer,
            capability,
            info,
            UNSPECIFIED,
            reply,
            destination,
        )
    }
}

pub(crate) unsafe fn recv(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    reply: CPtr,
) -> Received {
    let mut registers = Registers {
        number,
        capability,
        reply,
        ..Registers::default()
    };
    system_call(&mut registers, Some(buffer));
    received(registers)
}

pub(crate) unsafe fn send(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
    message: FastMessage,
) {
    let info = info.into_word();
    let mut registers = Registers {
        number,
        capability,
        info,
        message,
        ..Registers::default()
    };
    system_call(&mut registers, Some(buffer));
}

pub(crate) unsafe fn send_empty(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
) {
    let info = info.into_word();
    let mut registers = Registers {
        number,
        capability,
        info,
        ..Registers::default()
    };
    system_call(&mut registers, Some(buffer));
}

pub(crate) unsafe fn bare(number: i64, argument: Word) -> Word {
    let mut registers = Registers {
        number,
        capability: argument,
        ..Registers::default()
    };
    system_call(&mut registers, None);
    registers.capability
}

/// On a host, nanoseconds since this thread first asked.
pub(crate) fn cycle_counter() -> u64 {
    std::thread_local! {
        static START: Instant = Instant::now();
    }
    START.with(|start| start.elapsed().as_nanos() as u64)
}
