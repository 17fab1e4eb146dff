//! Tests scheduling contexts that are donated to callees, returned by replies, or lent by
//! notifications.

mod common;

use boot_spec::UserCapKind;
use common::spec::{PdExt, notify, pd, pp, system};
use common::{World, msg, received};
use kernel_model::numbers::{invocation, syscall};
use kernel_model::{Above, ThreadState};
use microkit_abi::{badge, slots};

/// Returns a system with a client, a passive server, and a passive backend that the server calls.
fn chain() -> World {
    let pds = vec![
        pd("client", 10),
        pd("server", 20).passive(),
        pd("backend", 30).passive(),
    ];
    let channels = [pp((0, 1), (1, 1)), pp((1, 2), (2, 1))];
    let mut world = World::init(&system(pds, &channels));
    give_up_time(&mut world, 1);
    give_up_time(&mut world, 2);
    world
}

/// Makes a passive PD give up its scheduling context. The PD keeps its scheduling context until the
/// first wait after the monitor has made the PD passive.
#[track_caller]
fn give_up_time(world: &mut World, pd_index: usize) {
    world.wake(pd_index);
    world.recv();
    assert_eq!(world.runs_on(pd_index), None);
}

#[test]
fn a_passive_pd_is_passive_once_it_waits_again() {
    let pds = vec![pd("client", 10), pd("server", 20).passive()];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 1))]));
    assert_eq!(world.machine.reports, ["started", "1 is passive"]);
    assert_eq!(world.runs_on(1), Some(1), "it waits with its own");
    world.wake(0);
    world.pp_call(1, &msg(1, &[]));
    assert_eq!(world.runs_on(1), Some(1), "and serves the first call on it");
    assert_eq!(world.runs_on(0), Some(0));
    world.reply_recv(&msg(2, &[]));
    assert_eq!(world.runs_on(1), None, "then it waits without");
    world.pp_call(1, &msg(1, &[]));
    assert_eq!(world.runs_on(1), Some(0), "and serves on the caller's");
    assert_eq!(world.runs_on(0), None);
}

#[test]
fn reply_returns_the_donated_scheduling_context() {
    let mut world = chain();
    world.wake(0);
    world.pp_call(1, &msg(1, &[5]));
    assert_eq!((world.runs_on(0), world.runs_on(1)), (None, Some(0)));
    assert_eq!(world.reply_recv(&msg(2, &[6])), Some(0));
    assert_eq!((world.runs_on(0), world.runs_on(1)), (Some(0), None));
    assert_eq!(world.received(0), received(0, 2, &[6]));
}

#[test]
fn a_scheduling_context_is_donated_further_and_returns_the_same_way() {
    let mut world = chain();
    world.wake(0);
    world.pp_call(1, &msg(1, &[]));
    world.pp_call(2, &msg(2, &[]));
    assert_eq!(world.running(), Some(2));
    assert_eq!(world.runs_on(2), Some(0));
    let reply_of = |pd_index| world.kernel.own_reply(world.thread(pd_index));
    let sched_context = world.kernel.own_sched_context(world.thread(0));
    let top = world.kernel.reply(reply_of(2));
    assert_eq!(top.above, Some(Above::SchedContext(sched_context)));
    assert_eq!(top.below, Some(reply_of(1)));
    let bottom = world.kernel.reply(reply_of(1));
    assert_eq!(bottom.above, Some(Above::Reply(reply_of(2))));
    assert_eq!(world.reply_recv(&msg(3, &[])), Some(1));
    assert_eq!(world.runs_on(1), Some(0));
    assert_eq!(world.reply_recv(&msg(4, &[])), Some(0));
    assert_eq!(world.runs_on(0), Some(0));
}

#[test]
fn a_callee_with_its_own_scheduling_context_does_not_take_the_callers() {
    let pds = vec![pd("client", 10), pd("server", 20)];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 1))]));
    world.wake(0);
    world.pp_call(1, &msg(1, &[]));
    assert_eq!((world.runs_on(0), world.runs_on(1)), (Some(0), Some(1)));
    let reply = world.kernel.own_reply(world.thread(1));
    assert_eq!(world.kernel.reply(reply).above, None);
}

#[test]
fn the_callers_budget_pays_for_the_server() {
    let pds = vec![
        pd("client", 10).budget(300, 1000),
        pd("server", 20).passive(),
        pd("low", 1),
    ];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 1))]));
    give_up_time(&mut world, 1);
    world.pass(5000);
    world.wake(2);
    world.wake(0);
    world.use_time(100);
    world.pp_call(1, &msg(1, &[]));
    let start = world.machine.now;
    assert_eq!(world.until(), Some(start + 200));
    assert_eq!(world.pass(200), Some(2), "the server waits for its budget");
    assert_eq!(world.state(1), ThreadState::Running);
    let waiting: Vec<usize> = world
        .kernel
        .release_queue()
        .map(|thread| thread.index())
        .collect();
    assert_eq!(waiting, [1]);
}

#[test]
fn a_caller_without_enough_budget_waits_after_the_reply() {
    let pds = vec![
        pd("client", 10).budget(300, 1000),
        pd("server", 20).passive(),
    ];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 1))]));
    give_up_time(&mut world, 1);
    world.pass(5000);
    world.wake(0);
    let start = world.machine.now;
    world.pp_call(1, &msg(1, &[]));
    // The server replies with just enough budget for an entry. The caller gets the reply, but has
    // too little budget to continue for long.
    world.use_time(280);
    assert_eq!(world.reply_recv(&msg(2, &[])), Some(0));
    assert_eq!(world.until(), Some(start + 300));
    assert_eq!(world.pass(20), None);
    assert_eq!(world.until(), Some(start + 1000));
}

#[test]
fn a_signal_to_a_passive_server_lends_it_its_own_scheduling_context() {
    let pds = vec![pd("client", 10), pd("server", 20).passive()];
    for channel in [pp((0, 1), (1, 1)), notify((0, 1), (1, 1))] {
        let mut world = World::init(&system(pds.clone(), &[channel]));
        give_up_time(&mut world, 1);
        world.wake(0);
        assert_eq!(world.notify(1), Some(1));
        assert_eq!(world.runs_on(1), Some(1));
        assert_eq!(world.recv(), Some(0));
        assert_eq!(world.runs_on(1), None, "and takes it back when it waits");
    }
}

#[test]
fn a_signal_during_a_call_is_received_on_the_servers_own_scheduling_context() {
    let mut world = chain();
    world.wake(0);
    world.pp_call(1, &msg(1, &[]));
    let irq = common::spec::WAKE_IRQ + 1;
    world.step(kernel_model::Event::Interrupt(irq));
    // The server replies and returns the client's scheduling context. Then the server receives the
    // signal and gets its own scheduling context.
    assert_eq!(world.reply_recv(&msg(2, &[])), Some(1));
    assert_eq!((world.runs_on(0), world.runs_on(1)), (Some(0), Some(1)));
    assert_eq!(world.signals(1), 1 << common::spec::WAKE_ID);
    assert_eq!(world.recv(), Some(0));
    assert_eq!(world.runs_on(1), None);
}

#[test]
fn a_passive_pd_can_be_passive_without_an_endpoint() {
    let mut world = World::init(&system(vec![pd("driver", 10).passive()], &[]));
    assert_eq!(world.machine.reports, ["started", "0 is passive"]);
    give_up_time(&mut world, 0);
    world.wake(0);
    assert_eq!(world.runs_on(0), Some(0));
}

#[test]
fn signals_before_a_passive_pd_first_waits_are_received_first() {
    let mut world = World::boot(&system(vec![pd("driver", 10).passive()], &[]));
    let irq = common::spec::WAKE_IRQ;
    world.step(kernel_model::Event::Interrupt(irq));
    world.nb_send_recv(slots::MONITOR_ENDPOINT, &msg(0, &[]));
    assert_eq!(world.machine.reports, ["started", "0 is passive"]);
    assert_eq!(world.running(), Some(0));
    assert_eq!(world.signals(0), 1 << common::spec::WAKE_ID);
    assert_eq!(world.runs_on(0), Some(0));
    world.recv();
    assert_eq!(world.runs_on(0), None);
}

#[test]
fn a_suspended_caller_leaves_its_scheduling_context_with_the_server() {
    let pds = vec![
        pd("parent", 40),
        pd("client", 10).child_of(0, 0),
        pd("server", 20).passive(),
    ];
    let mut world = World::init(&system(pds, &[pp((1, 1), (2, 1))]));
    give_up_time(&mut world, 2);
    world.wake(1);
    world.pp_call(1, &msg(1, &[]));
    world.wake(0);
    let tcb = slots::BASE_TCB;
    assert_eq!(
        world.invoke(tcb, invocation::TCBSuspend, &[], &[]),
        Ok(vec![])
    );
    assert_eq!(world.state(1), ThreadState::Inactive);
    assert_eq!(world.recv(), Some(2));
    assert_eq!(world.runs_on(2), Some(1));
    assert_eq!(world.reply_recv(&msg(2, &[])), None, "nobody is there");
    assert_eq!(world.runs_on(2), Some(1));
}

#[test]
fn a_broken_stack_returns_nothing_to_the_callers_below() {
    let pds = vec![
        pd("parent", 40),
        pd("client", 10),
        pd("server", 20).passive().child_of(0, 0),
        pd("backend", 30).passive(),
    ];
    let channels = [pp((1, 1), (2, 1)), pp((2, 2), (3, 1))];
    let mut world = World::init(&system(pds, &channels));
    give_up_time(&mut world, 2);
    give_up_time(&mut world, 3);
    world.wake(1);
    world.pp_call(1, &msg(1, &[]));
    world.pp_call(2, &msg(2, &[]));
    world.wake(0);
    // The invocation suspends the server, which is in the middle of the stack.
    let tcb = slots::BASE_TCB;
    assert_eq!(
        world.invoke(tcb, invocation::TCBSuspend, &[], &[]),
        Ok(vec![])
    );
    let replies = |world: &World, pd_index| {
        let reply = world.kernel.own_reply(world.thread(pd_index));
        world.kernel.reply(reply).clone()
    };
    assert_eq!(replies(&world, 3).thread, None);
    assert_eq!(replies(&world, 2).above, None);
    assert_eq!(replies(&world, 2).thread, Some(world.thread(1)));
    assert_eq!(world.recv(), Some(3));
    assert_eq!(world.runs_on(3), Some(1));
    assert!(matches!(world.state(1), ThreadState::BlockedOnReply { .. }));
}

#[test]
fn a_caller_that_was_given_another_scheduling_context_does_not_get_its_own_back() {
    let pds = vec![
        pd("client", 10),
        pd("server", 20).passive(),
        pd("giver", 40)
            .cap(1, UserCapKind::SchedContext, 3)
            .cap(2, UserCapKind::Tcb, 0),
        pd("donor", 5),
    ];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 1))]));
    give_up_time(&mut world, 1);
    world.wake(0);
    world.pp_call(1, &msg(1, &[]));
    world.wake(2);
    let (sched_context, tcb) = (slots::user_cptr(1).unwrap(), slots::user_cptr(2).unwrap());
    let unbind = invocation::SchedContextUnbind;
    assert_eq!(world.invoke(sched_context, unbind, &[], &[]), Ok(vec![]));
    let bind = invocation::SchedContextBind;
    assert_eq!(world.invoke(sched_context, bind, &[], &[tcb]), Ok(vec![]));
    assert_eq!(world.runs_on(0), Some(3));
    assert_eq!(world.recv(), Some(1));
    // The reply wakes the client. The client already has another scheduling context. So the server
    // keeps the client's first scheduling context.
    assert_eq!(world.reply_recv(&msg(2, &[])), Some(0));
    assert_eq!((world.runs_on(0), world.runs_on(1)), (Some(3), Some(0)));
    assert_eq!(world.received(0).badge, 0);
    assert_eq!(world.received(0).label, 2);
}

#[test]
fn a_non_blocking_send_donates_only_with_a_receive() {
    let pds = vec![pd("client", 10), pd("server", 20).passive()];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 1))]));
    give_up_time(&mut world, 1);
    world.wake(0);
    let endpoint = slots::BASE_ENDPOINT + 1;
    // A send alone wakes the server but donates no scheduling context, so the server cannot run.
    let mut alone = world.clone();
    assert_eq!(alone.send(endpoint, &msg(1, &[])), Some(0));
    assert_eq!(alone.state(1), ThreadState::Running);
    assert_eq!(alone.runs_on(1), None);
    assert_eq!(alone.recv(), None);
    // A send and a receive in one system call donate the client's scheduling context.
    assert_eq!(world.nb_send_recv(endpoint, &msg(1, &[])), Some(1));
    assert_eq!((world.runs_on(0), world.runs_on(1)), (None, Some(0)));
    assert_eq!(world.received(1).badge, badge::call(1));
}

#[test]
fn a_faulting_child_donates_to_a_passive_parent() {
    let pds = vec![pd("parent", 20).passive(), pd("child", 10).child_of(0, 3)];
    let mut world = World::init(&system(pds, &[]));
    give_up_time(&mut world, 0);
    world.wake(1);
    let fault = kernel_model::Fault::Vm {
        address: 8,
        fsr: 0x9200_0004,
        instruction: false,
    };
    assert_eq!(world.fault(fault), Some(0));
    assert_eq!(world.received(0).badge, badge::fault(3));
    assert_eq!((world.runs_on(0), world.runs_on(1)), (Some(1), None));
    assert_eq!(world.reply_recv(&msg(0, &[])), Some(1));
    assert_eq!((world.runs_on(0), world.runs_on(1)), (None, Some(1)));
}

#[test]
fn a_parent_that_does_not_reply_keeps_the_scheduling_context_of_a_faulted_child() {
    let pds = vec![pd("parent", 20).passive(), pd("child", 10).child_of(0, 3)];
    let mut world = World::init(&system(pds, &[]));
    give_up_time(&mut world, 0);
    world.wake(1);
    world.fault(kernel_model::Fault::UserException { number: 0, code: 0 });
    world.receive_with(syscall::Recv);
    assert_eq!(world.state(1), ThreadState::Inactive);
    assert_eq!((world.runs_on(0), world.runs_on(1)), (Some(1), None));
}
