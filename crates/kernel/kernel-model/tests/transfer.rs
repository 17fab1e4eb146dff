//! Tests the transfer of messages: words and capabilities.

mod common;

use common::spec::{PdExt, pd, pp, system};
use common::{Msg, World, msg, msg_with_caps};
use kernel_model::numbers::{MAX_MESSAGE_WORDS, invocation};
use kernel_model::{INFO_REGISTER, MessageInfo};
use microkit_abi::{badge, slots};

const EXTRA_CAPS_INDEX: usize = MAX_MESSAGE_WORDS + 2;

/// Returns a system with a parent and two children that can call the parent. The first child can
/// also call the second child.
fn world() -> World {
    let pds = vec![
        pd("parent", 30),
        pd("child", 20).child_of(0, 0),
        pd("other", 10).child_of(0, 1),
    ];
    let channels = [pp((1, 1), (0, 1)), pp((2, 1), (0, 2)), pp((1, 2), (2, 3))];
    World::init(&system(pds, &channels))
}

fn info(world: &World, pd_index: usize) -> MessageInfo {
    MessageInfo::from_word(world.context(pd_index)[INFO_REGISTER])
}

fn numbers(count: u64) -> Vec<u64> {
    (100..100 + count).collect()
}

#[test]
fn all_words_arrive_in_registers_and_in_the_buffer() {
    for count in [0, 1, 3, 4, 5, 64, 120] {
        let mut world = world();
        world.wake(1);
        world.pp_call(1, &msg(1, &numbers(count)));
        assert_eq!(world.received(0).words, numbers(count));
        world.reply_recv(&msg(2, &numbers(120 - count)));
        assert_eq!(world.received(1).words, numbers(120 - count));
    }
}

#[test]
fn words_that_were_not_sent_stay_as_they_were() {
    let mut world = world();
    world.wake(1);
    world.context_mut(0).x[3] = 0xaaaa;
    world.machine.buffers[0][1 + 5] = 0xbbbb;
    world.pp_call(1, &msg(1, &numbers(1)));
    assert_eq!(world.context(0).x[3], 0xaaaa);
    assert_eq!(world.machine.buffers[0][1 + 5], 0xbbbb);
}

#[test]
fn a_label_of_52_bits_arrives() {
    let mut world = world();
    world.wake(1);
    world.pp_call(1, &msg((1 << 52) - 1, &[]));
    assert_eq!(world.received(0).label, (1 << 52) - 1);
}

#[test]
fn a_length_above_the_maximum_counts_as_the_maximum() {
    let mut world = world();
    world.wake(1);
    world.put(&msg(1, &numbers(120)));
    let longest = MessageInfo::new(1, 127).to_word();
    world.set(INFO_REGISTER, longest);
    world.set(kernel_model::CAP_REGISTER, slots::BASE_ENDPOINT + 1);
    world.syscall(kernel_model::numbers::syscall::Call);
    assert_eq!(world.received(0).words, numbers(120));
}

#[test]
fn without_a_buffer_on_either_side_four_words_arrive() {
    let without_buffer = |world: &mut World| {
        // The parent removes the child's IPC buffer, with address 0 and no frame.
        world.wake(0);
        let tcb = slots::BASE_TCB;
        let taken = world.invoke(tcb, invocation::TCBSetIPCBuffer, &[0], &[0]);
        assert_eq!(taken, Ok(vec![]));
        world.recv();
    };
    let mut world = world();
    without_buffer(&mut world);
    world.wake(1);
    world.pp_call(1, &msg(1, &numbers(10)));
    assert_eq!(world.received(0).words, numbers(4), "the sender has none");
    world.reply_recv(&msg(1, &numbers(10)));
    assert_eq!(world.received(1).words, numbers(4), "the receiver has none");
}

/// Calls the parent from the child with these capabilities. Returns the number of capabilities that
/// arrive, a bit for each capability that arrives as a badge, and the badges.
fn caps_that_arrive(caps: &[u64]) -> (u8, u8, Vec<u64>) {
    let mut world = world();
    // The parent names an empty slot to receive capabilities.
    world.machine.buffers[0][EXTRA_CAPS_INDEX + 3..].copy_from_slice(&[0, 300, 64]);
    world.wake(1);
    world.pp_call(1, &msg_with_caps(1, &[], caps));
    assert_eq!(world.running(), Some(0));
    let info = info(&world, 0);
    let badges = EXTRA_CAPS_INDEX..EXTRA_CAPS_INDEX + usize::from(info.extra_caps);
    let badges = world.machine.buffers[0][badges].to_vec();
    (info.extra_caps, info.caps_unwrapped, badges)
}

#[test]
fn capabilities_to_the_endpoint_itself_arrive_as_badges() {
    let call = slots::BASE_ENDPOINT + 1;
    let fault = slots::FAULT_ENDPOINT;
    let badges = [badge::call(1), badge::fault(0)];
    assert_eq!(caps_that_arrive(&[call, fault]), (2, 0b11, badges.to_vec()));
    assert_eq!(
        caps_that_arrive(&[call, call, call]),
        (3, 0b111, vec![badges[0]; 3])
    );
}

#[test]
fn other_capabilities_and_those_behind_them_do_not_arrive() {
    let call = slots::BASE_ENDPOINT + 1;
    let nothing = (0, 0, vec![]);
    for other in [
        slots::BASE_ENDPOINT + 2,
        slots::VSPACE,
        slots::REPLY,
        slots::BASE_OUTPUT_NOTIFICATION + 1,
        0,
    ] {
        assert_eq!(caps_that_arrive(&[other]), nothing, "slot {other}");
        assert_eq!(caps_that_arrive(&[other, call]), nothing, "slot {other}");
    }
    let first = (1, 0b1, vec![badge::call(1)]);
    assert_eq!(caps_that_arrive(&[call, slots::REPLY, call]), first);
}

#[test]
fn a_reply_carries_no_capabilities() {
    let mut world = world();
    world.wake(1);
    world.pp_call(1, &msg(1, &[]));
    world.reply_recv(&msg_with_caps(2, &[], &[slots::INPUT]));
    let info = info(&world, 1);
    assert_eq!((info.extra_caps, info.caps_unwrapped), (0, 0));
    assert_eq!(world.received(1).label, 2);
}

#[test]
fn a_missing_capability_is_a_fault_of_the_sender() {
    let mut world = world();
    world.wake(1);
    let message = msg_with_caps(1, &[], &[slots::BASE_ENDPOINT + 1, 512]);
    world.pp_call(1, &message);
    // The child's parent gets the fault instead of the message.
    assert_eq!(world.received(0).badge, badge::fault(0));
    assert_eq!(world.received(0).words[1..3], [512, 0]);
}

#[test]
fn a_non_blocking_send_with_a_missing_capability_is_not_a_fault() {
    let mut world = world();
    world.wake(1);
    let message = msg_with_caps(1, &[], &[512]);
    assert_eq!(world.nb_send(slots::BASE_ENDPOINT + 1, &message), Some(1));
}

#[test]
fn capabilities_of_a_blocked_sender_are_looked_up_on_receipt() {
    let mut world = world();
    world.wake(2);
    world.wake(0);
    // The third PD is busy, so the child's message to the third PD waits. The message names a
    // capability.
    world.recv();
    assert_eq!(world.running(), Some(2));
    let Msg { .. } = Msg::default();
    world.wake(1);
    let message = msg_with_caps(1, &[], &[slots::BASE_ENDPOINT + 2]);
    world.pp_call(2, &message);
    assert_eq!(world.running(), Some(2));
    // Before the third PD receives the message, the IPC buffer changes and no longer names a
    // capability.
    world.machine.buffers[1][EXTRA_CAPS_INDEX] = 512;
    world.recv();
    assert_eq!(world.running(), Some(2));
    assert_eq!(info(&world, 2).extra_caps, 0);
    assert_eq!(world.received(2).label, 1);
}
