//! Tests `run_instead`, which runs a thread that the scheduler has not chosen, and `stop`, which
//! suspends a thread.

mod common;

use common::World;
use common::spec::{notify, pd, system};
use kernel_model::{Cap, Next, ThreadState};
use microkit_abi::slots;

#[test]
fn any_ready_thread_can_run_instead_and_all_run_in_the_end() {
    let pds = vec![pd("low", 1), pd("middle", 2), pd("high", 3)];
    let mut world = World::boot(&system(pds, &[notify((0, 1), (2, 1))]));
    assert_eq!(world.running(), Some(2));
    let low = world.thread(0);
    let next = world.kernel.run_instead(low, &mut world.machine);
    assert!(matches!(next, Next::Run { thread, .. } if thread == low));
    let in_line: Vec<_> = world.kernel.ready().map(|thread| thread.index()).collect();
    assert_eq!(in_line, [2, 1]);
    // When this thread can no longer run, the scheduler chooses again.
    world.next = world.kernel.stop(low, &mut world.machine);
    assert_eq!(world.running(), Some(2));
    world.kernel.check().unwrap();
    world.first_receive(2);
    world.first_receive(1);
    assert_eq!(world.running(), None);
}

#[test]
#[should_panic(expected = "low cannot run")]
fn a_blocked_thread_cannot_run_instead() {
    let mut world = World::init(&system(vec![pd("low", 1), pd("high", 3)], &[]));
    let low = world.thread(0);
    world.kernel.run_instead(low, &mut world.machine);
}

#[test]
fn a_thread_is_stopped_where_it_is() {
    let mut world = World::boot(&system(vec![pd("low", 1), pd("high", 3)], &[]));
    let high = world.thread(1);
    let next = world.kernel.stop(high, &mut world.machine);
    assert!(matches!(next, Next::Run { thread, .. } if thread.index() == 0));
    assert_eq!(world.state(1), ThreadState::Inactive);
    world.kernel.check().unwrap();
}

#[test]
fn the_capability_of_a_pointer_is_returned() {
    let world = World::boot(&system(vec![pd("one", 1)], &[]));
    let one = world.thread(0);
    assert!(matches!(world.kernel.cap(one, slots::REPLY), Cap::Reply(_)));
    assert_eq!(world.kernel.cap(one, 9), Cap::Null);
    assert_eq!(world.kernel.cap(one, 1 << 20), Cap::Null);
}
