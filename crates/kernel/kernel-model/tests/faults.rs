//! Tests faults: the receiver of the message, its contents, and the effects of the reply.

mod common;

use common::spec::{ENTRY, PdExt, pd, pp, system};
use common::{World, msg, received};
use kernel_model::numbers::{debug_reason, fault, invocation, lookup_failure, syscall};
use kernel_model::{
    CAP_REGISTER, Fault, REPLY_REGISTER, TIMEOUT_REPLY_REGISTERS, ThreadState, UserContext,
};
use microkit_abi::{badge, slots};

const VM_FAULT: Fault = Fault::Vm {
    address: 0x1234,
    fsr: 0x9200_0045,
    instruction: false,
};

/// Returns a system with a parent and its running child 5.
fn family() -> World {
    let pds = vec![pd("parent", 20), pd("child", 10).child_of(0, 5)];
    let mut world = World::init(&system(pds, &[]));
    world.wake(1);
    world
}

/// Gives all registers of a PD different values.
fn distinct(world: &mut World, pd_index: usize) -> UserContext {
    let context = world.context_mut(pd_index);
    (100..)
        .zip(&mut context.x)
        .for_each(|(value, register)| *register = value);
    (context.sp, context.spsr) = (0x8000, 0x6000_0040);
    (context.tpidr, context.tpidrro) = (0x700, 0x701);
    *context
}

#[test]
fn a_vm_fault_goes_to_the_parent_and_its_reply_restarts() {
    for label in [0, 1] {
        let mut world = family();
        let pc = world.context(1).pc;
        assert_eq!(world.fault(VM_FAULT), Some(0));
        let words = [pc, 0x1234, 0, 0x9200_0045];
        let expect = received(badge::fault(5), fault::VMFault, &words);
        assert_eq!(world.received(0), expect);
        assert_eq!(world.reply_recv(&msg(label, &[1, 2, 3])), Some(1));
        assert_eq!(world.context(1).pc, pc, "whatever the label");
        assert_eq!(world.context(1).x[0], 0);
    }
}

#[test]
fn a_capability_fault_reports_the_pointer_and_its_reply_restarts_the_call() {
    let mut world = family();
    let pc = world.context(1).pc;
    world.set(CAP_REGISTER, 5000);
    assert_eq!(world.syscall(syscall::Send), Some(0));
    let words = [pc, 5000, 0, lookup_failure::GuardMismatch, 58, 0, 49];
    let expect = received(badge::fault(5), fault::CapFault, &words);
    assert_eq!(world.received(0), expect);
    assert_eq!(world.reply_recv(&msg(9, &[])), Some(1));
    assert_eq!(world.context(1).pc, pc);
}

/// Asserts that `act` causes a capability fault of the running child, with these words: the
/// address, the receiving flag, and the failure.
#[track_caller]
fn check_cap_fault(act: impl FnOnce(&mut World), words: &[u64]) {
    let mut world = family();
    act(&mut world);
    assert_eq!(world.received(0).label, fault::CapFault);
    assert_eq!(world.received(0).words[1..], *words);
}

#[test]
fn receiving_from_a_capability_without_that_right_is_a_capability_fault() {
    let missing = lookup_failure::MissingCapability;
    let recv = |cptr| {
        move |world: &mut World| {
            world.receive_from(syscall::Recv, cptr);
        }
    };
    check_cap_fault(recv(0), &[0, 1, missing, 0]);
    check_cap_fault(recv(slots::VSPACE), &[slots::VSPACE, 1, missing, 0]);
    check_cap_fault(recv(slots::REPLY), &[slots::REPLY, 1, missing, 0]);
    check_cap_fault(
        recv(1 << 20),
        &[1 << 20, 1, lookup_failure::GuardMismatch, 58, 0, 49],
    );
}

#[test]
fn receiving_without_a_reply_object_is_a_capability_fault() {
    let recv_with = |reply| {
        move |world: &mut World| {
            // The child's faults are sent to this endpoint of the parent.
            world.set(CAP_REGISTER, slots::FAULT_ENDPOINT);
            world.set(REPLY_REGISTER, reply);
            world.syscall(syscall::Recv);
        }
    };
    let missing = lookup_failure::MissingCapability;
    check_cap_fault(recv_with(slots::VSPACE), &[slots::VSPACE, 1, missing, 0]);
    check_cap_fault(
        recv_with(777),
        &[777, 1, lookup_failure::GuardMismatch, 58, 0, 49],
    );
}

#[test]
fn a_non_blocking_send_to_an_invalid_capability_is_not_a_fault() {
    let mut world = family();
    world.set(CAP_REGISTER, 5000);
    assert_eq!(world.syscall(syscall::NBSend), Some(1));
    assert_eq!(world.nb_send_recv(5000, &msg(0, &[])), None);
    assert!(matches!(
        world.state(1),
        ThreadState::BlockedOnNotification { .. }
    ));
}

#[test]
fn an_unknown_system_call_reports_registers_and_its_reply_sets_them() {
    let mut world = family();
    let before = distinct(&mut world, 1);
    let svc = before.pc;
    assert_eq!(world.syscall(-1000), Some(0));
    let x = before.x;
    let mut words = x[..8].to_vec();
    words.extend([svc, 0x8000, svc + 4, 0x6000_0040, -1000_i64 as u64]);
    assert_eq!(
        world.received(0),
        received(badge::fault(5), fault::UnknownSyscall, &words)
    );
    // The reply sets x0 to x7, the program counter, the stack pointer and the condition flags.
    let mut reply: Vec<u64> = (0..8).collect();
    reply.extend([svc + 8, 0x9000, 0xdead, u64::MAX]);
    assert_eq!(world.reply_recv(&msg(0, &reply)), Some(1));
    let after = world.context(1);
    assert_eq!(after.x[..8], [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(after.x[8..], x[8..]);
    assert_eq!((after.pc, after.sp), (svc + 8, 0x9000));
    assert_eq!(after.spsr, 0xf000_0040);
}

#[test]
fn a_short_reply_sets_the_first_registers_only() {
    let mut world = family();
    let before = distinct(&mut world, 1);
    world.syscall(-1000);
    assert_eq!(world.reply_recv(&msg(0, &[7, 8])), Some(1));
    let after = world.context(1);
    assert_eq!(after.x[..3], [7, 8, before.x[2]]);
    assert_eq!(after.pc, before.pc, "the system call is made again");
}

#[test]
fn a_reply_with_a_label_leaves_the_thread_stopped() {
    let faults = [
        Fault::UserException { number: 9, code: 0 },
        Fault::UnknownSyscall { number: 9 },
        Fault::Debug {
            reason: debug_reason::SoftwareBreakRequest,
            address: 0,
            breakpoint: 0,
        },
    ];
    for fault in faults {
        let mut world = family();
        world.fault(fault);
        assert_eq!(world.reply_recv(&msg(1, &[])), None, "{fault:?}");
        assert_eq!(world.state(1), ThreadState::Inactive, "{fault:?}");
        let mut world = family();
        world.fault(fault);
        assert_eq!(world.reply_recv(&msg(0, &[])), Some(1), "{fault:?}");
    }
}

#[test]
fn a_user_exception_reports_the_pc_and_its_reply_sets_it() {
    let mut world = family();
    let before = distinct(&mut world, 1);
    let exception = Fault::UserException {
        number: 0x200_0000,
        code: 0,
    };
    assert_eq!(world.fault(exception), Some(0));
    let words = [before.pc, 0x8000, 0x6000_0040, 0x200_0000, 0];
    let expect = received(badge::fault(5), fault::UserException, &words);
    assert_eq!(world.received(0), expect);
    let reply = [before.pc + 4, 0x9000, 0x1000_0000, 7, 8];
    assert_eq!(world.reply_recv(&msg(0, &reply)), Some(1));
    let after = world.context(1);
    assert_eq!((after.pc, after.sp), (before.pc + 4, 0x9000));
    assert_eq!(after.spsr, 0x1000_0040);
    assert_eq!(after.x, before.x);
}

#[test]
fn a_break_is_a_debug_exception() {
    let mut world = family();
    let pc = world.context(1).pc;
    let event = kernel_model::Event::of_exception(0xf200_0001, 0, world.context(1));
    assert_eq!(world.step(event), Some(0));
    assert_eq!(
        world.received(0),
        received(badge::fault(5), fault::DebugException, &[pc, 3])
    );
    world.reply_recv(&msg(0, &[pc + 4]));
    assert_eq!(world.context(1).pc, pc, "a reply does not skip it");
}

#[test]
fn disabled_floating_point_is_a_vcpu_fault() {
    let mut world = family();
    world.fault(Fault::Vcpu { hsr: 0x1fe0_0000 });
    let expect = received(badge::fault(5), fault::VCPUFault, &[0x1fe0_0000]);
    assert_eq!(world.received(0), expect);
    assert_eq!(world.reply_recv(&msg(9, &[])), Some(1));
}

#[test]
fn a_fault_message_is_cut_to_four_words_without_a_buffer() {
    let pds = vec![
        pd("grandparent", 30),
        pd("parent", 20).child_of(0, 0),
        pd("child", 10).child_of(1, 5),
    ];
    let mut world = World::init(&system(pds, &[]));
    world.wake(0);
    let tcb = slots::BASE_TCB;
    world
        .invoke(tcb, invocation::TCBSetIPCBuffer, &[0], &[0])
        .unwrap();
    world.recv();
    for fault in [
        Fault::UnknownSyscall { number: 3 },
        Fault::UserException { number: 3, code: 0 },
    ] {
        world.wake(2);
        world.fault(fault);
        assert_eq!(world.received(1).words.len(), 4, "{fault:?}");
        world.recv();
        world.wake(1);
        let resumed = world.invoke(
            slots::BASE_TCB + 5,
            invocation::TCBWriteRegisters,
            &[1, 1, ENTRY],
            &[],
        );
        assert_eq!(resumed, Ok(vec![]));
        world.recv();
        world.recv();
    }
}

#[test]
fn a_fault_waits_until_the_parent_receives() {
    let mut world = family();
    world.wake(0);
    // The parent waits at the endpoint for its own faults, and not at the endpoint for the child's
    // faults.
    assert_eq!(
        world.receive_from(syscall::Wait, slots::FAULT_ENDPOINT),
        Some(1)
    );
    assert_eq!(world.fault(VM_FAULT), None);
    assert!(matches!(world.state(1), ThreadState::BlockedOnSend { .. }));
}

#[test]
fn a_parent_can_restart_a_child_that_faulted_instead_of_replying() {
    let mut world = family();
    world.fault(VM_FAULT);
    let words = [1, 1, 0x20_1000];
    let restarted = world.invoke(
        slots::BASE_TCB + 5,
        invocation::TCBWriteRegisters,
        &words,
        &[],
    );
    assert_eq!(restarted, Ok(vec![]));
    assert_eq!(world.kernel.thread(world.thread(1)).fault, None);
    assert_eq!(world.recv(), Some(1));
    assert_eq!(world.context(1).pc, 0x20_1000);
}

#[test]
fn without_a_fault_handler_a_thread_stops() {
    let mut world = family();
    world.wake(0);
    // The invocation keeps the priority and the scheduling context, but removes the fault handler.
    let child = slots::BASE_TCB + 5;
    let params = world.invoke(
        child,
        invocation::TCBSetSchedParams,
        &[10, 10],
        &[child, 0, 0],
    );
    assert_eq!(params, Ok(vec![]));
    assert_eq!(world.runs_on(1), None, "nor a scheduling context");
    assert_eq!(world.kernel.thread(world.thread(1)).fault_handler, None);
}

#[test]
fn a_timeout_goes_to_the_timeout_endpoint_and_its_reply_sets_registers() {
    let pds = vec![
        pd("parent", 20),
        pd("child", 10).budget(300, 1000).child_of(0, 5),
    ];
    let mut world = World::init(&system(pds, &[pp((1, 1), (0, 1))]));
    world.wake(0);
    let child = slots::BASE_TCB + 5;
    let set = invocation::TCBSetTimeoutEndpoint;
    assert_eq!(world.invoke(child, set, &[], &[slots::INPUT]), Ok(vec![]));
    world.recv();
    world.pass(5000);
    world.wake(1);
    distinct(&mut world, 1);
    assert_eq!(world.pass(300), Some(0), "the parent has time of its own");
    // The words are the badge of the child's scheduling context, and the time that it has used.
    assert_eq!(
        world.received(0),
        received(0, fault::Timeout, &[0x101, 300])
    );
    let reply: Vec<u64> = (1000..1034).collect();
    assert_eq!(world.reply_recv(&msg(0, &reply)), None);
    assert_eq!(world.kernel.release_queue().count(), 1);
    let after = *world.context(1);
    for (value, register) in (1000..).zip(TIMEOUT_REPLY_REGISTERS) {
        let expect = if register == kernel_model::Register::Spsr {
            0x40
        } else {
            value
        };
        assert_eq!(after[register], expect, "{register:?}");
    }
    assert_eq!(after.tpidr, 0x700, "but for the thread pointers");
    assert_eq!(world.pass(700), Some(1));
}

#[test]
fn a_timeout_of_a_callee_goes_to_the_timeout_handler_of_the_callee() {
    let pds = vec![
        pd("parent", 40),
        pd("server", 30).passive().child_of(0, 5),
        pd("client", 10).budget(300, 1000),
    ];
    let mut world = World::init(&system(pds, &[pp((2, 1), (1, 1))]));
    world.wake(1);
    world.recv();
    world.wake(0);
    let set = invocation::TCBSetTimeoutEndpoint;
    let server = slots::BASE_TCB + 5;
    assert_eq!(world.invoke(server, set, &[], &[slots::INPUT]), Ok(vec![]));
    world.recv();
    world.pass(5000);
    world.wake(2);
    world.pp_call(1, &msg(1, &[]));
    assert_eq!(world.pass(300), Some(0));
    assert_eq!(world.received(0).label, fault::Timeout);
    assert_eq!(world.received(0).words[0], 0x102, "the client's");
    assert_eq!(world.runs_on(1), Some(2), "a timeout lends nothing");
}
