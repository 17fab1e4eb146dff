//! Tests that a call through the implicit IPC buffer panics while the buffer is borrowed. The
//! message gives the locations of the call and of the borrow.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use sel4::sys::host::{self, HostBuffer, Registers};
use sel4::{
    Cap, MessageInfo, cap, msg_reg, set_msg_reg, with_ipc_buffer, with_ipc_buffer_mut,
    with_ipc_buffer_token,
};

const ENDPOINT: cap::Endpoint = pointer(1);
const NOTIFICATION: cap::Notification = pointer(2);
const REPLY: cap::Reply = pointer(4);
const IRQ: cap::IrqHandler = pointer(138);

/// Returns a capability pointer. The kernel of these tests has no objects.
const fn pointer<T: sel4::CapType>(bits: u64) -> Cap<T> {
    // SAFETY: all slots are empty.
    unsafe { Cap::from_bits(bits) }
}

/// Sets this thread's buffer, and installs a kernel that returns the message of each call
/// unchanged.
fn start() {
    host::install(Some(Rc::new(
        |_: &mut Registers, _: Option<HostBuffer<'_>>| (),
    )));
    sel4::set_ipc_buffer(host::new_ipc_buffer());
}

/// Asserts that `wrong` panics, with a message that gives the line of the earlier borrow and the
/// line of the refused use.
#[track_caller]
fn check(held_line: u32, wanted_line: u32, wrong: impl FnOnce()) {
    start();
    let panic = catch_unwind(AssertUnwindSafe(wrong)).expect_err("this must panic");
    let message = panic.downcast_ref::<String>().expect("a message");
    let file = file!();
    let wanted = format!("is wanted at {file}:{wanted_line}:");
    let held = format!("still borrowed at {file}:{held_line}:");
    assert!(message.contains(&wanted), "no {wanted:?} in: {message}");
    assert!(message.contains(&held), "no {held:?} in: {message}");
    // The panic has ended the borrow, so the buffer is usable again.
    set_msg_reg(0, 1);
    NOTIFICATION.signal();
}

#[test]
fn a_call_inside_a_mutable_borrow_panics_and_names_both_places() {
    let line = line!();
    check(line + 2, line + 4, || {
        with_ipc_buffer_mut(|buffer| {
            buffer.msg_regs_mut()[0] = 1;
            ENDPOINT.call(MessageInfo::new(0, 0, 0, 1));
        })
    });
}

#[test]
fn a_call_three_functions_deep_panics_and_names_both_places() {
    fn outer() {
        middle();
    }
    fn middle() {
        NOTIFICATION.signal();
    }
    let line = line!();
    check(line + 2, line - 2, || {
        with_ipc_buffer(|_| outer());
    });
}

#[test]
fn every_kind_of_call_panics_inside_a_borrow() {
    let info = MessageInfo::new(0, 0, 0, 0);
    let calls: [(&str, &dyn Fn()); 13] = [
        ("call", &|| {
            ENDPOINT.call(info);
        }),
        ("call_with_mrs", &|| {
            ENDPOINT.call_with_mrs(info, [1]);
        }),
        ("send", &|| ENDPOINT.send(info)),
        ("send_with_mrs", &|| ENDPOINT.send_with_mrs(info, [1])),
        ("nb_send", &|| ENDPOINT.nb_send(info)),
        ("recv", &|| {
            ENDPOINT.recv(REPLY);
        }),
        ("nb_recv", &|| {
            ENDPOINT.nb_recv(REPLY);
        }),
        ("reply_recv", &|| {
            ENDPOINT.reply_recv(info, REPLY);
        }),
        ("nb_send_recv", &|| {
            ENDPOINT.nb_send_recv(info, NOTIFICATION, REPLY);
        }),
        ("nb_send_wait", &|| {
            ENDPOINT.nb_send_wait(info, NOTIFICATION);
        }),
        ("wait", &|| {
            NOTIFICATION.wait();
        }),
        ("signal", &|| NOTIFICATION.signal()),
        ("irq_handler_ack", &|| {
            IRQ.irq_handler_ack().ok();
        }),
    ];
    start();
    for (name, call) in calls {
        call();
        let borrowed = || with_ipc_buffer(|_| call());
        assert!(
            catch_unwind(AssertUnwindSafe(borrowed)).is_err(),
            "{name} in a shared borrow"
        );
        let borrowed = || with_ipc_buffer_mut(|_| call());
        assert!(
            catch_unwind(AssertUnwindSafe(borrowed)).is_err(),
            "{name} in a mutable borrow"
        );
        let borrowed = || with_ipc_buffer_token(|_| call());
        assert!(
            catch_unwind(AssertUnwindSafe(borrowed)).is_err(),
            "{name} beside the token"
        );
    }
}

#[test]
fn a_second_mutable_borrow_panics_and_names_both_places() {
    let line = line!();
    check(line + 2, line + 3, || {
        with_ipc_buffer_mut(|_| {
            with_ipc_buffer_mut(|_| ());
        });
    });
}

#[test]
fn reading_inside_a_mutable_borrow_panics_and_names_both_places() {
    let line = line!();
    check(line + 2, line + 3, || {
        with_ipc_buffer_mut(|_| {
            msg_reg(0);
        });
    });
}

#[test]
fn writing_inside_a_shared_borrow_panics_and_names_both_places() {
    let line = line!();
    check(line + 2, line + 3, || {
        with_ipc_buffer(|_| {
            set_msg_reg(0, 1);
        });
    });
}

#[test]
fn after_an_inner_shared_borrow_the_outer_one_is_named() {
    let line = line!();
    check(line + 2, line + 4, || {
        with_ipc_buffer(|_| {
            with_ipc_buffer(|_| ());
            NOTIFICATION.signal();
        });
    });
}

#[test]
fn shared_borrows_may_be_nested() {
    start();
    set_msg_reg(3, 7);
    let word = with_ipc_buffer(|outer| {
        let inner = with_ipc_buffer(|inner| inner.msg_regs()[3]);
        assert_eq!(msg_reg(3), inner);
        outer.msg_regs()[3]
    });
    assert_eq!(word, 7);
}

#[test]
fn a_borrow_that_panics_has_ended() {
    start();
    let panics = || with_ipc_buffer_mut(|_| panic!("inside"));
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    set_msg_reg(0, 3);
    assert_eq!(msg_reg(0), 3);
}

#[test]
fn a_borrow_without_a_buffer_panics() {
    let wrong = || set_msg_reg(0, 1);
    let panic = catch_unwind(wrong).expect_err("this must panic");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("this thread has none yet"), "{message}");
    assert!(message.contains(file!()), "{message}");
}

#[test]
fn an_index_out_of_range_panics_with_its_number() {
    start();
    let read = || {
        msg_reg(120);
    };
    let write = || set_msg_reg(120, 1);
    for wrong in [read as fn(), write] {
        let panic = catch_unwind(wrong).expect_err("this must panic");
        let message = panic.downcast_ref::<String>().expect("a message");
        assert_eq!(message, "there is no message register 120: the last is 119");
    }
}

/// Asserts that the host kernel panics if it borrows the caller's buffer. The host kernel is
/// ordinary code.
#[test]
fn a_kernel_that_borrows_the_callers_buffer_panics() {
    start();
    host::install(Some(Rc::new(
        |_: &mut Registers, _: Option<HostBuffer<'_>>| {
            with_ipc_buffer_mut(|buffer| buffer.msg_regs_mut()[0] = 1);
        },
    )));
    let call = || NOTIFICATION.signal();
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
}

#[test]
fn an_abandoned_borrow_allows_only_calls_in_registers() {
    start();
    let calls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&calls);
    host::install(Some(Rc::new(
        move |_: &mut Registers, _: Option<HostBuffer<'_>>| {
            counted.set(counted.get() + 1);
        },
    )));
    with_ipc_buffer_mut(|_| {
        // SAFETY: 1. The view is not used again. 2. The kernel here does not touch the buffer.
        unsafe { sel4::abandon_borrows() };
        NOTIFICATION.signal();
        ENDPOINT.call_with_mrs(MessageInfo::new(0, 0, 0, 1), [1]);
        let memory = || set_msg_reg(0, 1);
        assert!(catch_unwind(AssertUnwindSafe(memory)).is_err());
        let call = || ENDPOINT.send(MessageInfo::new(0, 0, 0, 1));
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    });
    assert_eq!(calls.get(), 2);
    set_msg_reg(0, 1);
}

#[test]
fn a_borrower_that_keeps_the_token_leaves_the_buffer_borrowed() {
    start();
    let mut kept = None;
    with_ipc_buffer_token(|token| {
        kept = Some(std::mem::replace(token, host::new_ipc_buffer()));
    });
    let again = || set_msg_reg(0, 1);
    assert!(catch_unwind(again).is_err());
    kept.expect("a token")
        .with_mut(|view| view.msg_regs_mut()[0] = 1);
}

#[test]
fn a_restarted_thread_has_no_borrows() {
    start();
    let mut kept = None;
    with_ipc_buffer_token(|token| {
        kept = Some(std::mem::replace(token, host::new_ipc_buffer()));
    });
    // SAFETY: the code inside the earlier borrow has ended, and the buffer is new.
    unsafe { sel4::start_with_ipc_buffer(host::new_ipc_buffer()) };
    set_msg_reg(0, 1);
}

/// Asserts that a buffer keeps its borrows while another program runs in the same thread.
#[test]
fn a_buffer_that_is_set_aside_keeps_its_borrows() {
    sel4::set_ipc_buffer(host::new_ipc_buffer());
    sel4::set_msg_reg(0, 1);
    let mut other = sel4::SetAside::new();
    other.exchange();
    assert!(
        panics(|| sel4::msg_reg(0)),
        "the other program has no buffer yet"
    );
    sel4::set_ipc_buffer(host::new_ipc_buffer());
    sel4::with_ipc_buffer_mut(|buffer| {
        buffer.msg_regs_mut()[0] = 2;
        other.exchange();
        // The buffer of the first program is not borrowed.
        assert_eq!(sel4::msg_reg(0), 1);
        sel4::set_msg_reg(0, 3);
        other.exchange();
        assert!(
            panics(|| sel4::msg_reg(0)),
            "the second one is still borrowed"
        );
        assert_eq!(buffer.msg_regs()[0], 2);
    });
    assert_eq!(sel4::msg_reg(0), 2);
    other.exchange();
    assert_eq!(sel4::msg_reg(0), 3);
    let token = other.into_token().expect("its borrow has ended");
    assert_eq!(token.with(|buffer| buffer.msg_regs()[0]), 2);
}

#[test]
fn a_borrowed_buffer_gives_no_token_back() {
    sel4::set_ipc_buffer(host::new_ipc_buffer());
    let mut aside = Some(sel4::SetAside::new());
    sel4::with_ipc_buffer(|_| {
        let mut aside = aside.take().expect("it is set");
        aside.exchange();
        assert!(aside.into_token().is_none());
    });
    assert!(sel4::SetAside::new().into_token().is_none());
}

fn panics<R>(run: impl FnOnce() -> R) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err()
}

/// Coroutines in one thread may end their borrows in any order. The buffer is free after the last
/// borrow has ended.
#[cfg(all(feature = "programs", not(miri)))] // Miri does not support coroutines.
#[test]
fn a_borrow_that_outlives_an_enclosing_one_stays_a_borrow() {
    use sel4::sys::host::{Carrier, Program, Stop, point};

    sel4::set_ipc_buffer(host::new_ipc_buffer());
    let mut program = Program::new(Carrier::Stack, || {
        with_ipc_buffer(|buffer| {
            let before = buffer.msg_regs()[0];
            point();
            assert_eq!(buffer.msg_regs()[0], before);
        });
    });
    with_ipc_buffer(|_| assert_eq!(program.resume(), Stop::Point));
    assert!(panics(|| set_msg_reg(0, 1)), "the program still borrows it");
    assert!(!panics(|| msg_reg(0)), "reading is allowed");
    assert_eq!(program.resume(), Stop::Ended);
    set_msg_reg(0, 1);
    assert_eq!(msg_reg(0), 1);
}

#[test]
fn is_ipc_buffer_borrowed_follows_the_borrows() {
    start();
    assert!(!sel4::is_ipc_buffer_borrowed());
    with_ipc_buffer(|_| assert!(sel4::is_ipc_buffer_borrowed()));
    with_ipc_buffer_mut(|_| assert!(sel4::is_ipc_buffer_borrowed()));
    with_ipc_buffer_token(|_| assert!(sel4::is_ipc_buffer_borrowed()));
    assert!(!sel4::is_ipc_buffer_borrowed());
    let mut aside = sel4::SetAside::new();
    aside.exchange();
    assert!(!sel4::is_ipc_buffer_borrowed(), "there is no buffer");
    let shown = format!("{:?} {:?}", aside, sel4::SetAside::default());
    assert!(shown.contains("SetAside("), "{shown}");
}
