//! Runs a program in a separate thread.

use core::any::Any;
use core::ptr::NonNull;
use std::boxed::Box;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, ThreadId};

use super::super::Registers;
use super::Stop;
use crate::IpcBuffer;

pub(super) struct OnThread {
    exchange: Arc<Exchange>,
    thread: Option<JoinHandle<()>>,
}

/// The state that the program and its resumer exchange.
struct Exchange {
    /// The thread that resumes the program. A [`Program`](super::Program) stays in the thread that
    /// created it.
    resumer: ThreadId,
    state: Mutex<State>,
    /// Signalled when the turn changes.
    changed: Condvar,
}

struct State {
    turn: Turn,
    registers: Registers,
    buffer: Option<Buffer>,
    panic: Option<Box<dyn Any + Send>>,
}

enum Turn {
    Program,
    Resumer(Stop),
    /// The program must unwind.
    Cancelled,
}

struct Buffer(NonNull<IpcBuffer>);

// SAFETY: the pointer is used only while the thread that owns the buffer waits.
unsafe impl Send for Buffer {}

/// The panic payload that unwinds a cancelled program.
struct Cancelled;

std::thread_local! {
    /// The program of this thread.
    static PROGRAM: RefCell<Option<Arc<Exchange>>> = const { RefCell::new(None) };
}

impl Exchange {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_turn(&self, state: &mut State, turn: Turn) {
        state.turn = turn;
        self.changed.notify_all();
    }

    fn wait_while(&self, wait: impl Fn(&Turn) -> bool) -> MutexGuard<'_, State> {
        self.changed
            .wait_while(self.state(), |state| wait(&state.turn))
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the turn to the resumer and waits for the next resume, in the program's thread.
    fn stop(&self, stop: Stop) -> MutexGuard<'_, State> {
        let mut state = self.state();
        if !matches!(state.turn, Turn::Cancelled) {
            self.set_turn(&mut state, Turn::Resumer(stop));
        }
        drop(state);
        self.wait_turn()
    }

    fn wait_turn(&self) -> MutexGuard<'_, State> {
        let state = self.wait_while(|turn| matches!(turn, Turn::Resumer(_)));
        if let Turn::Cancelled = state.turn {
            drop(state);
            resume_unwind(Box::new(Cancelled));
        }
        state
    }
}

impl OnThread {
    pub(super) fn new(main: impl FnOnce() + Send + 'static) -> Self {
        let exchange = Arc::new(Exchange {
            resumer: super::super::thread_id(),
            state: Mutex::new(State {
                turn: Turn::Resumer(Stop::Point),
                registers: Registers::default(),
                buffer: None,
                panic: None,
            }),
            changed: Condvar::new(),
        });
        let program = Arc::clone(&exchange);
        let thread = std::thread::spawn(move || {
            PROGRAM.set(Some(Arc::clone(&program)));
            let run = || {
                drop(program.wait_turn());
                main();
            };
            let panic = catch_unwind(AssertUnwindSafe(run)).err();
            let mut state = program.state();
            state.panic = panic.filter(|panic| !panic.is::<Cancelled>());
            program.set_turn(&mut state, Turn::Resumer(Stop::Ended));
        });
        Self {
            exchange,
            thread: Some(thread),
        }
    }

    pub(super) fn resume(&mut self) -> Stop {
        assert!(self.thread.is_some(), "the program has ended");
        self.exchange
            .set_turn(&mut self.exchange.state(), Turn::Program);
        let mut state = self
            .exchange
            .wait_while(|turn| !matches!(turn, Turn::Resumer(_)));
        let Turn::Resumer(stop) = state.turn else {
            unreachable!("the wait ends only when the resumer has the turn")
        };
        let panic = state.panic.take();
        drop(state);
        if stop == Stop::Ended {
            self.join();
        }
        match panic {
            Some(panic) => resume_unwind(panic),
            None => stop,
        }
    }

    pub(super) fn registers(&self) -> Registers {
        self.exchange.state().registers
    }

    pub(super) fn answer(&mut self, registers: Registers) {
        self.exchange.state().registers = registers;
    }

    pub(super) fn buffer(&self) -> Option<NonNull<IpcBuffer>> {
        let state = self.exchange.state();
        state.buffer.as_ref().map(|buffer| buffer.0)
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // The thread catches its panic, so `join` never returns an error.
            let _ = thread.join();
        }
    }
}

impl Drop for OnThread {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.exchange
                .set_turn(&mut self.exchange.state(), Turn::Cancelled);
            self.join();
        }
    }
}

pub(super) fn is_running() -> bool {
    PROGRAM.with_borrow(Option::is_some)
}

pub(super) fn resumer() -> Option<ThreadId> {
    PROGRAM.with_borrow(|program| program.as_ref().map(|program| program.resumer))
}

pub(super) fn trap(registers: &mut Registers, buffer: Option<NonNull<IpcBuffer>>) -> bool {
    let Some(program) = PROGRAM.with_borrow(Clone::clone) else {
        return false;
    };
    {
        let mut state = program.state();
        state.registers = *registers;
        state.buffer = buffer.map(Buffer);
    }
    let mut state = program.stop(Stop::SystemCall);
    state.buffer = None;
    *registers = state.registers;
    true
}

pub(super) fn stop_at_point() -> bool {
    let Some(program) = PROGRAM.with_borrow(Clone::clone) else {
        return false;
    };
    drop(program.stop(Stop::Point));
    true
}
