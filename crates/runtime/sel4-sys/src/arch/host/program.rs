//! Programs that stop at each system call, and go on when they are told to: what a test that is the
//! kernel of several programs needs.
//!
//! A program runs in a coroutine, which is fast, or in a thread of its own, which Miri can follow.
//! Either way at most one of a program and whoever resumes it runs.

mod stack;
mod thread;

use core::ptr::NonNull;

use super::{HostBuffer, Registers};
use crate::IpcBuffer;

/// A program on a host, stopped at a system call, at a [`point`], or before its beginning.
///
/// Dropping it unwinds it from where it is. System calls that destructors make are then answered
/// with zeros.
///
/// It stays in the thread that has made it:
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
    /// Where it is, unless it has not begun or has ended.
    at: Option<Stop>,
}

/// What a program runs in.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// A coroutine in the thread that resumes it, with whose thread-local variables it runs.
    Stack,
    /// A thread of its own.
    Thread,
}

/// Why a program does not run.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Stop {
    /// It makes a system call: [`Program::registers`] says which.
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
    /// Makes a program, which begins when it is first resumed.
    pub fn new(carrier: Carrier, main: impl FnOnce() + Send + 'static) -> Self {
        let carried = match carrier {
            Carrier::Stack => Carried::Stack(stack::OnStack::new(main)),
            Carrier::Thread => Carried::Thread(thread::OnThread::new(main)),
        };
        Self { carried, at: None }
    }

    /// Lets it run until it stops.
    ///
    /// # Panics
    ///
    /// As the program does, and if it has ended.
    pub fn resume(&mut self) -> Stop {
        self.at = None;
        let stop = match &mut self.carried {
            Carried::Stack(program) => program.resume(),
            Carried::Thread(program) => program.resume(),
        };
        self.at = Some(stop);
        stop
    }

    /// The registers of its system call.
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

    /// Its IPC buffer, if it is stopped at a system call that has one.
    pub fn buffer(&mut self) -> Option<HostBuffer<'_>> {
        if self.at != Some(Stop::SystemCall) {
            return None;
        }
        let buffer = match &self.carried {
            Carried::Stack(program) => program.buffer(),
            Carried::Thread(program) => program.buffer(),
        };
        // It is inside a system call, to which it has lent its token by `&mut`; and `&mut self`
        // keeps it there while this is alive.
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

/// A place where others may run first: stops the [`Program`] that runs, and does nothing where none
/// does.
pub fn point() {
    if !std::thread::panicking() {
        let _ = stack::stop_at_point() || thread::stop_at_point();
    }
}

/// Whether a [`Program`] unwinds. On the target none of its destructors would run.
pub fn is_unwinding() -> bool {
    std::thread::panicking() && (stack::is_running() || thread::is_running())
}

/// The thread that resumes the program which runs in a thread of its own, if this is one.
pub(super) fn resumer() -> Option<std::thread::ThreadId> {
    thread::resumer()
}

/// Stops the program that runs at a system call. Returns whether one does.
pub(super) fn trap(registers: &mut Registers, buffer: Option<NonNull<IpcBuffer>>) -> bool {
    if !stack::is_running() && !thread::is_running() {
        return false;
    }
    if std::thread::panicking() {
        // What destructors are answered. On the target none would run.
        *registers = Registers::default();
        return true;
    }
    stack::trap(registers, buffer) || thread::trap(registers, buffer)
}
