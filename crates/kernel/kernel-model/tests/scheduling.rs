//! Tests priorities, time slices, budgets and refills. In these tests, a tick is a microsecond and
//! the minimum budget is 20.

mod common;

use common::World;
use common::spec::{PdExt, WAKE_IRQ, notify, pd, system};
use kernel_model::numbers::{invocation, syscall};
use kernel_model::{Event, Next, Refill, ThreadState};
use microkit_abi::slots;

fn head(world: &World, pd_index: usize) -> Refill {
    let own = world.kernel.own_sched_context(world.thread(pd_index));
    world.kernel.sched_context(own).refills().head()
}

fn tail(world: &World, pd_index: usize) -> Option<Refill> {
    let own = world.kernel.own_sched_context(world.thread(pd_index));
    world.kernel.sched_context(own).refills().tail()
}

/// Returns the PD that runs in each of the next slices of `us` microseconds.
fn slices(world: &mut World, us: u64, count: usize) -> Vec<Option<usize>> {
    (0..count)
        .map(|_| {
            let running = world.running();
            world.pass(us);
            running
        })
        .collect()
}

#[test]
fn threads_of_one_priority_take_turns_of_a_budget() {
    let pds = vec![pd("a", 5), pd("b", 5), pd("c", 5), pd("low", 4)];
    let mut world = World::boot(&system(pds, &[]));
    let turns = [Some(2), Some(1), Some(0)];
    assert_eq!(slices(&mut world, 1000, 6), [turns, turns].concat());
}

#[test]
fn a_time_slice_continues_after_an_interrupt() {
    let pds = vec![pd("a", 5), pd("b", 5), pd("high", 6)];
    let mut world = World::boot(&system(pds, &[]));
    world.first_receive(2);
    let start = world.machine.now;
    assert_eq!(world.running(), Some(1));
    world.pass(300);
    world.wake(2);
    world.pass(100);
    assert_eq!(world.recv(), Some(1), "in front of the other");
    assert_eq!(world.until(), Some(start + 1000 + 100));
    assert_eq!(world.pass(700), Some(0));
}

#[test]
fn yielding_gives_the_rest_of_the_slice_away() {
    let pds = vec![pd("a", 5), pd("b", 5)];
    let mut world = World::boot(&system(pds, &[]));
    world.pass(300);
    assert_eq!(world.syscall(syscall::Yield), Some(0));
    assert_eq!(world.until(), Some(world.machine.now + 1000), "a whole one");
    assert_eq!(world.syscall(syscall::Yield), Some(1));
    assert_eq!(world.until(), Some(world.machine.now + 1000));
}

#[test]
fn yielding_alone_starts_a_new_slice() {
    let mut world = World::boot(&system(vec![pd("a", 5)], &[]));
    world.pass(300);
    assert_eq!(world.syscall(syscall::Yield), Some(0));
    assert_eq!(world.until(), Some(world.machine.now + 1000));
}

#[test]
fn a_budget_lasts_for_a_period() {
    let pds = vec![pd("a", 5).budget(300, 1000), pd("low", 4)];
    let mut world = World::boot(&system(pds, &[]));
    let start = world.machine.now;
    assert_eq!(world.until(), Some(start + 300));
    assert_eq!(world.pass(300), Some(1));
    let waiting: Vec<_> = world.kernel.release_queue().collect();
    assert_eq!(waiting, [world.thread(0)]);
    assert_eq!(head(&world, 0).time, start + 1000);
    assert_eq!(world.until(), Some(start + 1000), "then it comes back");
    assert_eq!(world.pass(699), Some(1));
    assert_eq!(world.pass(1), Some(0));
    assert_eq!(world.until(), Some(start + 1300));
}

/// As in seL4's `tcbReleaseEnqueue` (`src/object/tcb.c`), a thread is inserted behind threads with
/// the same time.
#[test]
fn threads_with_the_same_refill_time_are_released_in_the_order_of_arrival() {
    // Each PD starts when the previous PD has used up its budget. All PDs have the same refill
    // time.
    let pds = vec![
        pd("a", 8).budget(100, 1000),
        pd("b", 7).budget(200, 900),
        pd("c", 6).budget(300, 700),
        pd("low", 1),
    ];
    let mut world = World::boot(&system(pds, &[]));
    let start = world.machine.now;
    for (pd_index, us) in [(0, 100), (1, 200), (2, 300)] {
        assert_eq!(world.running(), Some(pd_index));
        world.pass(us);
    }
    let times = [0, 1, 2].map(|pd_index| head(&world, pd_index).time - start);
    assert_eq!(times, [1000; 3]);
    let waiting: Vec<_> = world.kernel.release_queue().collect();
    assert_eq!(waiting, [0, 1, 2].map(|pd_index| world.thread(pd_index)));
}

#[test]
fn without_ready_threads_the_machine_is_idle_until_the_next_refill() {
    let mut world = World::boot(&system(vec![pd("a", 5).budget(300, 1000)], &[]));
    let start = world.machine.now;
    world.pass(300);
    assert_eq!(
        world.next,
        Next::Idle {
            until: Some(start + 1000)
        }
    );
    assert_eq!(world.pass(700), Some(0));
    world.recv();
    assert_eq!(world.next, Next::Idle { until: None });
}

#[test]
fn yielding_a_budget_waits_for_the_next_period() {
    let mut world = World::boot(&system(vec![pd("a", 5).budget(300, 1000)], &[]));
    let start = world.machine.now;
    world.use_time(100);
    assert_eq!(world.syscall(syscall::Yield), None);
    assert_eq!(head(&world, 0).time, start + 1000);
    assert_eq!(head(&world, 0).amount, 300);
    assert_eq!(world.pass(900), Some(0));
}

#[test]
fn a_used_part_of_a_budget_returns_a_period_after_it_was_usable() {
    let mut world = World::init(&system(vec![pd("a", 5).budget(300, 1000)], &[]));
    world.pass(5000);
    world.wake(0);
    let start = world.machine.now;
    world.use_time(100);
    world.recv();
    assert_eq!(
        (head(&world, 0).time, head(&world, 0).amount),
        (start + 100, 200)
    );
    let back = Refill {
        time: start + 1000,
        amount: 100,
    };
    assert_eq!(tail(&world, 0), Some(back));
    // The PD wakes up with the refill of 200, which lasts until 700. The refill of 100 is usable
    // from 1000.
    world.pass(400);
    world.wake(0);
    assert_eq!(world.until(), Some(start + 700));
    assert_eq!(world.pass(200), None);
    assert_eq!(world.until(), Some(start + 1000));
}

#[test]
fn unused_budget_does_not_accumulate() {
    let mut world = World::init(&system(vec![pd("a", 5).budget(300, 1000)], &[]));
    world.pass(100_000);
    world.wake(0);
    assert_eq!(world.until(), Some(world.machine.now + 300));
}

#[test]
fn an_entry_without_enough_budget_is_repeated_after_the_refill() {
    let pds = vec![pd("a", 5).budget(300, 1000), pd("b", 4)];
    let mut world = World::init(&system(pds, &[notify((0, 1), (1, 1))]));
    world.pass(5000);
    world.wake(0);
    let start = world.machine.now;
    // The PD uses 281, so that less than 20 is left. An entry into the kernel can take 20.
    world.use_time(281);
    assert_eq!(world.notify(1), None);
    assert_eq!(world.state(0), ThreadState::Restart);
    assert!(matches!(
        world.state(1),
        ThreadState::BlockedOnNotification { .. }
    ));
    let svc = world.context(0).fault_ip;
    // The remaining 19 are merged into the next refill.
    assert_eq!(head(&world, 0).time, start + 1000 - 19);
    assert_eq!(head(&world, 0).amount, 300);
    world.pass(1000 - 281 - 19);
    assert_eq!(world.running(), Some(0));
    assert_eq!(world.context(0).pc, svc, "it is about to do it again");
}

#[test]
fn an_interrupt_ends_the_slice_of_a_thread_without_budget() {
    let pds = vec![pd("a", 5).budget(300, 1000), pd("b", 4)];
    let mut world = World::init(&system(pds, &[]));
    world.wake(0);
    world.use_time(290);
    assert_eq!(world.step(Event::Interrupt(WAKE_IRQ + 1)), Some(1));
    assert_eq!(world.state(0), ThreadState::Running);
    assert_eq!(world.kernel.release_queue().count(), 1);
}

#[test]
fn an_early_tick_changes_nothing() {
    let mut world = World::boot(&system(vec![pd("a", 5), pd("b", 5)], &[]));
    let until = world.until();
    world.use_time(500);
    assert_eq!(world.step(Event::Tick), Some(1));
    assert_eq!(world.until(), until);
}

#[test]
fn a_clock_that_goes_back_counts_as_stopped() {
    let mut world = World::boot(&system(vec![pd("a", 5)], &[]));
    let until = world.until();
    world.machine.now = 0;
    assert_eq!(world.step(Event::Tick), Some(0));
    assert_eq!(world.until(), until);
}

#[test]
fn time_is_charged_to_the_thread_that_ran() {
    let pds = vec![
        pd("watcher", 20)
            .cap(1, boot_spec::UserCapKind::SchedContext, 1)
            .cap(2, boot_spec::UserCapKind::SchedContext, 0),
        pd("worker", 10),
    ];
    let mut world = World::init(&system(pds, &[]));
    let consumed = |world: &mut World, slot| {
        let cptr = slots::user_cptr(slot).unwrap();
        world.invoke(cptr, invocation::SchedContextConsumed, &[], &[])
    };
    world.wake(0);
    consumed(&mut world, 1).unwrap();
    consumed(&mut world, 2).unwrap();
    world.use_time(7);
    world.recv();
    world.use_time(50);
    world.wake(1);
    world.use_time(123);
    world.wake(0);
    world.use_time(5);
    assert_eq!(consumed(&mut world, 1), Ok(vec![123]));
    assert_eq!(consumed(&mut world, 1), Ok(vec![0]), "since it was asked");
    // The watcher has also run for 5 since it woke. This time is not charged yet, because no other
    // scheduling context has taken over.
    assert_eq!(consumed(&mut world, 2), Ok(vec![7]));
}

#[test]
fn waking_up_with_higher_priority_preempts_and_with_the_same_does_not() {
    for (priority, runs) in [(4, 0), (5, 0), (6, 1)] {
        let pds = vec![pd("runs", 5), pd("wakes", priority)];
        let mut world = World::init(&system(pds, &[]));
        world.wake(0);
        let running = world.step(Event::Interrupt(WAKE_IRQ + 1));
        assert_eq!(running, Some(runs), "priority {priority}");
    }
}

#[test]
fn refills_arrive_in_the_order_of_their_times() {
    let pds = vec![
        pd("late", 5).budget(100, 3000),
        pd("early", 5).budget(100, 1000),
        pd("middle", 5).budget(100, 2000),
    ];
    let mut world = World::boot(&system(pds, &[]));
    world.pass(300);
    let order: Vec<usize> = world
        .kernel
        .release_queue()
        .map(|thread| thread.index())
        .collect();
    assert_eq!(order, [1, 2, 0]);
    let start = world.machine.now - 300;
    assert_eq!(world.until(), Some(head(&world, 1).time));
    assert!(head(&world, 1).time >= start + 1000);
}

#[test]
fn a_fault_without_budget_is_repeated_after_the_refill() {
    let mut world = World::boot(&system(vec![pd("a", 5).budget(300, 1000)], &[]));
    world.use_time(290);
    let fault = kernel_model::Fault::UserException { number: 0, code: 0 };
    assert_eq!(world.fault(fault), None);
    assert_eq!(world.state(0), ThreadState::Restart);
    assert_eq!(world.machine.reports, ["started"]);
    world.pass(750);
    assert_eq!(world.running(), Some(0));
}
