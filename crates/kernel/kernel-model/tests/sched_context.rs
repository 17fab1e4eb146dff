//! Tests invocations of a scheduling context whose capability is in a `<cspace>`.

mod common;

use boot_spec::UserCapKind;
use common::control::{Answer, OK, refused, user};
use common::spec::{PdExt, WAKE_IRQ, pd, pp, system};
use common::{World, msg};
use kernel_model::numbers::{error, invocation};
use kernel_model::{Event, ThreadState};
use microkit_abi::slots;

fn illegal() -> Answer {
    refused(error::IllegalOperation, &[])
}

/// Returns the first PD's capability to the scheduling context of a PD.
fn sched_context(pd_index: u64) -> u64 {
    user(1 + pd_index)
}

/// Returns the first PD's capability to the thread of a PD.
fn thread(pd_index: u64) -> u64 {
    user(11 + pd_index)
}

/// Returns a system of three PDs. The first PD runs, and has capabilities to all scheduling
/// contexts and threads. The other two PDs wait. The last PD has a budget that is less than its
/// period.
fn world() -> World {
    let mut boss = pd("boss", 30);
    for pd_index in 0..3 {
        boss = boss
            .cap(1 + pd_index, UserCapKind::SchedContext, pd_index)
            .cap(11 + pd_index, UserCapKind::Tcb, pd_index);
    }
    let pds = vec![boss, pd("one", 20), pd("two", 10).budget(300, 1000)];
    let channels = [pp((0, 1), (1, 1)), pp((0, 2), (2, 2))];
    let mut world = World::init(&system(pds, &channels));
    world.wake(0);
    world
}

#[test]
fn a_scheduling_context_is_unbound_and_bound_again() {
    for unbind in [
        invocation::SchedContextUnbind,
        invocation::SchedContextUnbindObject,
    ] {
        let mut world = world();
        let unbound = world.invoke(sched_context(1), unbind, &[], &[thread(1)]);
        assert_eq!(unbound, OK);
        assert_eq!(world.runs_on(1), None);
        let bind = invocation::SchedContextBind;
        let bound = world.invoke(sched_context(1), bind, &[], &[thread(1)]);
        assert_eq!(bound, OK);
        assert_eq!(world.runs_on(1), Some(1));
    }
}

#[test]
fn a_thread_without_a_scheduling_context_wakes_up_but_does_not_run() {
    let mut world = world();
    let unbind = invocation::SchedContextUnbind;
    assert_eq!(world.invoke(sched_context(1), unbind, &[], &[]), OK);
    world.recv();
    assert_eq!(world.step(Event::Interrupt(WAKE_IRQ + 1)), None);
    assert_eq!(world.state(1), ThreadState::Running);
    world.wake(0);
    let bind = invocation::SchedContextBind;
    let bound = world.invoke(sched_context(1), bind, &[], &[thread(1)]);
    assert_eq!(bound, OK);
    assert_eq!(world.recv(), Some(1));
}

#[test]
fn unbinding_from_a_ready_thread_removes_it_from_the_ready_queue() {
    let mut world = world();
    world.step(Event::Interrupt(WAKE_IRQ + 1));
    assert_eq!(world.kernel.ready().count(), 1);
    let unbind = invocation::SchedContextUnbind;
    assert_eq!(world.invoke(sched_context(1), unbind, &[], &[]), OK);
    assert_eq!(world.kernel.ready().count(), 0);
}

#[test]
fn binding_refuses_bound_objects_and_missing_budget() {
    let bind = invocation::SchedContextBind;
    let unbind = invocation::SchedContextUnbind;
    let mut world = world();
    let mut check = |sc: u64, caps: &[u64], answer: Answer| {
        assert_eq!(world.invoke(sched_context(sc), bind, &[], caps), answer);
    };
    check(1, &[], refused(error::TruncatedMessage, &[]));
    check(1, &[slots::VSPACE], refused(error::InvalidCapability, &[1]));
    check(1, &[thread(1)], illegal());
    check(1, &[thread(2)], illegal());
    assert_eq!(world.invoke(sched_context(1), unbind, &[], &[]), OK);
    let bound = world.invoke(sched_context(1), bind, &[], &[thread(2)]);
    assert_eq!(bound, illegal(), "the thread has one");

    // The last PD uses up its budget, and then its thread waits.
    let mut world = self::world();
    world.recv();
    world.pass(5000);
    world.wake(2);
    world.use_time(280);
    world.recv();
    world.wake(0);
    assert_eq!(world.invoke(sched_context(2), unbind, &[], &[]), OK);
    let bound = world.invoke(sched_context(2), bind, &[], &[thread(2)]);
    assert_eq!(bound, OK, "20 are left, which is enough");
}

#[test]
fn a_blocked_thread_is_not_bound_to_a_future_budget() {
    let mut world = world();
    let (bind, unbind) = (invocation::SchedContextBind, invocation::SchedContextUnbind);
    world.recv();
    world.pass(5000);
    world.wake(2);
    world.pass(300);
    assert_eq!(world.kernel.release_queue().count(), 1);
    world.wake(0);
    assert_eq!(world.invoke(sched_context(1), unbind, &[], &[]), OK);
    assert_eq!(world.invoke(sched_context(2), unbind, &[], &[]), OK);
    assert_eq!(world.kernel.release_queue().count(), 0);
    let bound = world.invoke(sched_context(2), bind, &[], &[thread(1)]);
    assert_eq!(bound, illegal(), "it waits for a signal");
    let bound = world.invoke(sched_context(2), bind, &[], &[thread(2)]);
    assert_eq!(bound, OK, "it would run");
    assert_eq!(world.kernel.release_queue().count(), 1);
}

#[test]
fn a_thread_cannot_unbind_its_own_scheduling_context() {
    let mut world = world();
    let unbind = invocation::SchedContextUnbind;
    assert_eq!(world.invoke(sched_context(0), unbind, &[], &[]), illegal());
    let unbind = invocation::SchedContextUnbindObject;
    let unbound = world.invoke(sched_context(0), unbind, &[], &[thread(0)]);
    assert_eq!(unbound, illegal());
}

#[test]
fn unbinding_refuses_unbound_objects() {
    let mut world = world();
    let unbind = invocation::SchedContextUnbindObject;
    let mut check = |caps: &[u64], answer: Answer| {
        assert_eq!(world.invoke(sched_context(1), unbind, &[], caps), answer);
    };
    check(&[], refused(error::TruncatedMessage, &[]));
    check(&[thread(2)], illegal());
    check(&[slots::BASE_OUTPUT_NOTIFICATION + 1], illegal());
    check(&[slots::REPLY], refused(error::InvalidCapability, &[1]));
}

#[test]
fn a_notification_lends_the_scheduling_context_bound_to_it() {
    let mut world = world();
    let notification = slots::BASE_OUTPUT_NOTIFICATION + 1;
    let (bind, unbind) = (
        invocation::SchedContextBind,
        invocation::SchedContextUnbindObject,
    );
    let mut invoke = |sc, label, cap| world.invoke(sched_context(sc), label, &[], &[cap]);
    assert_eq!(invoke(1, bind, notification), OK);
    assert_eq!(invoke(1, bind, notification), illegal());
    assert_eq!(invoke(2, bind, notification), illegal());
    assert_eq!(
        invoke(1, bind, slots::BASE_OUTPUT_NOTIFICATION + 2),
        illegal()
    );
    assert_eq!(invoke(1, unbind, thread(1)), OK);
    world.notify(1);
    assert_eq!(world.runs_on(1), Some(1));
    let unbound = world.invoke(sched_context(1), unbind, &[], &[notification]);
    assert_eq!(unbound, OK);
    world.recv();
    assert_eq!(world.running(), Some(1));
    world.recv();
    assert_eq!(
        world.runs_on(1),
        Some(1),
        "the notification does not have it back"
    );
}

#[test]
fn unbinding_removes_every_reference() {
    let pds = vec![
        pd("client", 10),
        pd("server", 20).passive(),
        pd("boss", 30).cap(1, UserCapKind::SchedContext, 0),
    ];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 1))]));
    world.wake(1);
    world.recv();
    world.wake(0);
    world.pp_call(1, &msg(1, &[]));
    world.wake(2);
    let unbind = invocation::SchedContextUnbind;
    assert_eq!(world.invoke(user(1), unbind, &[], &[]), OK);
    let lent = world
        .kernel
        .sched_context(world.kernel.own_sched_context(world.thread(0)));
    assert_eq!((lent.thread(), lent.reply), (None, None));
    let reply = world.kernel.own_reply(world.thread(1));
    assert_eq!(world.kernel.reply(reply).above, None);
    assert!(matches!(world.state(0), ThreadState::BlockedOnReply { .. }));
}

#[test]
fn consumed_time_is_in_microseconds_and_reset_when_read() {
    let mut world = world();
    let consumed = invocation::SchedContextConsumed;
    world.recv();
    world.wake(1);
    world.use_time(40);
    world.recv();
    world.wake(0);
    assert_eq!(
        world.invoke(sched_context(1), consumed, &[], &[]),
        Ok(vec![40])
    );
    assert_eq!(
        world.invoke(sched_context(1), consumed, &[], &[]),
        Ok(vec![0])
    );
}

#[test]
fn yielding_to_a_thread_of_lower_priority_makes_it_first_of_that_priority() {
    let pds = vec![
        pd("boss", 30).cap(1, UserCapKind::SchedContext, 1),
        pd("one", 20),
        pd("two", 20),
    ];
    let mut world = World::init(&system(pds, &[]));
    world.wake(0);
    for pd_index in [1, 2] {
        world.step(Event::Interrupt(WAKE_IRQ + pd_index));
    }
    let first = |world: &World| world.kernel.ready().next().map(|thread| thread.index());
    assert_eq!(first(&world), Some(2));
    let yield_to = invocation::SchedContextYieldTo;
    assert_eq!(world.invoke(user(1), yield_to, &[], &[]), Ok(vec![0]));
    assert_eq!(first(&world), Some(1));
    assert_eq!(world.running(), Some(0));
}

#[test]
fn yielding_to_a_thread_of_the_same_priority_answers_when_the_yielder_runs_again() {
    let pds = vec![
        pd("boss", 20).cap(1, UserCapKind::SchedContext, 1),
        pd("one", 20),
        pd("two", 20),
    ];
    let mut world = World::init(&system(pds, &[]));
    world.wake(0);
    for pd_index in [1, 2] {
        world.step(Event::Interrupt(WAKE_IRQ + pd_index));
    }
    let yield_to = invocation::SchedContextYieldTo;
    assert_eq!(world.call(user(1), &msg(yield_to, &[])), Some(1));
    let boss = world.kernel.thread(world.thread(0));
    assert!(boss.yield_to().is_some());
    world.use_time(70);
    assert_eq!(world.recv(), Some(0), "in front of the third");
    assert_eq!(world.received(0), common::received(0, 0, &[70]));
    let boss = world.kernel.thread(world.thread(0));
    assert_eq!(boss.yield_to(), None);
}

#[test]
fn yielding_refuses_the_caller_unbound_targets_and_priorities_above_the_mcp() {
    let yield_to = invocation::SchedContextYieldTo;
    let pds = vec![
        pd("boss", 20)
            .cap(1, UserCapKind::SchedContext, 0)
            .cap(2, UserCapKind::SchedContext, 1)
            .cap(3, UserCapKind::SchedContext, 2),
        pd("above", 21),
        pd("below", 19),
    ];
    let mut world = World::init(&system(pds, &[]));
    world.wake(0);
    assert_eq!(world.invoke(user(1), yield_to, &[], &[]), illegal());
    assert_eq!(world.invoke(user(2), yield_to, &[], &[]), illegal());
    assert_eq!(
        world.invoke(user(3), yield_to, &[], &[]),
        Ok(vec![0]),
        "a blocked thread is not woken"
    );
    let unbind = invocation::SchedContextUnbind;
    assert_eq!(world.invoke(user(3), unbind, &[], &[]), OK);
    assert_eq!(world.invoke(user(3), yield_to, &[], &[]), illegal());
}

#[test]
fn suspending_a_yielder_cancels_the_yield() {
    let pds = vec![
        pd("boss", 20).cap(1, UserCapKind::SchedContext, 1),
        pd("one", 20).cap(1, UserCapKind::Tcb, 0),
    ];
    let mut world = World::init(&system(pds, &[]));
    world.wake(0);
    world.step(Event::Interrupt(WAKE_IRQ + 1));
    let yield_to = invocation::SchedContextYieldTo;
    assert_eq!(world.call(user(1), &msg(yield_to, &[])), Some(1));
    let suspend = invocation::TCBSuspend;
    assert_eq!(world.invoke(user(1), suspend, &[], &[]), OK);
    let boss = world.kernel.thread(world.thread(0));
    assert_eq!(boss.yield_to(), None);
}

#[test]
fn other_labels_are_illegal_operations() {
    for label in [0, 37, invocation::TCBSuspend] {
        let answer = world().invoke(sched_context(1), label, &[0; 5], &[thread(1)]);
        assert_eq!(answer, illegal());
    }
}
