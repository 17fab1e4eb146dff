//! Tests the debugging system calls.

mod common;

use common::World;
use common::spec::{PdExt, pd, system};
use kernel_model::numbers::{invocation, syscall};
use kernel_model::{CAP_REGISTER, Event, Next};
use microkit_abi::slots;

fn world() -> World {
    let pds = vec![pd("parent", 20), pd("child", 10).child_of(0, 0)];
    World::boot(&system(pds, &[]))
}

/// Makes a debugging call with this argument.
#[track_caller]
fn debug(world: &mut World, number: i64, argument: u64) -> Option<usize> {
    world.set(CAP_REGISTER, argument);
    world.syscall(number)
}

fn put_name(world: &mut World, name: &[u8]) {
    for (index, bytes) in name.chunks(8).enumerate() {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        world.machine.buffers[0][1 + index] = u64::from_le_bytes(word);
    }
}

#[test]
fn characters_go_to_the_console() {
    let mut world = world();
    for byte in *b"hello" {
        assert_eq!(
            debug(&mut world, syscall::DebugPutChar, byte.into()),
            Some(0)
        );
    }
    assert_eq!(world.machine.console, "hello");
}

#[test]
fn debugging_takes_no_time() {
    let mut world = world();
    let (before, now) = (world.next, world.kernel.now());
    world.use_time(999);
    debug(&mut world, syscall::DebugPutChar, 0);
    assert_eq!(world.next, before);
    assert_eq!(world.kernel.now(), now);
}

#[test]
fn dumps_are_reported() {
    let mut world = world();
    debug(&mut world, syscall::DebugDumpScheduler, 0);
    debug(&mut world, syscall::DebugSnapshot, 0);
    assert_eq!(world.machine.reports[1..], ["dump of 2", "snapshot for 0"]);
}

#[test]
fn a_thread_can_be_named() {
    for name in ["", "x", "eight bytes", &"y".repeat(959)] {
        let mut world = world();
        put_name(&mut world, name.as_bytes());
        assert_eq!(
            debug(&mut world, syscall::DebugNameThread, slots::BASE_TCB),
            Some(0)
        );
        assert_eq!(world.machine.reports[1], format!("1 is {name:?}"));
    }
}

#[track_caller]
fn check_halts(mut world: World, number: i64, argument: u64, reason: &str) {
    assert_eq!(debug(&mut world, number, argument), None);
    assert_eq!(world.next, Next::Halt);
    let report = world.machine.reports.last().unwrap();
    assert_eq!(*report, format!("0 halts: {reason}"));
    world.step(Event::Tick);
    assert_eq!(world.next, Next::Halt, "for good");
}

#[test]
fn halting_halts() {
    check_halts(world(), syscall::DebugHalt, 0, "Asked");
}

#[test]
fn naming_a_thread_with_wrong_arguments_halts() {
    let name = syscall::DebugNameThread;
    check_halts(world(), name, slots::VSPACE, "NotAThread");
    check_halts(world(), name, 512, "NotAThread");
    let mut endless = world();
    put_name(&mut endless, &[b'y'; 960]);
    check_halts(endless, name, slots::BASE_TCB, "NameTooLong");
    let spec = system(
        vec![pd("one", 1).cap(1, boot_spec::UserCapKind::Tcb, 0)],
        &[],
    );
    let mut without_buffer = World::boot(&spec);
    let own = slots::user_cptr(1).unwrap();
    let set = invocation::TCBSetIPCBuffer;
    assert_eq!(without_buffer.invoke(own, set, &[0], &[0]), Ok(vec![]));
    check_halts(without_buffer, name, own, "NoIpcBuffer");
}

#[test]
fn numbers_beyond_the_debugging_calls_are_unknown() {
    for number in [-18, 0, 1, i64::MIN] {
        let mut world = world();
        world.syscall(number);
        assert_eq!(world.machine.faults[0].1, 2, "{number}");
    }
}
