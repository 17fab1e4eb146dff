//! Tests IRQs and cache maintenance.

mod common;

use boot_spec::{Mapping, PageSize, Perms, UserCapKind};
use common::World;
use common::spec::{ENTRY, PdExt, WAKE_ID, WAKE_IRQ, notify, pd, system};
use kernel_model::numbers::{error, invocation};
use kernel_model::{CacheMaintenance, CacheRange, Event, NotificationState};
use microkit_abi::slots;

const IRQ: u64 = slots::BASE_IRQ + WAKE_ID as u64;

fn pair() -> World {
    let pds = vec![pd("driver", 10), pd("other", 20)];
    World::init(&system(pds, &[notify((0, 1), (1, 2))]))
}

#[test]
fn an_irq_signals_its_channel_and_is_masked_until_it_is_acknowledged() {
    let mut world = pair();
    assert_eq!(world.step(Event::Interrupt(WAKE_IRQ)), Some(0));
    assert_eq!(world.signals(0), 1 << WAKE_ID);
    assert!(world.machine.masked.contains(&WAKE_IRQ));
    let acknowledge = invocation::IRQAckIRQ;
    assert_eq!(world.invoke(IRQ, acknowledge, &[], &[]), Ok(vec![]));
    assert!(!world.machine.masked.contains(&WAKE_IRQ));
}

#[test]
fn an_irq_can_be_acknowledged_in_the_system_call_that_receives() {
    // Corresponds to `microkit_deferred_irq_ack`.
    let mut world = pair();
    world.step(Event::Interrupt(WAKE_IRQ));
    let acknowledge = common::msg(invocation::IRQAckIRQ, &[]);
    assert_eq!(world.nb_send_recv(IRQ, &acknowledge), None);
    assert!(!world.machine.masked.contains(&WAKE_IRQ));
}

#[test]
fn an_irq_before_the_pd_has_started_is_received_first() {
    let pds = vec![pd("driver", 10), pd("other", 20)];
    let mut world = World::boot(&system(pds, &[]));
    assert_eq!(world.step(Event::Interrupt(WAKE_IRQ)), Some(1));
    assert!(world.machine.masked.contains(&WAKE_IRQ));
    world.first_receive(1);
    assert_eq!(world.running(), Some(0));
    // libmicrokit acknowledges the IRQ first. The driver has not yet served the device, so the
    // device raises the IRQ again.
    world.invoke(IRQ, invocation::IRQAckIRQ, &[], &[]).unwrap();
    assert_eq!(world.step(Event::Interrupt(WAKE_IRQ)), Some(0));
    world.recv();
    assert_eq!(world.signals(0), 1 << WAKE_ID);
}

#[test]
fn an_irq_is_awaited_while_it_can_wake_its_pd() {
    let mut world = World::init(&system(vec![pd("driver", 10)], &[]));
    assert!(world.kernel.awaits_interrupt());
    world.step(Event::Interrupt(WAKE_IRQ));
    assert!(!world.kernel.awaits_interrupt(), "it is masked");
    world.invoke(IRQ, invocation::IRQAckIRQ, &[], &[]).unwrap();
    assert!(!world.kernel.awaits_interrupt(), "nobody waits for it");
    world.recv();
    assert!(world.kernel.awaits_interrupt());
}

#[test]
fn an_irq_handler_can_be_changed_and_cleared() {
    let mut world = pair();
    world.wake(0);
    let set = invocation::IRQSetIRQHandler;
    let channel = slots::BASE_OUTPUT_NOTIFICATION + 1;
    assert_eq!(world.invoke(IRQ, set, &[], &[channel]), Ok(vec![]));
    assert_eq!(world.step(Event::Interrupt(WAKE_IRQ)), Some(1));
    assert_eq!(world.signals(1), 1 << 2);
    world.recv();
    let clear = invocation::IRQClearIRQHandler;
    assert_eq!(world.invoke(IRQ, clear, &[], &[]), Ok(vec![]));
    world.step(Event::Interrupt(WAKE_IRQ));
    let notification = world.kernel.own_notification(world.thread(1));
    assert!(matches!(
        world.kernel.notification(notification).state,
        NotificationState::Waiting(_)
    ));
    assert_eq!(world.machine.reports[1], "unhandled 1000");
}

#[test]
fn irq_handlers_refuse_invalid_invocations() {
    let mut world = pair();
    world.wake(0);
    let set = invocation::IRQSetIRQHandler;
    let mut check = |label, caps: &[u64], answer| {
        assert_eq!(world.invoke(IRQ, label, &[], caps), Err(answer));
    };
    check(set, &[], (error::TruncatedMessage, vec![]));
    check(set, &[slots::VSPACE], (error::InvalidCapability, vec![0]));
    check(0, &[], (error::IllegalOperation, vec![]));
    check(
        invocation::TCBResume,
        &[],
        (error::IllegalOperation, vec![]),
    );
}

#[test]
fn an_irq_without_a_handler_is_masked() {
    let mut world = pair();
    assert_eq!(world.step(Event::Interrupt(7)), None);
    assert!(world.machine.masked.contains(&7));
    assert_eq!(world.machine.reports[1], "unhandled 7");
}

/// Returns a system whose first PD has a large page at 4 MiB, and another PD's address space in
/// slot 1.
fn caches() -> World {
    let mut driver = pd("driver", 10).cap(1, UserCapKind::VSpace, 1);
    driver.mappings.push(Mapping {
        vaddr: 0x40_0000,
        paddr: 0x7020_0000,
        bytes: 0x40_0000,
        perms: Perms {
            read: true,
            write: true,
            execute: false,
        },
        cached: true,
        page_size: PageSize::Large,
    });
    let mut world = World::init(&system(vec![driver, pd("other", 20)], &[]));
    world.wake(0);
    world
}

#[test]
fn a_range_within_a_page_is_maintained() {
    let kinds = [
        (invocation::ARMVSpaceClean_Data, CacheMaintenance::Clean),
        (
            invocation::ARMVSpaceInvalidate_Data,
            CacheMaintenance::Invalidate,
        ),
        (
            invocation::ARMVSpaceCleanInvalidate_Data,
            CacheMaintenance::CleanInvalidate,
        ),
        (
            invocation::ARMVSpaceUnify_Instruction,
            CacheMaintenance::UnifyInstruction,
        ),
    ];
    for (label, maintenance) in kinds {
        let mut world = caches();
        let words = [ENTRY + 0x1010, ENTRY + 0x2000];
        assert_eq!(world.invoke(slots::VSPACE, label, &words, &[]), Ok(vec![]));
        let range = CacheRange {
            thread: world.thread(0),
            vaddr: ENTRY + 0x1010,
            paddr: 0x6000_1010,
            bytes: 0xff0,
        };
        assert_eq!(world.machine.caches, [(maintenance, range)]);
    }
}

#[test]
fn a_range_within_a_large_page_is_maintained() {
    let mut world = caches();
    let words = [0x60_0000, 0x80_0000];
    let clean = invocation::ARMVSpaceClean_Data;
    assert_eq!(world.invoke(slots::VSPACE, clean, &words, &[]), Ok(vec![]));
    assert_eq!(world.machine.caches[0].1.paddr, 0x7040_0000);
    assert_eq!(world.machine.caches[0].1.bytes, 0x20_0000);
}

#[test]
fn the_address_space_is_that_of_the_capability() {
    let mut world = caches();
    let other = slots::user_cptr(1).unwrap();
    let clean = invocation::ARMVSpaceClean_Data;
    let words = [0x40_0000, 0x40_1000];
    assert_eq!(world.invoke(other, clean, &words, &[]), Ok(vec![]));
    assert!(world.machine.caches.is_empty(), "it has nothing there");
}

#[test]
fn cache_maintenance_refuses_invalid_ranges() {
    let mut world = caches();
    let mut check = |label, words: &[u64], answer| {
        assert_eq!(world.invoke(slots::VSPACE, label, words, &[]), answer);
    };
    let clean = invocation::ARMVSpaceClean_Data;
    let refused = |error, words: &[u64]| Err((error, words.to_vec()));
    let user_top = (1_u64 << 40) - 1;
    check(clean, &[ENTRY], refused(error::TruncatedMessage, &[]));
    check(
        clean,
        &[ENTRY, ENTRY],
        refused(error::InvalidArgument, &[1]),
    );
    check(
        clean,
        &[ENTRY + 1, ENTRY],
        refused(error::InvalidArgument, &[1]),
    );
    check(
        clean,
        &[ENTRY, user_top + 1],
        refused(error::IllegalOperation, &[]),
    );
    check(clean, &[user_top - 1, user_top], Ok(vec![]));
    check(
        clean,
        &[ENTRY + 0x10, ENTRY + 0x1001],
        refused(error::RangeError, &[ENTRY + 0x10, ENTRY + 0xfff]),
    );
    check(
        clean,
        &[0x40_0010, 0x60_0001],
        refused(error::RangeError, &[0x40_0010, 0x5f_ffff]),
    );
    check(
        0,
        &[ENTRY, ENTRY + 1],
        refused(error::IllegalOperation, &[]),
    );
    // Nothing is mapped at these addresses, so the invocation succeeds and does nothing.
    check(clean, &[0x1000, 0x5000], Ok(vec![]));
}
