//! Tests the state at boot: the first thread, its registers, and the capabilities of each PD.

mod common;

use boot_spec::UserCapKind;
use common::spec::{ENTRY, PdExt, STACK_TOP, WAKE_ID, WAKE_IRQ, notify, pd, pp, system};
use common::{World, clock};
use kernel_model::numbers::{cap_tag, syscall};
use kernel_model::{CAP_REGISTER, Clock, Kernel, Next, SystemError};
use microkit_abi::slots;

#[test]
fn the_highest_priority_runs_first_at_its_entry() {
    let world = World::boot(&system(vec![pd("low", 1), pd("high", 2)], &[]));
    assert_eq!(world.running(), Some(1));
    let context = world.context(1);
    assert_eq!((context.pc, context.sp), (ENTRY, STACK_TOP));
    assert_eq!(context.spsr, 0x40);
    assert_eq!(context.x, [0; 31]);
}

#[test]
fn of_equal_priorities_the_last_name_runs_first() {
    let pds = vec![pd("b", 5), pd("c", 5), pd("a", 5)];
    let mut world = World::boot(&system(pds, &[]));
    let mut order = Vec::new();
    while let Some(pd_index) = world.running() {
        order.push(pd_index);
        world.recv();
    }
    assert_eq!(order, [1, 0, 2]);
}

#[test]
fn the_monitor_starts_before_any_pd_runs() {
    let world = World::boot(&system(vec![pd("one", 254)], &[]));
    assert_eq!(world.machine.reports, ["started"]);
}

#[test]
fn budgets_start_with_the_system() {
    let world = World::boot(&system(vec![pd("one", 1).budget(300, 1000)], &[]));
    let Next::Run { until, .. } = world.next else {
        panic!("{:?}", world.next)
    };
    assert_eq!(until, world.machine.now + 300);
}

#[test]
fn interrupts_start_unmasked() {
    let world = World::boot(&system(vec![pd("one", 1)], &[]));
    assert!(world.kernel.irqs().all(|(_, irq)| !irq.masked));
    assert!(world.machine.masked.is_empty());
}

/// Returns the result of `DebugCapIdentify` for each of these capability pointers of the running
/// PD.
fn tags(world: &mut World, cptrs: &[u64]) -> Vec<u64> {
    let pd_index = world.running().unwrap();
    cptrs
        .iter()
        .map(|cptr| {
            world.set(CAP_REGISTER, *cptr);
            world.syscall(syscall::DebugCapIdentify);
            world.context(pd_index)[CAP_REGISTER]
        })
        .collect()
}

/// Returns every non-empty slot of both CNodes, with the tag of its capability.
fn slots_of(world: &mut World) -> Vec<(u64, u64)> {
    let microkit = 0..1 << slots::MICROKIT_CNODE_BITS;
    let user = (1..1 << slots::ROOT_CNODE_BITS).filter_map(slots::user_cptr);
    let cptrs: Vec<u64> = microkit.chain(user).collect();
    let tags = tags(world, &cptrs);
    cptrs
        .into_iter()
        .zip(tags)
        .filter(|(_, tag)| *tag != cap_tag::null)
        .collect()
}

#[test]
fn slots_are_those_of_the_microkit_tool() {
    let pds = vec![
        pd("parent", 9)
            .passive()
            .cap(1, UserCapKind::Tcb, 1)
            .cap(2, UserCapKind::SchedContext, 0)
            .cap(63, UserCapKind::VSpace, 1),
        pd("child", 8).child_of(0, 7),
        pd("plain", 7),
    ];
    let channels = [pp((0, 3), (1, 4)), notify((1, 5), (2, 6))];
    let mut world = World::boot(&system(pds, &channels));
    let irq = slots::BASE_IRQ + u64::from(WAKE_ID);
    let user = |slot| slots::user_cptr(slot).unwrap();
    assert_eq!(
        slots_of(&mut world),
        [
            (slots::INPUT, cap_tag::endpoint),
            (slots::FAULT_ENDPOINT, cap_tag::endpoint),
            (slots::VSPACE, cap_tag::vspace),
            (slots::REPLY, cap_tag::reply),
            (slots::MONITOR_ENDPOINT, cap_tag::endpoint),
            (slots::BASE_OUTPUT_NOTIFICATION + 3, cap_tag::notification),
            (slots::BASE_ENDPOINT + 3, cap_tag::endpoint),
            (irq, cap_tag::irq_handler),
            (slots::BASE_TCB + 7, cap_tag::thread),
            (user(1), cap_tag::thread),
            (user(2), cap_tag::sched_context),
            (user(63), cap_tag::vspace),
        ]
    );
    world.recv();
    assert_eq!(world.running(), Some(1));
    assert_eq!(
        slots_of(&mut world),
        [
            (slots::INPUT, cap_tag::endpoint),
            (slots::FAULT_ENDPOINT, cap_tag::endpoint),
            (slots::VSPACE, cap_tag::vspace),
            (slots::REPLY, cap_tag::reply),
            (slots::BASE_OUTPUT_NOTIFICATION + 4, cap_tag::notification),
            (slots::BASE_OUTPUT_NOTIFICATION + 5, cap_tag::notification),
            (irq, cap_tag::irq_handler),
        ]
    );
    world.recv();
    assert_eq!(world.running(), Some(2));
    assert_eq!(
        slots_of(&mut world),
        [
            (slots::INPUT, cap_tag::notification),
            (slots::FAULT_ENDPOINT, cap_tag::endpoint),
            (slots::VSPACE, cap_tag::vspace),
            (slots::REPLY, cap_tag::reply),
            (slots::BASE_OUTPUT_NOTIFICATION + 6, cap_tag::notification),
            (irq, cap_tag::irq_handler),
        ]
    );
}

#[test]
fn an_invalid_capability_pointer_identifies_as_a_null_capability() {
    let mut world = World::boot(&system(vec![pd("one", 1)], &[]));
    assert_eq!(tags(&mut world, &[512, 1 << 57]), [cap_tag::null; 2]);
}

#[test]
fn a_budget_that_sel4_would_refuse_is_refused() {
    let check = |budget_us, period_us, clock, expect| {
        let spec = system(vec![pd("one", 1).budget(budget_us, period_us)], &[]);
        assert_eq!(Kernel::new(&spec, clock).map(|_| ()), expect);
    };
    let refused = Err(SystemError::Budget { pd_index: 0 });
    check(20, 20, clock(), Ok(()));
    check(19, 20, clock(), refused.clone());
    check(19, 20, Clock::QEMU, refused.clone());
    check(20, u64::MAX / 62_500 / 8, Clock::QEMU, Ok(()));
    check(20, u64::MAX / 62_500 / 8 + 1, Clock::QEMU, refused);
}

#[test]
fn a_spec_that_contradicts_itself_is_refused() {
    let mut spec = system(vec![pd("one", 1)], &[]);
    spec.pds[0].ipc_buffer = 0;
    let Err(SystemError::Spec(errors)) = Kernel::new(&spec, clock()) else {
        panic!("accepted")
    };
    assert_eq!(errors.len(), 1);
}

#[test]
fn every_pd_can_be_woken_by_its_interrupt() {
    let mut world = World::init(&system(vec![pd("one", 1), pd("two", 2)], &[]));
    for pd_index in [0, 1] {
        world.wake(pd_index);
        assert_eq!(world.kernel.irqs().count(), 2);
        assert!(!world.machine.masked.contains(&(WAKE_IRQ + pd_index as u32)));
        world.recv();
    }
}
