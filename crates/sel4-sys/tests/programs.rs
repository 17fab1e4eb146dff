//! Programs that stop at their system calls, in a coroutine and in a thread.
#![cfg(feature = "programs")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sel4_sys::host::{self, Carrier, HostBuffer, Program, Stop};
use sel4_sys::{MessageInfo, syscall};

/// Coroutines are not for Miri.
fn carriers() -> Vec<Carrier> {
    match cfg!(miri) {
        true => vec![Carrier::Thread],
        false => vec![Carrier::Stack, Carrier::Thread],
    }
}

/// Counts how often it is dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        // A destructor's system call is answered with nothing.
        let mut token = host::new_ipc_buffer();
        // SAFETY: the kernel is the test's, and has nothing to break.
        let reply = unsafe { sel4_sys::call(&mut token, 7, MessageInfo::new(1, 0, 0, 0), [0; 4]) };
        assert_eq!((reply.badge, reply.message), (0, [0; 4]));
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_program_stops_at_each_call_and_takes_the_answer() {
    for carrier in carriers() {
        let mut program = Program::new(carrier, || {
            let mut token = host::new_ipc_buffer();
            token.with_mut(|buffer| buffer.msg_regs_mut()[5] = 66);
            // SAFETY: the kernel is the test's, and has nothing to break.
            let reply =
                unsafe { sel4_sys::call(&mut token, 7, MessageInfo::new(1, 0, 0, 6), [1; 4]) };
            assert_eq!(reply.message, [2; 4]);
            assert_eq!(token.with(|buffer| buffer.msg_regs()[5]), 67);
            host::point();
            sel4_sys::yield_();
        });
        assert!(program.buffer().is_none());
        assert_eq!(program.resume(), Stop::SystemCall);
        let mut registers = program.registers();
        assert_eq!((registers.number, registers.capability), (syscall::Call, 7));
        registers.message = registers.message.map(|word| word + 1);
        program.answer(registers);
        let mut buffer = program.buffer().expect("the call has one");
        let word = buffer.read(HostBuffer::MESSAGE + 5);
        buffer.write(HostBuffer::MESSAGE + 5, word + 1);
        assert_eq!(program.resume(), Stop::Point);
        assert!(program.buffer().is_none());
        assert_eq!(program.resume(), Stop::SystemCall);
        assert_eq!(program.registers().number, syscall::Yield);
        assert!(program.buffer().is_none());
        assert_eq!(program.resume(), Stop::Ended);
    }
}

#[test]
fn programs_run_by_turns_and_inside_one_another() {
    for carrier in carriers() {
        let yields = || (0..2).for_each(|_| sel4_sys::yield_());
        let mut outer = Program::new(carrier, move || {
            let mut inner = Program::new(carrier, yields);
            assert_eq!(inner.resume(), Stop::SystemCall);
            sel4_sys::yield_();
            assert_eq!(inner.resume(), Stop::SystemCall);
            assert_eq!(inner.resume(), Stop::Ended);
        });
        let mut other = Program::new(carrier, yields);
        assert_eq!(other.resume(), Stop::SystemCall);
        assert_eq!(outer.resume(), Stop::SystemCall);
        assert_eq!(other.resume(), Stop::SystemCall);
        assert_eq!(outer.resume(), Stop::Ended);
        assert_eq!(other.resume(), Stop::Ended);
    }
}

#[test]
fn a_program_that_is_dropped_is_unwound_from_where_it_is() {
    for carrier in carriers() {
        let count = Arc::new(AtomicUsize::new(0));
        let main = || {
            let dropped = Dropped(Arc::clone(&count));
            move || {
                let dropped = dropped;
                sel4_sys::yield_();
                drop(dropped);
            }
        };
        drop(Program::new(carrier, {
            let count = Arc::clone(&count);
            move || {
                count.fetch_add(100, Ordering::Relaxed);
            }
        }));
        assert_eq!(count.load(Ordering::Relaxed), 0, "it has never begun");
        let mut program = Program::new(carrier, main());
        assert_eq!(program.resume(), Stop::SystemCall);
        drop(program);
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn a_panic_of_a_program_is_that_of_who_resumes_it() {
    for carrier in carriers() {
        let mut program = Program::new(carrier, || {
            sel4_sys::yield_();
            std::panic::resume_unwind(Box::new(7_u32));
        });
        assert_eq!(program.resume(), Stop::SystemCall);
        let panic = catch_unwind(AssertUnwindSafe(|| program.resume())).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&7_u32));
        host::point(); // Nothing runs any more.
    }
}
