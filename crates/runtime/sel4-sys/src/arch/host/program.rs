//! Programs that stop at each system call until they are resumed. A test uses these programs to act
//! as the kernel of several programs.
//!
//! A program runs in a coroutine or in a separate thread. Coroutines are fast, and threads work
//! under Miri. A program and its resumer never run at the same time.

mod stack;
mod thread;

use core::ptr::NonNull;

use super::{HostBuffer, Registers};
use crate::IpcBuffer;

/// A program on a host that stops at each system call and at each [`point`].
///
/// Dropping a `Program` unwinds the program from its current stop. During the unwinding, the system
/// calls of the program's destructors return zeros.
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
/// A `Program` cannot move to another thread:
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
    /// A coroutine in the thread that resumes the program. The program uses that thread's
    /// thread-local variables.
    Stack,
    /// A separate thread.
    Thread,
}

/// The reason why a program has stopped.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Stop {
    /// The program makes a system call. [`Program::registers`] returns the call's registers.
    SystemCall,
    /// The program is at a [`point`].
    Point,
    /// The program has returned.
    Ended,
}

enum Carried {
    Stack(stack::OnStack),
    Thread(thread::OnThread),
}

impl Program {
    /// Creates a program. The first call of [`resume`](Self::resume) starts the program.
    pub fn new(carrier: Carrier, main: impl FnOnce() + Send + 'static) -> Self {
        let carried = match carrier {
            Carrier::Stack => Carried::Stack(stack::OnStack::new(main)),
            Carrier::Thread => Carried::Thread(thread::OnThread::new(main)),
        };
        Self { carried, at: None }
    }

    /// Runs the program until its next stop.
    ///
    /// # Panics
    ///
    /// Panics with the same payload if the program panics. Panics if the program has already ended.
    pub fn resume(&mut self) -> Stop {
        self.at = None;
        let stop = match &mut self.carried {
            Carried::Stack(program) => program.resume(),
            Carried::Thread(program) => program.resume(),
        };
        self.at = Some(stop);
        stop
    }

    /// Returns the registers of the program's system call.
    pub fn registers(&self) -> Registers {
        match &self.carried {
            Carried::Stack(program) => program.registers(),
            Carried::Thread(program) => program.registers(),
        }
    }

    /// Sets the registers with which the program's system call returns.
    pub fn answer(&mut self, registers: Registers) {
        match &mut self.carried {
            Carried::Stack(program) => program.answer(registers),
            Carried::Thread(program) => program.answer(registers),
        }
    }

    /// Returns the program's IPC buffer, if the program is at a system call that transfers a
    /// message.
    pub fn buffer(&mut self) -> Option<HostBuffer<'_>> {
        if self.at != Some(Stop::SystemCall) {
            return None;
        }
        let buffer = match &self.carried {
            Carried::Stack(program) => program.buffer(),
            Carried::Thread(program) => program.buffer(),
        };
        // The program is inside a system call and has lent its token to the call by `&mut`. The
        // result borrows `&mut self`, so the program cannot resume while the result is alive.
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

/// Returns whether a [`Program`] is unwinding. On the target, destructors would not run.
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
        // System calls of destructors return zeros. On the target, these destructors would not run.
        *registers = Registers::default();
        return true;
    }
    stack::trap(registers, buffer) || thread::trap(registers, buffer)
}
