//! Makes every IPC system call, with random capabilities and messages.

use sel4::{MessageInfo, cap, with_ipc_buffer_mut};

use super::random::Random;

pub(crate) fn run() {
    let mut random = Random::new();
    loop {
        scribble(&mut random);
        call(&mut random);
    }
}

/// Fills the whole IPC buffer with random words.
fn scribble(random: &mut Random) {
    with_ipc_buffer_mut(|buffer| {
        buffer.msg_regs_mut().fill_with(|| small_or_any(random));
        buffer.caps_or_badges_mut().fill_with(|| cptr(random));
        // SAFETY: the same reasons as for the calls below.
        unsafe { buffer.set_receive_path(cptr(random), cptr(random), random.below(70)) };
    });
}

/// Makes a random system call. Most random calls return at once, so an incarnation makes more than
/// one call.
fn call(random: &mut Random) {
    let [to, from, reply] = core::array::from_fn(|_| cptr(random));
    let info = MessageInfo::from_word(info(random));
    // SAFETY: unsound on purpose. This program may corrupt its own memory. The peers and the kernel
    // must withstand it, and its parent restarts it.
    unsafe {
        let to = cap::Unspecified::from_bits(to);
        let from = cap::Notification::from_bits(from);
        let reply = cap::Reply::from_bits(reply);
        match random.below(64) {
            0 => drop(to.recv(reply)),
            1 => drop(from.wait()),
            2 => drop(to.reply_recv(info, reply)),
            3 => drop(to.nb_send_recv(info, from, reply)),
            4 => drop(to.nb_send_wait(info, from)),
            5 => drop(from.poll()),
            6 => drop(to.nb_recv(reply)),
            7 => sel4::r#yield(),
            8..16 => from.signal(),
            16..32 => to.send(info),
            32..48 => to.nb_send(info),
            _ => drop(to.call(info)),
        }
    }
}

/// Returns a slot of the CNode that Microkit fills, a slot of the root CNode, or any number.
fn cptr(random: &mut Random) -> u64 {
    match random.below(64) {
        0..40 => random.below(12),
        40..52 => random.below(512),
        52..63 => random.below(64) << 58,
        _ => random.word(),
    }
}

/// Returns a message info with the label of an invocation, or any word.
fn info(random: &mut Random) -> u64 {
    match random.below(2) {
        0 => random.below(70) << 12 | random.below(1 << 12),
        _ => random.word(),
    }
}

fn small_or_any(random: &mut Random) -> u64 {
    match random.below(2) {
        0 => random.below(256),
        _ => random.word(),
    }
}
