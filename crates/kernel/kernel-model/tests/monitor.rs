//! Tests the monitor: passive PDs, and faults of PDs without a parent.

mod common;

use common::spec::{PdExt, pd, system};
use common::{World, msg};
use kernel_model::numbers::{error, fault, lookup_failure, syscall};
use kernel_model::{CAP_REGISTER, Fault, ThreadState};
use microkit_abi::slots;

#[test]
fn a_fault_without_a_parent_is_reported_and_stops_the_thread() {
    let pds = vec![pd("one", 10), pd("two", 20)];
    let mut world = World::init(&system(pds, &[]));
    world.wake(1);
    let pc = world.context(1).pc;
    let fault = Fault::Vm {
        address: 0x10,
        fsr: 0x9200_0046,
        instruction: false,
    };
    assert_eq!(world.fault(fault), None);
    assert_eq!(
        world.machine.faults,
        [(1, fault::VMFault, [pc, 0x10, 0, 0x9200_0046, 0, 0, 0])]
    );
    assert_eq!(world.state(1), ThreadState::Inactive);
    assert_eq!(world.kernel.thread(world.thread(1)).fault, None);
}

#[test]
fn all_words_of_a_capability_fault_are_reported() {
    let mut world = World::init(&system(vec![pd("one", 10)], &[]));
    world.wake(0);
    let pc = world.context(0).pc;
    world.set(CAP_REGISTER, 512);
    world.syscall(syscall::Send);
    let words = [pc, 512, 0, lookup_failure::GuardMismatch, 58, 0, 49];
    assert_eq!(world.machine.faults, [(0, fault::CapFault, words)]);
}

#[test]
fn one_fault_does_not_show_words_of_another() {
    let pds = vec![pd("one", 10), pd("two", 20)];
    let mut world = World::init(&system(pds, &[]));
    world.wake(0);
    world.set(CAP_REGISTER, 512);
    world.syscall(syscall::Send);
    world.wake(1);
    world.fault(Fault::Vcpu { hsr: 7 });
    assert_eq!(
        world.machine.faults[1],
        (1, fault::VCPUFault, [7, 0, 0, 0, 0, 0, 0])
    );
}

#[test]
fn a_fault_lets_the_next_thread_run() {
    let pds = vec![pd("a", 10), pd("b", 10), pd("c", 9)];
    let mut world = World::boot(&system(pds, &[]));
    let exception = Fault::UserException { number: 1, code: 0 };
    assert_eq!(world.running(), Some(1));
    assert_eq!(world.fault(exception), Some(0));
    assert_eq!(world.fault(exception), Some(2));
    assert_eq!(world.fault(exception), None);
    assert_eq!(world.machine.faults.len(), 3);
}

#[test]
fn only_a_passive_pd_can_be_made_passive() {
    let pds = vec![pd("active", 10), pd("passive", 20).passive()];
    let mut world = World::init(&system(pds, &[]));
    world.wake(0);
    // The fault endpoint is the monitor's endpoint, and every PD may send to it.
    assert_eq!(world.send(slots::FAULT_ENDPOINT, &msg(0, &[])), Some(0));
    world.wake(1);
    world.send(slots::MONITOR_ENDPOINT, &msg(0, &[]));
    let invalid = format!("0 is not passive: invalid capability {}", 0);
    let illegal = "1 is not passive: illegal operation";
    assert_eq!(error::InvalidCapability, 2);
    assert_eq!(
        world.machine.reports[1..],
        ["1 is passive", invalid.as_str(), illegal]
    );
}

#[test]
fn a_forged_fault_message_is_reported_as_that_fault() {
    let mut world = World::init(&system(vec![pd("one", 10)], &[]));
    world.wake(0);
    let words = [1, 2, 3, 4, 5, 6, 7, 8];
    assert_eq!(world.send(slots::FAULT_ENDPOINT, &msg(99, &words)), Some(0));
    assert_eq!(world.machine.faults, [(0, 99, [1, 2, 3, 4, 5, 6, 7])]);
    assert_eq!(world.state(0), ThreadState::Running);
}

#[test]
fn calling_the_monitor_is_not_answered() {
    let mut world = World::init(&system(vec![pd("one", 10)], &[]));
    world.wake(0);
    assert_eq!(world.call(slots::FAULT_ENDPOINT, &msg(99, &[])), None);
    assert_eq!(world.state(0), ThreadState::Inactive);
}

#[test]
fn a_pd_that_receives_from_the_monitors_endpoint_queues_behind_the_monitor() {
    let pds = vec![pd("thief", 30), pd("victim", 10)];
    let mut world = World::init(&system(pds, &[]));
    world.wake(0);
    world.receive_from(syscall::Recv, slots::FAULT_ENDPOINT);
    world.wake(1);
    world.fault(Fault::Vcpu { hsr: 7 });
    assert_eq!(world.machine.faults.len(), 1);
    assert!(matches!(
        world.state(0),
        ThreadState::BlockedOnReceive { .. }
    ));
}

#[test]
fn the_monitor_preempts_the_running_thread_which_then_continues() {
    let pds = vec![pd("a", 10), pd("b", 10).passive()];
    let mut world = World::boot(&system(pds, &[]));
    world.first_receive(1);
    assert_eq!(world.running(), Some(0));
    assert_eq!(world.machine.reports, ["started", "1 is passive"]);
}
