//! Tests reading, writing and copying the registers of another thread.

mod common;

use common::control::{CHILD, OK, check, own, refused, third, world};
use common::spec::ENTRY;
use kernel_model::numbers::{error, invocation};
use kernel_model::{CONTEXT_REGISTERS, Register, ThreadState, UserContext};
use microkit_abi::slots;

fn fill(context: &mut UserContext) {
    for (value, register) in (500..).zip(CONTEXT_REGISTERS) {
        context.set_sanitised(register, value);
    }
}

#[test]
fn reading_registers_lists_them_in_the_order_of_a_user_context() {
    let mut world = world();
    fill(world.context_mut(1));
    let context = *world.context(1);
    for count in [1, 4, 5, 17, 18, 36] {
        let read = world.invoke(CHILD, invocation::TCBReadRegisters, &[0, count], &[]);
        let expect: Vec<u64> = CONTEXT_REGISTERS
            .iter()
            .take(count as usize)
            .map(|register| context[*register])
            .collect();
        assert_eq!(read, Ok(expect));
    }
    assert!(matches!(
        world.state(1),
        ThreadState::BlockedOnReceive { .. } | ThreadState::BlockedOnNotification { .. }
    ));
}

#[test]
fn reading_registers_can_suspend_first() {
    let mut world = world();
    let read = world.invoke(CHILD, invocation::TCBReadRegisters, &[1, 1], &[]);
    assert_eq!(read.map(|words| words.len()), Ok(1));
    assert_eq!(world.state(1), ThreadState::Inactive);
}

#[test]
fn reading_registers_refuses_counts_out_of_range() {
    let range = || refused(error::RangeError, &[1, 36]);
    check(
        invocation::TCBReadRegisters,
        &[
            (&[0, 0], &[], range()),
            (&[0, 37], &[], range()),
            (&[0, u64::MAX], &[], range()),
            (&[0], &[], refused(error::TruncatedMessage, &[])),
            (&[], &[], refused(error::TruncatedMessage, &[])),
        ],
    );
    let own = world().invoke(own(), invocation::TCBReadRegisters, &[0, 1], &[]);
    assert_eq!(own, refused(error::IllegalOperation, &[]));
}

#[test]
fn writing_one_register_and_resuming_restarts_at_an_address() {
    // Corresponds to `microkit_pd_restart`.
    let mut world = world();
    let words = [1, 1, ENTRY];
    let written = world.invoke(CHILD, invocation::TCBWriteRegisters, &words, &[]);
    assert_eq!(written, OK);
    assert_eq!(world.recv(), Some(1));
    assert_eq!(world.context(1).pc, ENTRY);
}

#[test]
fn writing_registers_writes_as_many_as_are_sent_and_counted() {
    let mut world = world();
    let before = *world.context(1);
    let mut words = vec![0, 2];
    words.extend(700..736);
    let write = invocation::TCBWriteRegisters;
    assert_eq!(world.invoke(CHILD, write, &words, &[]), OK);
    let after = *world.context(1);
    assert_eq!((after.pc, after.sp), (700, 701));
    assert_eq!(after.spsr, before.spsr);
    assert!(
        matches!(world.state(1), ThreadState::BlockedOnReceive { .. })
            || matches!(world.state(1), ThreadState::BlockedOnNotification { .. })
    );
    words[1] = 36;
    assert_eq!(world.invoke(CHILD, write, &words, &[]), OK);
    let after = *world.context(1);
    for (value, register) in (700..).zip(CONTEXT_REGISTERS) {
        let expect = if register == Register::Spsr {
            0x40
        } else {
            value
        };
        assert_eq!(after[register], expect, "{register:?}");
    }
}

#[test]
fn counts_above_the_number_of_registers_can_be_written() {
    let mut words = vec![0, 100];
    words.extend(0..100);
    check(invocation::TCBWriteRegisters, &[(&words, &[], OK)]);
}

#[test]
fn writing_registers_refuses_to_write_more_than_is_sent() {
    let truncated = || refused(error::TruncatedMessage, &[]);
    check(
        invocation::TCBWriteRegisters,
        &[
            (&[0, 2, 5], &[], truncated()),
            (&[0, u64::MAX, 5], &[], truncated()),
            (&[0], &[], truncated()),
            (&[0, 0], &[], OK),
        ],
    );
    let own = world().invoke(own(), invocation::TCBWriteRegisters, &[0, 0], &[]);
    assert_eq!(own, refused(error::IllegalOperation, &[]));
}

#[test]
fn copying_registers_copies_the_requested_halves() {
    for (flags, frame, integer) in [
        (0, false, false),
        (4, true, false),
        (8, false, true),
        (12, true, true),
    ] {
        let mut world = world();
        fill(world.context_mut(2));
        let (before, source) = (*world.context(1), *world.context(2));
        let copied = world.invoke(CHILD, invocation::TCBCopyRegisters, &[flags], &[third()]);
        assert_eq!(copied, OK);
        let after = *world.context(1);
        for (index, register) in CONTEXT_REGISTERS.into_iter().enumerate() {
            let is_copied = if index < 17 { frame } else { integer };
            let expect = if is_copied { source } else { before };
            assert_eq!(after[register], expect[register], "{flags} {register:?}");
        }
        let pc = if frame { source.fault_ip } else { before.pc };
        assert_eq!(after.pc, pc);
    }
}

#[test]
fn copying_registers_can_suspend_the_source_and_resume_the_target() {
    let mut world = world();
    let copied = world.invoke(CHILD, invocation::TCBCopyRegisters, &[3], &[third()]);
    assert_eq!(copied, OK);
    assert_eq!(world.state(2), ThreadState::Inactive);
    assert_eq!(world.state(1), ThreadState::Restart);
    check(
        invocation::TCBCopyRegisters,
        &[
            (&[], &[third()], refused(error::TruncatedMessage, &[])),
            (&[0], &[], refused(error::TruncatedMessage, &[])),
            (
                &[0],
                &[slots::INPUT],
                refused(error::InvalidCapability, &[1]),
            ),
        ],
    );
}

#[test]
fn the_thread_pointer_can_be_set() {
    let mut world = world();
    let set = invocation::TCBSetTLSBase;
    assert_eq!(world.invoke(CHILD, set, &[0x1234], &[]), OK);
    assert_eq!(world.context(1).tpidr, 0x1234);
    assert_eq!(world.invoke(own(), set, &[0x5678], &[]), OK);
    assert_eq!(world.context(0).tpidr, 0x5678);
    check(set, &[(&[], &[], refused(error::TruncatedMessage, &[]))]);
}
