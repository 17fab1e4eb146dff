//! Tests endpoints: sending and receiving, the order of the queue, and the thread that runs next.

mod common;

use common::spec::{PdExt, pd, pp, system};
use common::{World, msg, received};
use kernel_model::numbers::{error, syscall};
use kernel_model::{INFO_REGISTER, ThreadState};
use microkit_abi::{badge, slots};

/// Returns a system with a client that may call a server of higher priority.
fn client_and_server() -> World {
    let pds = vec![pd("client", 10), pd("server", 20)];
    World::init(&system(pds, &[pp((0, 1), (1, 2))]))
}

#[test]
fn a_call_reaches_the_server_and_its_reply_the_client() {
    let mut world = client_and_server();
    world.wake(0);
    assert_eq!(world.pp_call(1, &msg(7, &[1, 2, 3])), Some(1));
    assert_eq!(world.received(1), received(badge::call(2), 7, &[1, 2, 3]));
    assert_eq!(world.reply_recv(&msg(8, &[4])), Some(0));
    assert_eq!(world.received(0), received(0, 8, &[4]));
}

#[test]
fn a_caller_waits_until_the_server_receives() {
    let mut world = client_and_server();
    world.wake(1);
    world.machine.now += 1;
    // The server runs, so the client's call must wait.
    world.receive_from(syscall::NBRecv, slots::INPUT);
    assert_eq!(world.signals(1), 0, "there is nothing to receive yet");
    world.recv();
    world.wake(0);
    world.pp_call(1, &msg(1, &[]));
    assert_eq!(world.running(), Some(1));
    assert!(matches!(world.state(0), ThreadState::BlockedOnReply { .. }));
}

#[test]
fn a_busy_server_receives_callers_by_priority_then_by_time() {
    let pds = vec![
        pd("server", 10),
        pd("first", 20),
        pd("second", 20),
        pd("urgent", 30),
    ];
    let channels = [pp((1, 0), (0, 1)), pp((2, 0), (0, 2)), pp((3, 0), (0, 3))];
    let mut world = World::init(&system(pds, &channels));
    world.wake(0);
    // While the server is busy, all three clients call. Each client has a higher priority and
    // preempts the server.
    for client in [1, 2, 3] {
        world.wake(client);
        assert_eq!(world.pp_call(0, &msg(client as u64, &[])), Some(0));
    }
    let mut order = Vec::new();
    world.recv();
    for _ in 0..3 {
        order.push(world.received(0).label);
        let answered = world.reply_recv(&msg(0, &[]));
        // The client has a higher priority than the server. The client runs, and waits again.
        world.recv();
        assert_ne!(answered, Some(0));
    }
    assert_eq!(order, [3, 1, 2]);
}

#[test]
fn a_blocking_send_waits_and_a_non_blocking_one_is_lost() {
    let mut world = client_and_server();
    world.wake(1);
    // The server sends to itself, so no thread can receive the message.
    let own = slots::INPUT;
    assert_eq!(world.nb_send(own, &msg(1, &[])), Some(1));
    assert_eq!(world.send(own, &msg(2, &[])), None);
    assert!(matches!(
        world.state(1),
        ThreadState::BlockedOnSend { is_call: false, .. }
    ));
}

#[test]
fn a_sender_that_does_not_call_resumes_when_its_message_is_received() {
    let pds = vec![pd("client", 20), pd("server", 10)];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 2))]));
    world.wake(1);
    world.wake(0);
    assert_eq!(world.send(slots::BASE_ENDPOINT + 1, &msg(5, &[6])), Some(1));
    assert_eq!(world.recv(), Some(0));
    assert_eq!(world.received(1), received(badge::call(2), 5, &[6]));
    assert_eq!(world.state(0), ThreadState::Running);
}

#[test]
fn non_blocking_receives_find_pending_messages_only() {
    let pds = vec![pd("client", 20), pd("server", 10)];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 2))]));
    world.wake(1);
    for number in [syscall::NBRecv, syscall::NBWait] {
        assert_eq!(world.receive_with(number), Some(1));
        assert_eq!(world.signals(1), 0);
    }
    world.wake(0);
    assert_eq!(world.send(slots::BASE_ENDPOINT + 1, &msg(5, &[6])), Some(1));
    assert_eq!(world.receive_with(syscall::NBRecv), Some(0));
    assert_eq!(world.received(1), received(badge::call(2), 5, &[6]));
}

#[test]
fn a_caller_becomes_inactive_if_its_message_is_received_without_a_reply_object() {
    let pds = vec![pd("client", 20), pd("server", 10)];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 2))]));
    world.wake(1);
    world.wake(0);
    world.pp_call(1, &msg(5, &[]));
    assert_eq!(world.receive_with(syscall::Wait), Some(1));
    assert_eq!(world.received(1).label, 5);
    assert_eq!(world.state(0), ThreadState::Inactive);
}

#[test]
fn receiving_again_drops_a_caller_without_a_reply() {
    let mut world = client_and_server();
    world.wake(0);
    world.pp_call(1, &msg(5, &[]));
    assert_eq!(world.recv(), None);
    assert_eq!(world.state(0), ThreadState::Inactive);
    assert_eq!(
        world
            .kernel
            .reply(world.kernel.own_reply(world.thread(1)))
            .thread,
        Some(world.thread(1)),
        "the reply object waits for the next"
    );
}

#[test]
fn a_reply_without_a_caller_is_lost() {
    let mut world = client_and_server();
    world.wake(1);
    assert_eq!(world.reply_recv(&msg(1, &[2])), None);
    assert!(matches!(
        world.state(1),
        ThreadState::BlockedOnReceive { .. }
    ));
}

#[test]
fn a_reply_object_can_be_invoked_to_reply() {
    let mut world = client_and_server();
    world.wake(0);
    world.pp_call(1, &msg(5, &[]));
    assert_eq!(world.send(slots::REPLY, &msg(9, &[1])), Some(1));
    assert_eq!(world.received(0), received(0, 9, &[1]));
    assert_eq!(world.recv(), Some(0));
}

#[test]
fn calling_a_reply_object_replies_and_is_answered() {
    let mut world = client_and_server();
    world.wake(0);
    world.pp_call(1, &msg(5, &[]));
    assert_eq!(world.invoke(slots::REPLY, 9, &[1], &[]), Ok(vec![]));
    assert_eq!(world.received(0), received(0, 9, &[1]));
}

#[test]
fn nb_send_recv_sends_and_receives_in_one() {
    let pds = vec![pd("client", 10), pd("server", 20)];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 2))]));
    world.wake(0);
    let endpoint = slots::BASE_ENDPOINT + 1;
    assert_eq!(world.nb_send_recv(endpoint, &msg(3, &[4])), Some(1));
    assert_eq!(world.received(1), received(badge::call(2), 3, &[4]));
    assert!(matches!(
        world.state(0),
        ThreadState::BlockedOnNotification { .. }
    ));
}

#[test]
fn nb_send_wait_takes_the_destination_from_the_reply_register() {
    let pds = vec![pd("client", 10), pd("server", 20)];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 2))]));
    world.wake(0);
    world.put(&msg(3, &[4]));
    world.set(kernel_model::REPLY_REGISTER, slots::BASE_ENDPOINT + 1);
    world.set(kernel_model::CAP_REGISTER, slots::INPUT);
    assert_eq!(world.syscall(syscall::NBSendWait), Some(1));
    assert_eq!(world.received(1).label, 3);
    assert!(matches!(
        world.state(0),
        ThreadState::BlockedOnNotification { .. }
    ));
}

#[test]
fn a_receiver_of_equal_priority_waits_for_its_turn_and_of_higher_does_not() {
    for (priority, runs) in [(10, 0), (11, 1), (9, 0)] {
        let pds = vec![pd("client", 10), pd("server", priority)];
        let mut world = World::init(&system(pds, &[pp((0, 1), (1, 2))]));
        world.wake(0);
        let running = world.send(slots::BASE_ENDPOINT + 1, &msg(1, &[]));
        assert_eq!(running, Some(runs), "priority {priority}");
        assert!(world.state(1) == ThreadState::Running);
    }
}

#[test]
fn signals_wake_a_server_that_waits_for_calls() {
    let pds = vec![pd("client", 10), pd("server", 20)];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 2))]));
    world.wake(0);
    assert_eq!(world.notify(1), Some(1));
    assert_eq!(world.signals(1), 1 << 2);
    assert_eq!(world.recv(), Some(0));
}

#[test]
fn a_signal_comes_before_a_caller_that_waits() {
    let pds = vec![pd("client", 20), pd("other", 20), pd("server", 10)];
    let channels = [pp((0, 1), (2, 1)), pp((1, 1), (2, 2))];
    let mut world = World::init(&system(pds, &channels));
    world.wake(2);
    world.wake(0);
    world.pp_call(1, &msg(5, &[]));
    world.wake(1);
    world.notify(1);
    world.recv();
    assert_eq!(world.recv(), Some(2));
    assert_eq!(world.signals(2), 1 << 2);
    world.recv();
    assert_eq!(world.received(2), received(badge::call(1), 5, &[]));
}

#[test]
fn receiving_a_signal_leaves_the_message_register_as_it_was() {
    let pds = vec![pd("client", 10), pd("server", 20)];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 2))]));
    world.wake(0);
    world.context_mut(1)[INFO_REGISTER] = 0x1234;
    world.notify(1);
    assert_eq!(world.context(1)[INFO_REGISTER], 0x1234);
}

#[test]
fn an_empty_slot_cannot_be_invoked() {
    let mut world = client_and_server();
    world.wake(0);
    let nothing = slots::BASE_ENDPOINT + 60;
    let refused = Err((error::InvalidCapability, vec![0]));
    assert_eq!(world.invoke(nothing, 0, &[], &[]), refused);
    assert_eq!(
        world.send(nothing, &msg(0, &[])),
        Some(0),
        "and not reported"
    );
}

#[test]
fn a_passive_server_runs_at_its_own_priority() {
    let pds = vec![
        pd("client", 10),
        pd("server", 5).passive(),
        pd("between", 7),
    ];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 2))]));
    world.wake(1);
    world.recv();
    world.wake(2);
    world.wake(0);
    assert_eq!(world.pp_call(1, &msg(1, &[])), Some(2));
    assert_eq!(world.recv(), Some(1), "on the client's time");
    assert_eq!(world.runs_on(1), Some(0));
}
