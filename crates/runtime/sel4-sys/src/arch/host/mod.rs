//! System calls on a host: a test installs a kernel that answers the system calls of its thread.

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

/// A kernel on a host. The kernel answers the system calls of a thread.
///
/// Every closure with the signature of [`system_call`](Self::system_call) implements this trait.
pub trait HostKernel {
    /// Answers one system call: reads the request from `registers` and writes the result back.
    ///
    /// `buffer` is the thread's IPC buffer, or `None` for a system call that transfers no message.
    fn system_call(&self, registers: &mut Registers, buffer: Option<HostBuffer<'_>>);
}

impl<F: Fn(&mut Registers, Option<HostBuffer<'_>>)> HostKernel for F {
    fn system_call(&self, registers: &mut Registers, buffer: Option<HostBuffer<'_>>) {
        self(registers, buffer);
    }
}

/// The registers of a system call, named after their use by seL4 on AArch64.
#[derive(Debug, Copy, Clone, Default, PartialEq, Eq)]
pub struct Registers {
    /// x7: the number of the system call.
    pub number: i64,
    /// x0: the capability to send to, or to receive from. On return, the badge.
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

/// The kernel's access to a thread's IPC buffer, during one system call.
///
/// ```
/// use std::rc::Rc;
/// use sel4_sys::MessageInfo;
/// use sel4_sys::host::{self, HostBuffer, Registers};
///
/// // A kernel that replies with the fifth word, doubled.
/// let kernel = |_: &mut Registers, buffer: Option<HostBuffer<'_>>| {
///     let mut buffer = buffer.expect("a call has a buffer");
///     let fifth = buffer.read(HostBuffer::MESSAGE + 4);
///     buffer.write(HostBuffer::MESSAGE + 4, 2 * fifth);
/// };
/// host::install(Some(Rc::new(kernel)));
///
/// let mut token = host::new_ipc_buffer();
/// token.with_mut(|view| view.msg_regs_mut()[4] = 21);
/// // SAFETY: the kernel above only writes to the buffer.
/// unsafe { sel4_sys::call(&mut token, 1, MessageInfo::new(0, 0, 0, 5), [0; 4]) };
/// assert_eq!(token.with(|view| view.msg_regs()[4]), 42);
/// ```
#[derive(Debug)]
pub struct HostBuffer<'call> {
    buffer: NonNull<IpcBuffer>,
    _call: PhantomData<&'call mut IpcBuffer>,
}

impl HostBuffer<'_> {
    /// The number of words in a buffer.
    pub const WORDS: usize = size_of::<IpcBuffer>() / size_of::<Word>();

    /// The index of message register 0.
    pub const MESSAGE: usize = 1;

    /// The index of the first capability or badge.
    pub const CAPS: usize = 122;

    /// Reads a word.
    ///
    /// # Panics
    ///
    /// Panics if `index` is not below [`WORDS`](Self::WORDS).
    pub fn read(&self, index: usize) -> Word {
        // SAFETY: 1. `word` points into the buffer, and the buffer lives as long as the program.
        // 2. `'call` ends with the system call, and the calling thread has no view during the call.
        unsafe { self.word(index).read() }
    }

    /// Writes a word.
    ///
    /// # Panics
    ///
    /// Panics if `index` is not below [`WORDS`](Self::WORDS).
    pub fn write(&mut self, index: usize, value: Word) {
        // SAFETY: reasons 1 and 2 of `read`.
        unsafe { self.word(index).write(value) }
    }

    fn word(&self, index: usize) -> NonNull<Word> {
        assert!(
            index < Self::WORDS,
            "an IPC buffer has no word {index}: the last is {}",
            Self::WORDS - 1
        );
        // SAFETY: the assertion above keeps the pointer inside the buffer.
        unsafe { self.buffer.cast::<Word>().add(index) }
    }
}

std::thread_local! {
    static KERNEL: RefCell<Option<Rc<dyn HostKernel>>> = const { RefCell::new(None) };
}

/// Installs `kernel` to answer this thread's system calls, and returns the previous kernel.
///
/// ```
/// use std::rc::Rc;
/// use sel4_sys::host::{self, HostBuffer, Registers};
///
/// let kernel = |registers: &mut Registers, _: Option<HostBuffer<'_>>| registers.capability = 1;
/// assert!(host::install(Some(Rc::new(kernel))).is_none());
///
/// let mut token = host::new_ipc_buffer();
/// assert_eq!(sel4_sys::wait(&mut token, 1).badge, 1);
/// ```
pub fn install(kernel: Option<Rc<dyn HostKernel>>) -> Option<Rc<dyn HostKernel>> {
    KERNEL.replace(kernel)
}

/// Creates an IPC buffer and its token. The buffer is never freed, because on the target an IPC
/// buffer lives as long as its thread.
pub fn new_ipc_buffer() -> IpcBufferToken {
    let buffer = NonNull::from(Box::leak(Box::new(IpcBuffer::new())));
    // SAFETY: 1. The buffer is this thread's own: a call with the token gives the kernel this
    // buffer.
    // 2 and 3. The memory is new, and the only pointer to the memory goes into the token.
    unsafe { IpcBufferToken::new(buffer) }
}

/// Returns the thread that drives the current code.
///
/// In a `Program`, this function returns the thread that resumes the program, even if the program
/// runs in a separate thread. Outside a program, this function returns the current thread.
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
            "system call {} on a host without a kernel: install one with \
             `sel4_sys::host::install`",
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

/// The contents of the message registers of an empty message. On the target, these contents are
/// unspecified.
const UNSPECIFIED: FastMessage = [0xdead_beef; 4];

// The functions below are `unsafe`, like the functions of the target with the same names.

pub(crate) unsafe fn send_recv(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
    message: FastMessage,
    reply: CPtr,
) -> Received {
    // SAFETY: by the caller's contract.
    unsafe { nb_send_recv(number, buffer, capability, info, message, reply, 0) }
}

pub(crate) unsafe fn call(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
    message: FastMessage,
) -> Received {
    // SAFETY: by the caller's contract.
    unsafe { send_recv(number, buffer, capability, info, message, 0) }
}

pub(crate) unsafe fn call_empty(
    number: i64,
    buffer: NonNull<IpcBuffer>,
    capability: CPtr,
    info: MessageInfo,
) -> Received {
    // SAFETY: by the caller's contract.
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
    // SAFETY: by the caller's contract.
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

/// Returns the nanoseconds since the first call in this thread.
pub(crate) fn cycle_counter() -> u64 {
    std::thread_local! {
        static START: Instant = Instant::now();
    }
    START.with(|start| start.elapsed().as_nanos() as u64)
}
