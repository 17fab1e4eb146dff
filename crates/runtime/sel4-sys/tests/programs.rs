//! Tests of programs that stop at their system calls, in a coroutine and in a thread.
#![cfg(feature = "programs")]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sel4_sys::host::{self, Carrier, HostBuffer, Program, Registers, Stop};
use sel4_sys::{MessageInfo, syscall};

/// Returns both carriers, the coroutine and the thread. Under Miri, returns only the thread,
/// because Miri does not support coroutines.
fn carriers() -> Vec<Carrier> {
    match cfg!(miri) {
        true => vec![Carrier::Thread],
        false => vec![Carrier::Stack, Carrier::Thread],
    }
}

/// Increments the counter when dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        // During unwinding, a system call in a destructor returns zeros.
        let mut token = host::new_ipc_buffer();
        // SAFETY: the kernel is part of the test and does not break memory safety.
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
            // SAFETY: the kernel is part of the test and does not break memory safety.
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
fn programs_take_turns_and_can_be_nested() {
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
        assert_eq!(count.load(Ordering::Relaxed), 0, "it was never resumed");
        let mut program = Program::new(carrier, main());
        assert_eq!(program.resume(), Stop::SystemCall);
        drop(program);
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn a_panic_of_a_program_continues_in_its_resumer() {
    for carrier in carriers() {
        let mut program = Program::new(carrier, || {
            sel4_sys::yield_();
            std::panic::resume_unwind(Box::new(7_u32));
        });
        assert_eq!(program.resume(), Stop::SystemCall);
        let panic = catch_unwind(AssertUnwindSafe(|| program.resume())).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&7_u32));
        host::point(); // No program runs, so this call does nothing.
    }
}

/// Asserts that `thread_id` returns the resumer's thread for both carriers.
#[test]
fn a_program_reports_the_thread_of_its_resumer() {
    let here = std::thread::current().id();
    for carrier in carriers() {
        let mut outer = Program::new(carrier, move || {
            assert_eq!(host::thread_id(), here);
            let mut inner = Program::new(carrier, move || assert_eq!(host::thread_id(), here));
            assert_eq!(inner.resume(), Stop::Ended);
            let other = std::thread::spawn(host::thread_id).join().unwrap();
            assert_ne!(other, here);
        });
        assert_eq!(outer.resume(), Stop::Ended);
    }
}

/// Asserts that `is_unwinding` returns true only while a program unwinds.
#[test]
fn a_program_unwinds_while_its_destructors_run() {
    struct Witness(Arc<AtomicUsize>);

    impl Drop for Witness {
        fn drop(&mut self) {
            if host::is_unwinding() {
                host::point(); // Does not stop the program.
            }
            self.0
                .store(1 + usize::from(host::is_unwinding()), Ordering::Relaxed);
        }
    }

    for carrier in carriers() {
        for (ends, expect) in [(true, 1), (false, 2)] {
            let seen = Arc::new(AtomicUsize::new(0));
            let witness = Witness(Arc::clone(&seen));
            let mut program = Program::new(carrier, move || {
                let _witness = witness;
                host::point();
                assert!(!host::is_unwinding());
            });
            assert_eq!(program.resume(), Stop::Point);
            if ends {
                assert_eq!(program.resume(), Stop::Ended);
            }
            assert_eq!(format!("{program:?}").contains("Ended"), ends);
            drop(program);
            assert_eq!(seen.load(Ordering::Relaxed), expect);
        }
    }
    assert!(!host::is_unwinding());
}

/// Asserts that the kernel answers system calls of destructors if a test panics outside a program.
#[test]
fn a_kernel_answers_destructors_outside_of_a_program() {
    struct Asks(Arc<AtomicUsize>);

    impl Drop for Asks {
        fn drop(&mut self) {
            assert!(!host::is_unwinding());
            host::point(); // Outside a program, this call stops nothing.
            sel4_sys::yield_();
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    let calls = Rc::new(Cell::new(0));
    let count = Rc::clone(&calls);
    host::install(Some(Rc::new(
        move |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
            assert_eq!(registers.number, syscall::Yield);
            count.set(count.get() + 1);
        },
    )));
    let dropped = Arc::new(AtomicUsize::new(0));
    let asks = Asks(Arc::clone(&dropped));
    let run = move || {
        let _asks = asks;
        std::panic::resume_unwind(Box::new(7_u32));
    };
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    host::install(None);
    assert_eq!((calls.get(), dropped.load(Ordering::Relaxed)), (1, 1));
}

/// Asserts that a program that catches its unwinding is unwound again at the next stop.
#[test]
fn a_program_that_catches_its_unwinding_still_ends() {
    for carrier in carriers() {
        let mut program = Program::new(carrier, || {
            assert!(catch_unwind(host::point).is_err());
            // The program no longer unwinds. The next stop unwinds the program again.
            host::point();
            unreachable!("it was dropped");
        });
        assert_eq!(program.resume(), Stop::Point);
        drop(program);
    }
}

#[test]
fn resuming_an_ended_program_panics() {
    for carrier in carriers() {
        let mut program = Program::new(carrier, || ());
        assert_eq!(program.resume(), Stop::Ended);
        assert!(catch_unwind(AssertUnwindSafe(|| program.resume())).is_err());
        assert!(program.buffer().is_none());
    }
}

#[test]
fn only_a_system_call_with_a_message_lends_the_buffer() {
    for carrier in carriers() {
        let mut program = Program::new(carrier, || {
            let mut token = host::new_ipc_buffer();
            sel4_sys::wait(&mut token, 1);
            sel4_sys::yield_();
            host::point();
            sel4_sys::wait(&mut token, 1);
            std::panic::resume_unwind(Box::new(1_u8));
        });
        let mut seen = Vec::new();
        for _ in 0..4 {
            program.resume();
            seen.push(program.buffer().is_some());
        }
        assert_eq!(seen, [true, false, false, true]);
        assert!(catch_unwind(AssertUnwindSafe(|| program.resume())).is_err());
        assert!(program.buffer().is_none());
    }
}
