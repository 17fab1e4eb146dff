//! Runs a program in a coroutine.

use core::cell::Cell;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use std::cell::RefCell;
use std::rc::Rc;
use std::vec::Vec;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::super::Registers;
use super::Stop;
use crate::IpcBuffer;

pub(super) struct OnStack {
    /// `drop` takes the coroutine out of this field, and keeps the coroutine's stack for the next
    /// program.
    coroutine: ManuallyDrop<Coroutine<(), Stop, ()>>,
    call: Rc<Call>,
}

/// The state that the program and its resumer exchange.
struct Call {
    registers: Cell<Registers>,
    buffer: Cell<Option<NonNull<IpcBuffer>>>,
    /// Suspends the coroutine. The coroutine sets this field when it starts.
    yielder: Cell<Option<NonNull<Yielder<(), Stop>>>>,
}

std::thread_local! {
    /// The running program of this thread.
    static RUNNING: RefCell<Option<Rc<Call>>> = const { RefCell::new(None) };
    /// Stacks of ended programs, for reuse by new programs.
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

impl OnStack {
    pub(super) fn new(main: impl FnOnce() + 'static) -> Self {
        let call = Rc::new(Call {
            registers: Cell::default(),
            buffer: Cell::new(None),
            yielder: Cell::new(None),
        });
        let calls = Rc::clone(&call);
        let stack = STACKS.with_borrow_mut(Vec::pop).unwrap_or_default();
        let coroutine = Coroutine::with_stack(stack, move |yielder, ()| {
            calls.yielder.set(Some(NonNull::from(yielder)));
            main();
        });
        Self {
            coroutine: ManuallyDrop::new(coroutine),
            call,
        }
    }

    pub(super) fn resume(&mut self) -> Stop {
        let _running = Running::begin(&self.call);
        match self.coroutine.resume(()) {
            CoroutineResult::Yield(stop) => stop,
            CoroutineResult::Return(()) => Stop::Ended,
        }
    }

    pub(super) fn registers(&self) -> Registers {
        self.call.registers.get()
    }

    pub(super) fn answer(&mut self, registers: Registers) {
        self.call.registers.set(registers);
    }

    pub(super) fn buffer(&self) -> Option<NonNull<IpcBuffer>> {
        self.call.buffer.get()
    }
}

impl Drop for OnStack {
    fn drop(&mut self) {
        {
            let _running = Running::begin(&self.call);
            self.coroutine.force_unwind();
        }
        // SAFETY: `coroutine` is not used again.
        let coroutine = unsafe { ManuallyDrop::take(&mut self.coroutine) };
        let stack = coroutine.into_stack();
        // `STACKS` may already be destroyed when the thread ends.
        let _ = STACKS.try_with(|stacks| stacks.borrow_mut().push(stack));
    }
}

/// Marks a program as the running program of this thread, until this guard is dropped.
struct Running {
    before: Option<Rc<Call>>,
}

impl Running {
    fn begin(call: &Rc<Call>) -> Self {
        Self {
            before: RUNNING.replace(Some(Rc::clone(call))),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(self.before.take());
    }
}

pub(super) fn is_running() -> bool {
    RUNNING.with_borrow(Option::is_some)
}

pub(super) fn trap(registers: &mut Registers, buffer: Option<NonNull<IpcBuffer>>) -> bool {
    let Some(call) = RUNNING.with_borrow(Clone::clone) else {
        return false;
    };
    call.registers.set(*registers);
    call.buffer.set(buffer);
    suspend(&call, Stop::SystemCall);
    call.buffer.set(None);
    *registers = call.registers.get();
    true
}

pub(super) fn stop_at_point() -> bool {
    let Some(call) = RUNNING.with_borrow(Clone::clone) else {
        return false;
    };
    suspend(&call, Stop::Point);
    true
}

/// Suspends the program of `call`. This program must be the running program.
fn suspend(call: &Call, stop: Stop) {
    let yielder = call.yielder.get().expect("a program that runs has started");
    // SAFETY: 1. `yielder` belongs to the running coroutine. `RUNNING` holds a program only while
    // its coroutine is being resumed, and holds the inner program if a program resumes another
    // program. `main` is `'static`, so no other yielder could have suspended this coroutine.
    // 2. The yielder lives on the coroutine's stack until `main` returns, and `main` has not
    // returned.
    unsafe { yielder.as_ref() }.suspend(stop);
}
