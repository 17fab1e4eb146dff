//! Programs that stop at each system call until they are resumed. A test that plays the kernel of
//! several programs is built on them.
//!
//! A program runs in a coroutine, which is fast, or in a thread of its own, which Miri supports. In
//! both cases the program and its resumer never run at the same time.

mod stack;
mod thread;

use core::ptr::NonNull;

use super::{HostBuffer, Registers};
use crate::IpcBuffer;

/// A program on a host that stops at each system call and at each [`point`].
///
/// Dropping the program unwinds it from where it is. System calls that its destructors make are
/// answered with zeros.
///
/// ```
/// use sel4_sys::host::{Carrier, Program, Stop, new_ipc_buffer};
///
/// let mut program = Program::new(Carrier::Stack, || {
///     let badge = sel4_sys::wait(&mut new_ipc_buffer(), 1).badge;
///     assert_eq!(badge, 8);
/// });
///
/// assert_eq!(program.resume(), Stop::SystemCall);
/// let mut registers = program.registers();
/// assert_eq!(registers.number, sel4_sys::syscall::Wait);
/// registers.capability = 8; // The badge.
/// program.answer(registers);
/// assert_eq!(program.resume(), Stop::Ended);
/// ```
///
/// It stays in the thread that created it:
///
/// ```compile_fail,E0277
/// fn sent<T: Send>() {}
/// sent::<sel4_sys::host::Program>();
/// ```
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<sel4_sys::host::Program>();
/// ```
pub struct Program {
    carried: Carried,
    /// The last stop, or `None` before the program is first resumed.
    at: Option<Stop>,
}

/// The mechanism that runs a program.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// A coroutine in the thread that resumes it. It uses the thread-local variables of that
    /// thread.
    Stack,
    /// A thread of its own.
    Thread,
}

/// The reason why a program has stopped.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Stop {
    /// It makes a system call, which [`Program::registers`] describes.
    SystemCall,
    /// It is at a [`point`].
    Point,
    /// It has returned.
    Ended,
}

enum Carried {
    Stack(stack::OnStack),
    Thread(thread::OnThread),
}

impl Program {
    /// Creates a program. It starts when it is first resumed.
    pub fn new(carrier: Carrier, main: impl FnOnce() + Send + 'static) -> Self {
        let carried = match carrier {
            Carrier::Stack => Carried::Stack(stack::OnStack::new(main)),
            Carrier::Thread => Carried::Thread(thread::OnThread::new(main)),
        };
        Self { carried, at: None }
    }

    /// Runs the program until it stops.
    ///
    /// # Panics
    ///
    /// Panics if the program panics, with the same payload, and if the program has already ended.
    pub fn resume(&mut self) -> Stop {
        self.at = None;
        let stop = match &mut self.carried {
            Carried::Stack(program) => program.resume(),
            Carried::Thread(program) => program.resume(),
        };
        self.at = Some(stop);
        stop
    }

    /// Returns the registers of its system call.
    pub fn registers(&self) -> Registers {
        match &self.carried {
            Carried::Stack(program) => program.registers(),
            Carried::Thread(program) => program.registers(),
        }
    }

    /// Sets the registers with which its system call returns.
    pub fn answer(&mut self, registers: Registers) {
        match &mut self.carried {
            Carried::Stack(program) => program.answer(registers),
            Carried::Thread(program) => program.answer(registers),
        }
    }

    /// Returns its IPC buffer, if it is stopped at a system call that transfers a message.
    pub fn buffer(&mut self) -> Option<HostBuffer<'_>> {
        if self.at != Some(Stop::SystemCall) {
            return None;
        }
        let buffer = match &self.carried {
            Carried::Stack(program) => program.buffer(),
            Carried::Thread(program) => program.buffer(),
        };
        // The program is inside a system call, to which it has lent its token by `&mut`. `&mut
        // self` keeps it there while the result is alive.
        buffer.map(|buffer| HostBuffer {
            buffer,
            _call: core::marker::PhantomData,
        })
    }
}

impl core::fmt::Debug for Program {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Program")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// Stops the current [`Program`], so that other programs may run first. Does nothing outside a
/// program.
///
/// ```
/// use sel4_sys::host::{Carrier, Program, Stop, point};
///
/// let mut program = Program::new(Carrier::Stack, point);
/// assert_eq!(program.resume(), Stop::Point);
/// assert_eq!(program.resume(), Stop::Ended);
/// ```
pub fn point() {
    if !std::thread::panicking() {
        let _ = stack::stop_at_point() || thread::stop_at_point();
    }
}

/// Returns whether a [`Program`] is being unwound. On the target, its destructors would not run.
pub fn is_unwinding() -> bool {
    std::thread::panicking() && (stack::is_running() || thread::is_running())
}

/// Returns the thread that resumes the current program, if that program has a thread of its own.
pub(super) fn resumer() -> Option<std::thread::ThreadId> {
    thread::resumer()
}

/// Stops the current program at a system call. Returns whether there is a current program.
pub(super) fn trap(registers: &mut Registers, buffer: Option<NonNull<IpcBuffer>>) -> bool {
    if !stack::is_running() && !thread::is_running() {
        return false;
    }
    if std::thread::panicking() {
        // The answer to system calls of destructors. On the target, they would not run.
        *registers = Registers::default();
        return true;
    }
    stack::trap(registers, buffer) || thread::trap(registers, buffer)
}
