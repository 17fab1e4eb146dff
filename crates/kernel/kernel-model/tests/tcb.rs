//! Tests invocations of a thread: the thread of a child, or a thread in a `<cspace>`.
//! `registers.rs` tests the registers of threads.

mod common;

use boot_spec::UserCapKind;
use common::control::{CHILD, OK, check, own, refused, third, user, world};
use common::spec::{PdExt, pd, pp, system};
use common::{World, msg, msg_with_caps};
use kernel_model::ThreadState;
use kernel_model::numbers::{error, invocation};
use microkit_abi::slots;

#[test]
fn a_label_of_another_object_is_an_illegal_operation() {
    for label in [0, invocation::IRQAckIRQ, 16, 19, 1 << 40] {
        check(
            label,
            &[(&[0; 5], &[], refused(error::IllegalOperation, &[]))],
        );
    }
}

#[test]
fn a_resumed_thread_repeats_its_system_call() {
    let mut world = world();
    let recv = world.context(1).fault_ip;
    assert_eq!(world.invoke(CHILD, invocation::TCBSuspend, &[], &[]), OK);
    assert_eq!(world.state(1), ThreadState::Inactive);
    assert_eq!(world.invoke(CHILD, invocation::TCBResume, &[], &[]), OK);
    assert_eq!(world.state(1), ThreadState::Restart);
    assert_eq!(world.recv(), Some(1));
    assert_eq!(world.context(1).pc, recv, "it receives again");
}

#[test]
fn a_resumed_thread_that_was_preempted_continues() {
    let mut world = world();
    world.recv();
    world.wake(1);
    let pc = world.context(1).pc;
    world.wake(0);
    assert_eq!(world.invoke(CHILD, invocation::TCBSuspend, &[], &[]), OK);
    assert_eq!(world.invoke(CHILD, invocation::TCBResume, &[], &[]), OK);
    assert_eq!(world.recv(), Some(1));
    assert_eq!(world.context(1).pc, pc);
}

#[test]
fn resuming_a_thread_that_runs_changes_nothing() {
    let mut world = world();
    world.recv();
    world.wake(1);
    let before = *world.context(1);
    world.wake(0);
    assert_eq!(world.invoke(CHILD, invocation::TCBResume, &[], &[]), OK);
    assert_eq!(world.state(1), ThreadState::Running);
    assert_eq!(world.context(1).pc, before.pc);
}

#[test]
fn a_thread_that_suspends_itself_suspends_itself_again_when_resumed() {
    let mut world = world();
    world.put(&msg(invocation::TCBSuspend, &[]));
    world.set(kernel_model::CAP_REGISTER, own());
    let svc = world.context(0).pc;
    assert_eq!(world.syscall(kernel_model::numbers::syscall::Call), None);
    assert_eq!(world.state(0), ThreadState::Inactive);
    assert_eq!(world.context(0).fault_ip, svc);
}

#[test]
fn suspending_removes_a_thread_from_every_queue() {
    // Suspends the thread in a call that waits for a receiver, in a call that waits for a reply,
    // and in the ready queue.
    let mut world = world();
    world.recv();
    world.wake(1);
    world.pp_call(1, &msg(1, &[]));
    assert!(matches!(world.state(1), ThreadState::BlockedOnReply { .. }));
    assert_eq!(world.invoke(CHILD, invocation::TCBSuspend, &[], &[]), OK);
    assert_eq!(world.state(1), ThreadState::Inactive);
    let reply = world.kernel.own_reply(world.thread(0));
    assert_eq!(world.kernel.reply(reply).thread, None);
    assert_eq!(world.invoke(CHILD, invocation::TCBResume, &[], &[]), OK);
    assert_eq!(world.invoke(CHILD, invocation::TCBSuspend, &[], &[]), OK);
    assert_eq!(world.kernel.ready().count(), 0);
}

#[test]
fn a_priority_can_be_at_most_the_mcp_of_the_authority() {
    for label in [invocation::TCBSetPriority, invocation::TCBSetMCPriority] {
        check(
            label,
            &[
                (&[30], &[own()], OK),
                (&[31], &[own()], refused(error::RangeError, &[0, 30])),
                (&[256 + 5], &[own()], refused(error::RangeError, &[0, 30])),
                (&[21], &[third()], refused(error::RangeError, &[0, 20])),
                (
                    &[5],
                    &[slots::INPUT],
                    refused(error::InvalidCapability, &[1]),
                ),
                (&[5], &[0], refused(error::InvalidCapability, &[1])),
                (&[5], &[], refused(error::TruncatedMessage, &[])),
                (&[], &[own()], refused(error::TruncatedMessage, &[])),
            ],
        );
    }
}

#[test]
fn a_new_priority_takes_effect_at_once() {
    let mut world = world();
    world.step(kernel_model::Event::Interrupt(common::spec::WAKE_IRQ + 1));
    world.step(kernel_model::Event::Interrupt(common::spec::WAKE_IRQ + 2));
    let ready = |world: &World| -> Vec<usize> {
        world.kernel.ready().map(|thread| thread.index()).collect()
    };
    assert_eq!(ready(&world), [2, 1], "each woke in front of the others");
    let set = invocation::TCBSetPriority;
    assert_eq!(world.invoke(CHILD, set, &[20], &[own()]), OK);
    assert_eq!(ready(&world), [1, 2], "in front of those of its priority");
    assert_eq!(world.invoke(CHILD, set, &[19], &[own()]), OK);
    assert_eq!(ready(&world), [2, 1]);
    // The invocation lowers the caller's own priority. The caller then no longer has the highest
    // priority.
    world.call(own(), &msg_with_caps(set, &[19], &[own()]));
    assert_eq!(world.running(), Some(2));
    assert_eq!(ready(&world), [0, 1]);
}

#[test]
fn a_blocked_thread_moves_to_its_new_place() {
    let pds = vec![
        pd("server", 5),
        pd("boss", 60)
            .cap(1, UserCapKind::Tcb, 1)
            .cap(2, UserCapKind::Tcb, 2)
            .cap(3, UserCapKind::Tcb, 3),
        pd("one", 30),
        pd("two", 20),
    ];
    let channels = [pp((2, 1), (0, 1)), pp((3, 1), (0, 2))];
    let mut world = World::init(&system(pds, &channels));
    world.wake(0);
    for pd_index in [2, 3] {
        world.wake(pd_index);
        world.pp_call(1, &msg(0, &[]));
    }
    let endpoint = world.kernel.own_endpoint(world.thread(0));
    let waiting = |world: &World| -> Vec<usize> {
        let threads = world.kernel.waiting_at(endpoint);
        threads.map(|thread| thread.index()).collect()
    };
    assert_eq!(waiting(&world), [2, 3]);
    world.wake(1);
    let set = invocation::TCBSetPriority;
    assert_eq!(world.invoke(user(2), set, &[20], &[own()]), OK);
    assert_eq!(waiting(&world), [3, 2], "behind those of its priority");
    assert_eq!(world.invoke(user(2), set, &[21], &[own()]), OK);
    assert_eq!(waiting(&world), [2, 3]);
}

#[test]
fn scheduling_parameters_are_set_together_or_not_at_all() {
    let label = invocation::TCBSetSchedParams;
    let (own_sc, other_sc) = (user(3), user(4));
    let fault = slots::FAULT_ENDPOINT;
    let illegal = || refused(error::IllegalOperation, &[]);
    let invalid = |number| refused(error::InvalidCapability, &[number]);
    check(
        label,
        &[
            (&[20, 15], &[own(), own_sc, fault], OK),
            (&[20, 15], &[own(), 0, 0], OK),
            (&[20, 15], &[own(), other_sc, fault], illegal()),
            (
                &[31, 15],
                &[own(), own_sc, fault],
                refused(error::RangeError, &[0, 30]),
            ),
            (
                &[20, 31],
                &[own(), own_sc, fault],
                refused(error::RangeError, &[0, 30]),
            ),
            (&[20, 15], &[0, own_sc, fault], invalid(1)),
            (&[20, 15], &[own(), slots::INPUT, fault], invalid(2)),
            (&[20, 15], &[own(), own_sc, slots::VSPACE], invalid(3)),
            (
                &[20, 15],
                &[own(), own_sc],
                refused(error::TruncatedMessage, &[]),
            ),
            (
                &[20],
                &[own(), own_sc, fault],
                refused(error::TruncatedMessage, &[]),
            ),
        ],
    );
    let mut world = world();
    assert_eq!(
        world.invoke(CHILD, label, &[22, 21], &[own(), 0, fault]),
        OK
    );
    let child = world.kernel.thread(world.thread(1));
    assert_eq!((child.mcp, child.priority()), (22, 21));
    assert_eq!(child.sched_context(), None);
    assert_eq!(child.fault_handler.map(|handler| handler.badge), Some(1));
    assert_eq!(
        world.invoke(CHILD, label, &[22, 21], &[own(), own_sc, fault]),
        OK
    );
    assert_eq!(world.runs_on(1), Some(1));
    // A thread cannot take away its own scheduling context.
    assert_eq!(
        world.invoke(own(), label, &[1, 1], &[own(), 0, fault]),
        illegal()
    );
}

#[test]
fn a_timeout_handler_is_an_endpoint_or_null() {
    let invalid = || refused(error::InvalidCapability, &[1]);
    check(
        invocation::TCBSetTimeoutEndpoint,
        &[
            (&[], &[slots::INPUT], OK),
            (&[], &[0], OK),
            (&[], &[slots::REPLY], invalid()),
            (&[], &[], refused(error::TruncatedMessage, &[])),
        ],
    );
}

#[test]
fn spaces_and_buffers_cannot_be_set_without_capabilities_that_no_pd_has() {
    let illegal = || refused(error::IllegalOperation, &[]);
    let truncated = || refused(error::TruncatedMessage, &[]);
    let caps = [slots::VSPACE; 3];
    check(
        invocation::TCBConfigure,
        &[
            (&[0; 3], &caps, illegal()),
            (&[0, 0, 0x1000], &caps, illegal()),
            (&[0; 2], &caps, truncated()),
            (&[0; 3], &caps[..2], truncated()),
        ],
    );
    check(
        invocation::TCBSetSpace,
        &[
            (&[0; 2], &caps, illegal()),
            (&[0; 1], &caps, truncated()),
            (&[0; 2], &caps[..2], truncated()),
        ],
    );
    check(
        invocation::TCBSetIPCBuffer,
        &[
            (&[0x1000], &[slots::VSPACE], illegal()),
            (&[0], &[slots::VSPACE], OK),
            (&[], &[slots::VSPACE], truncated()),
            (&[0], &[], truncated()),
        ],
    );
}

#[test]
fn flags_are_cleared_then_set_and_answered() {
    let set = invocation::TCBSetFlags;
    check(
        set,
        &[
            (&[0, 0], &[], Ok(vec![0])),
            (&[0, 1], &[], Ok(vec![1])),
            (&[0, 6], &[], Ok(vec![0])),
            (&[1, 1], &[], Ok(vec![1])),
            (&[0], &[], refused(error::TruncatedMessage, &[])),
        ],
    );
    let mut world = world();
    assert_eq!(world.invoke(CHILD, set, &[0, 1], &[]), Ok(vec![1]));
    assert!(world.kernel.thread(world.thread(1)).fpu_disabled);
    assert_eq!(world.invoke(CHILD, set, &[1, 0], &[]), Ok(vec![0]));
    assert!(!world.kernel.thread(world.thread(1)).fpu_disabled);
}

#[test]
fn binding_refuses_other_objects_than_notifications() {
    let mut world = world();
    let (bind, unbind) = (
        invocation::TCBBindNotification,
        invocation::TCBUnbindNotification,
    );
    assert_eq!(world.invoke(CHILD, unbind, &[], &[]), OK);
    let refuse = |world: &mut World, caps: &[u64], error| {
        assert_eq!(world.invoke(CHILD, bind, &[], caps), refused(error, &[]));
    };
    refuse(&mut world, &[], error::TruncatedMessage);
    refuse(&mut world, &[slots::VSPACE], error::IllegalOperation);
    refuse(&mut world, &[0], error::IllegalOperation);
}

#[test]
fn an_invocation_by_send_has_no_answer() {
    let mut world = world();
    let info = msg(invocation::TCBSuspend, &[]);
    let before = *world.context(0);
    assert_eq!(world.send(CHILD, &info), Some(0));
    assert_eq!(world.state(1), ThreadState::Inactive);
    assert_eq!(world.context(0).x[0], CHILD);
    assert_eq!(world.send(CHILD, &msg(0, &[])), Some(0), "nor is its error");
    assert_eq!(world.context(0).x[2], before.x[2]);
}

#[test]
fn a_thread_cannot_be_invoked_by_a_system_call_that_receives() {
    let mut world = world();
    world.nb_send_recv(CHILD, &msg(invocation::TCBSuspend, &[]));
    assert_ne!(world.state(1), ThreadState::Inactive);
}
