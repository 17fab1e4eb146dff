//! Asserts that no reference to the IPC buffer is alive while the kernel writes to the buffer.
//!
//! The kernel in these tests writes through its own pointer. If a reference were alive, the tests
//! would fail under Miri, both with Stacked Borrows and with Tree Borrows.
//! [`a_view_held_across_a_call_is_caught`] is the negative control. This test holds a view across a
//! call, and Miri must reject the access.

use std::rc::Rc;

use sel4_sys::host::{self, HostBuffer, Registers};
use sel4_sys::{IpcBufferToken, MessageInfo, Received};

const WORDS: usize = 64;

/// Replies to every call with each word incremented. Words after the fourth are in the buffer.
fn add_one(registers: &mut Registers, buffer: Option<HostBuffer<'_>>) {
    let mut buffer = buffer.expect("a call has a buffer");
    for word in &mut registers.message {
        *word += 1;
    }
    for index in registers.message.len()..MessageInfo::from_word(registers.info).length() {
        let word = buffer.read(HostBuffer::MESSAGE + index);
        buffer.write(HostBuffer::MESSAGE + index, word + 1);
    }
}

fn token() -> IpcBufferToken {
    host::install(Some(Rc::new(add_one)));
    host::new_ipc_buffer()
}

fn call(token: &mut IpcBufferToken) -> Received {
    // SAFETY: the kernel is part of the test and does not break memory safety.
    unsafe { sel4_sys::call(token, 1, MessageInfo::new(0, 0, 0, WORDS), [0, 1, 2, 3]) }
}

#[test]
fn a_word_written_before_a_call_is_read_after_it_as_the_kernel_left_it() {
    let mut token = token();
    token.with_mut(|buffer| {
        for (word, value) in buffer.msg_regs_mut()[..WORDS].iter_mut().zip(0..) {
            *word = value;
        }
    });
    let reply = call(&mut token);
    assert_eq!(reply.message, [1, 2, 3, 4]);
    token.with(|buffer| {
        for (word, value) in buffer.msg_regs()[4..WORDS].iter().zip(5..) {
            assert_eq!(*word, value);
        }
    });
}

#[test]
fn views_calls_and_bytes_may_follow_each_other_in_any_order() {
    let mut token = token();
    for round in 0..3 {
        token.with_mut(|buffer| buffer.msg_bytes_mut().fill(round));
        call(&mut token);
        call(&mut token);
        let word = token.with(|buffer| buffer.msg_regs()[WORDS - 1]);
        assert_eq!(word, u64::from_le_bytes([round; 8]) + 2);
        token.with_mut(|buffer| buffer.caps_or_badges_mut()[0] = word);
        // SAFETY: the kernel is part of the test and does not break memory safety.
        unsafe { sel4_sys::signal(&mut token, 1) };
        assert_eq!(token.with(|buffer| buffer.caps_or_badges()[0]), word);
    }
}

/// Must fail under Miri. `ci/test` runs this test alone and checks the failure. Without Miri, the
/// test proves nothing.
#[test]
#[ignore = "wrong on purpose: Miri must refuse it"]
fn a_view_held_across_a_call_is_caught() {
    let mut token = token();
    let view: *mut sel4_sys::IpcBuffer = token.with_mut(|buffer| &raw mut *buffer);
    // SAFETY: none. The crate's interface prevents this unsound view.
    let view = unsafe { &mut *view };
    view.msg_regs_mut()[WORDS - 1] = 7;
    call(&mut token);
    assert_eq!(view.msg_regs()[WORDS - 1], 8);
}
