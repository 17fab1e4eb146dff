//! Tests notifications: signals wake waiting threads, or merge until a thread receives them.

mod common;

use common::spec::{PdExt, WAKE_ID, WAKE_IRQ, notify, pd, system};
use common::{World, msg};
use kernel_model::numbers::{fault, invocation, lookup_failure, syscall};
use kernel_model::{Event, NotificationState, ThreadState};
use microkit_abi::slots;

/// Returns a system of two PDs that notify each other on two channels: 1 to 2, and 3 to 4.
fn pair(first: u8, second: u8) -> World {
    let pds = vec![pd("one", first), pd("two", second)];
    let channels = [notify((0, 1), (1, 2)), notify((0, 3), (1, 4))];
    World::init(&system(pds, &channels))
}

fn state(world: &World, pd_index: usize) -> NotificationState {
    let notification = world.kernel.own_notification(world.thread(pd_index));
    world.kernel.notification(notification).state
}

#[test]
fn a_signal_wakes_a_waiting_thread() {
    let mut world = pair(10, 20);
    world.wake(0);
    assert_eq!(world.notify(1), Some(1));
    assert_eq!(world.signals(1), 1 << 2);
    assert_eq!(state(&world, 1), NotificationState::Idle);
}

#[test]
fn signals_merge_until_they_are_received() {
    let mut world = pair(20, 10);
    world.wake(0);
    for channel in [1, 3, 1] {
        assert_eq!(world.notify(channel), Some(0));
    }
    assert_eq!(world.recv(), Some(1));
    // The first signal woke the PD. The other signals arrived while the PD was awake.
    assert_eq!(world.signals(1), 1 << 2);
    assert_eq!(world.recv(), Some(1));
    assert_eq!(world.signals(1), 1 << 4 | 1 << 2);
    assert_eq!(world.recv(), None);
}

#[test]
fn signalling_never_blocks_and_answers_a_call() {
    let mut world = pair(20, 10);
    world.wake(0);
    let channel = slots::BASE_OUTPUT_NOTIFICATION + 1;
    assert_eq!(world.nb_send(channel, &msg(0, &[])), Some(0));
    assert_eq!(world.invoke(channel, 5, &[6, 7], &[]), Ok(vec![]));
}

#[test]
fn non_blocking_waits_find_pending_signals_only() {
    let mut world = pair(20, 10);
    world.wake(0);
    for number in [syscall::NBWait, syscall::NBRecv] {
        world.set(kernel_model::CAP_REGISTER, 99);
        assert_eq!(world.receive_with(number), Some(0));
        assert_eq!(world.signals(0), 0);
    }
    world.step(Event::Interrupt(WAKE_IRQ));
    assert_eq!(world.receive_with(syscall::NBWait), Some(0));
    assert_eq!(world.signals(0), 1 << WAKE_ID);
}

#[test]
fn only_the_bound_thread_can_wait_for_a_notification() {
    let mut world = pair(20, 10);
    world.wake(0);
    world.receive_from(syscall::Wait, slots::BASE_OUTPUT_NOTIFICATION + 1);
    assert_eq!(world.state(0), ThreadState::Inactive);
    // The words of the capability fault: the instruction, the capability pointer, the receiving
    // flag, and the failure (a missing capability).
    let (pd_index, label, words) = world.machine.faults[0];
    assert_eq!((pd_index, label), (0, fault::CapFault));
    let cptr = slots::BASE_OUTPUT_NOTIFICATION + 1;
    let at = world.context(0).fault_ip;
    assert_eq!(
        words[..5],
        [at, cptr, 1, lookup_failure::MissingCapability, 0]
    );
}

#[test]
fn a_signal_does_not_wake_a_thread_that_waits_for_something_else() {
    let pds = vec![pd("client", 10), pd("server", 20), pd("other", 30)];
    let channels = [common::spec::pp((0, 1), (1, 1)), notify((2, 1), (0, 2))];
    let mut world = World::init(&system(pds, &channels));
    world.wake(0);
    world.pp_call(1, &msg(1, &[]));
    world.wake(2);
    world.notify(1);
    world.recv();
    assert!(matches!(world.state(0), ThreadState::BlockedOnReply { .. }));
    assert_eq!(state(&world, 0), NotificationState::Active(1 << 2));
    assert_eq!(world.reply_recv(&msg(0, &[])), Some(0));
    assert_eq!(world.received(0).badge, 0, "it has its reply");
    assert_eq!(world.recv(), Some(0), "and then its signal");
    assert_eq!(world.signals(0), 1 << 2);
}

#[test]
fn a_parent_can_unbind_a_notification_and_bind_it_again() {
    let pds = vec![
        pd("parent", 30),
        pd("child", 20).child_of(0, 0),
        pd("other", 10).child_of(0, 1),
    ];
    let channels = [notify((0, 1), (1, 1)), notify((0, 2), (2, 2))];
    let mut world = World::init(&system(pds, &channels));
    world.wake(0);
    let (child, other) = (slots::BASE_TCB, slots::BASE_TCB + 1);
    let to_other = slots::BASE_OUTPUT_NOTIFICATION + 2;
    let illegal = Err((kernel_model::numbers::error::IllegalOperation, vec![]));
    let bind = invocation::TCBBindNotification;
    let unbind = invocation::TCBUnbindNotification;
    assert_eq!(world.invoke(child, bind, &[], &[to_other]), illegal);
    assert_eq!(world.invoke(child, unbind, &[], &[]), Ok(vec![]));
    assert_eq!(world.invoke(child, unbind, &[], &[]), illegal);
    assert_eq!(
        world.invoke(child, bind, &[], &[to_other]),
        illegal,
        "it is the other's"
    );
    assert_eq!(world.invoke(other, unbind, &[], &[]), Ok(vec![]));
    assert_eq!(
        world.invoke(child, bind, &[], &[to_other]),
        illegal,
        "someone waits for it"
    );
    world.notify(2);
    assert_eq!(world.invoke(child, bind, &[], &[to_other]), Ok(vec![]));
    let bound = world.kernel.own_notification(world.thread(2));
    let child = world.kernel.thread(world.thread(1));
    assert_eq!(child.bound_notification, Some(bound));
}

#[test]
fn threads_wait_for_an_unbound_notification_in_the_order_of_priority() {
    let pds = vec![
        pd("parent", 30),
        pd("child", 20).child_of(0, 0),
        pd("low", 10),
        pd("high", 15),
    ];
    let channels = [
        notify((0, 1), (1, 1)),
        notify((2, 1), (1, 2)),
        notify((3, 1), (1, 3)),
    ];
    let mut world = World::init(&system(pds, &channels));
    world.wake(0);
    let unbind = invocation::TCBUnbindNotification;
    assert_eq!(world.invoke(slots::BASE_TCB, unbind, &[], &[]), Ok(vec![]));
    world.recv();
    for pd_index in [2, 3] {
        world.wake(pd_index);
        world.receive_from(syscall::Wait, slots::BASE_OUTPUT_NOTIFICATION + 1);
    }
    world.wake(0);
    // The child also waits, and has the highest priority of the three.
    for expect in [1, 3, 2] {
        world.notify(1);
        assert_eq!(world.state(expect), ThreadState::Running);
        assert_eq!(world.signals(expect), 1 << 1);
    }
    assert_eq!(world.running(), Some(0));
}
