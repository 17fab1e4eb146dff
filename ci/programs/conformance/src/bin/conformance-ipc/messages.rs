//! Lengths, labels and badges of messages.

use conformance::{A, B, C, D, Puppet, Registers, Stage, info, show};
use microkit_console::println;
use sel4::MessageInfo;
use sel4::sys::invocation;

use super::{INPUT, REPLY, TO_D};

/// Words of an IPC buffer.
const BUFFER_WORDS: usize = 128;

/// The scheduling context on which `d` handles a call.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Time {
    Own,
    Callers,
}

pub(crate) fn run(stage: &mut Stage) {
    println!("== messages");
    for length in [0, 1, 2, 3, 4, 5, 16, 64, 119, 120] {
        round_trip(stage, info(0x100 + length as u64, length), Time::Own);
    }
    for length in [121, 127] {
        round_trip(stage, MessageInfo::from_word(0x200_000 | length), Time::Own);
    }
    labels(stage, Time::Own);
    for puppet in [A, B, C] {
        stage.block(D, Registers::recv(INPUT, REPLY));
        let events = stage.act(puppet, Registers::call(TO_D, info(0, 0), [0; 4]));
        show!(events, "call of {puppet}");
    }
    // seL4 has a fast path for messages in registers to a passive server. The results on this path
    // must be the same.
    println!("== messages, on the caller's time");
    for length in [0, 1, 4, 5] {
        round_trip(stage, info(0x100 + length as u64, length), Time::Callers);
    }
    labels(stage, Time::Callers);
}

fn labels(stage: &mut Stage, time: Time) {
    for word in [
        info(0, 1).into_word(),
        info((1 << 52) - 1, 1).into_word(),
        // The sender sets the field in which the kernel reports unwrapped capabilities.
        MessageInfo::new(3, 7, 0, 1).into_word(),
    ] {
        round_trip(stage, MessageInfo::from_word(word), time);
    }
}

/// Makes `a` call `d`, and `d` reply with the same number of words.
fn round_trip(stage: &mut Stage, info: MessageInfo, time: Time) {
    let length = info.length();
    let request = fill(stage, A, 0xa00);
    let before = fill(stage, D, 0xd00);
    stage.block(D, Registers::recv(INPUT, REPLY));
    if time == Time::Callers {
        let taken = D.sched_context().unbind_object(D.tcb());
        taken.expect("d has it");
    }
    let events = stage.act(A, Registers::call(TO_D, info, [0xa01, 0xa02, 0xa03, 0xa04]));
    show!(events, "call of {length} words");
    show_copied(stage, D, &before, &request);

    let answer = fill(stage, D, 0xb00);
    let words = [0xb01, 0xb02, 0xb03, 0xb04];
    let events = stage.act(D, Registers::reply_recv(INPUT, info, words, REPLY));
    show!(events, "reply of {length} words");
    show_copied(stage, A, &request, &answer);
    if time == Time::Callers {
        let given = D.sched_context().bind(D.tcb());
        given.expect("no thread has it");
    }
}

/// Gives every word of an IPC buffer a different value.
fn fill(stage: &mut Stage, puppet: Puppet, base: u64) -> [u64; BUFFER_WORDS] {
    let words = core::array::from_fn(|index| base + index as u64);
    stage.write_buffer(puppet, 0, &words);
    words
}

/// Prints the words of an IPC buffer that were copied from the sender. Word 5 is the fifth message
/// register.
fn show_copied(
    stage: &mut Stage,
    puppet: Puppet,
    before: &[u64; BUFFER_WORDS],
    sent: &[u64; BUFFER_WORDS],
) {
    let after = stage.read_buffer(puppet);
    let mut changed = (0..BUFFER_WORDS).filter(|&index| after[index] != before[index]);
    let Some(first) = changed.next() else {
        println!("    in the buffer: nothing");
        return;
    };
    let last = changed.next_back().unwrap_or(first);
    let are_sent = after[first..=last] == sent[first..=last];
    println!("    in the buffer: words {first} to {last}, as sent: {are_sent}");
}

/// `a` has no IPC buffer. This part runs last, because the buffer cannot be set again.
pub(crate) fn run_without_buffer(stage: &mut Stage) {
    println!("== without an IPC buffer");
    sel4::with_ipc_buffer_mut(|buffer| buffer.caps_or_badges_mut()[0] = 0);
    let nothing = MessageInfo::new(invocation::TCBSetIPCBuffer, 0, 1, 1);
    // SAFETY: see *Puppets* in the crate documentation.
    let reply = unsafe { A.tcb().upcast().call_with_mrs(nothing, [0]) };
    assert_eq!(reply.info.label(), 0);

    stage.block(D, Registers::recv(INPUT, REPLY));
    let six = MessageInfo::new(1, 0, 1, 6);
    let events = stage.act(A, Registers::call(TO_D, six, [1, 2, 3, 4]));
    show!(events, "call of 6 words and a capability");
    let events = stage.act(D, Registers::reply_recv(INPUT, six, [5, 6, 7, 8], REPLY));
    show!(events, "reply of 6 words and a capability");
}
