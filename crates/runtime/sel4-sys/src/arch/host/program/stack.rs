//! A program in a coroutine.

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
    /// Dropped by `drop`, which keeps its stack.
    coroutine: ManuallyDrop<Coroutine<(), Stop, ()>>,
    call: Rc<Call>,
}

/// What program and resumer tell each other.
struct Call {
    registers: Cell<Registers>,
    buffer: Cell<Option<NonNull<IpcBuffer>>>,
    /// What suspends the coroutine, once it has begun.
    yielder: Cell<Option<NonNull<Yielder<(), Stop>>>>,
}

std::thread_local! {
    /// The program that runs in this thread.
    static RUNNING: RefCell<Option<Rc<Call>>> = const { RefCell::new(None) };
    /// Stacks for the next programs.
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
        // SAFETY: it is never used again.
        let coroutine = unsafe { ManuallyDrop::take(&mut self.coroutine) };
        let stack = coroutine.into_stack();
        // At the end of the thread there is no store of stacks any more.
        let _ = STACKS.try_with(|stacks| stacks.borrow_mut().push(stack));
    }
}

/// A program runs in this thread until this is dropped.
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

/// Suspends the program of `call`, which is the one that runs.
fn suspend(call: &Call, stop: Stop) {
    let yielder = call.yielder.get().expect("it has begun, for it runs");
    // SAFETY: 1. `yielder` is that of the coroutine which runs now: `RUNNING` names a program
    //    exactly while its coroutine is being resumed, and names the innermost if one resumes
    //    another. `main` is `'static`, so no other yielder could have suspended it meanwhile.
    // 2. It lives on that coroutine's stack until `main` returns, and `main` has not.
    unsafe { yielder.as_ref() }.suspend(stop);
}
