//! Tests public items that no other test in this folder uses.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Write;
use std::panic::catch_unwind;
use std::ptr::NonNull;
use std::rc::Rc;

use microkit_abi::{badge, slots};
use sel4::sys::host::{self as kernel, HostBuffer, Registers};
use sel4::sys::{MessageInfo as SysMessageInfo, syscall};
use sel4_microkit::host::ProtectionDomain;
use sel4_microkit::ipc::{self, Event};
use sel4_microkit::{
    Channel, ChannelSet, Child, DeferredAction, DeferredActionInterface, DeferredActionSlot,
    Handler, MessageInfo, NullHandler, RestartReply, debug_print, debug_println, get_mr, panicking,
    restart_reply, set_mr, with_msg_bytes, with_msg_bytes_mut, with_msg_regs, with_msg_regs_mut,
};

/// Makes this thread a PD with all rights. The test's kernel answers each system call with `badge`.
/// Returns the number, the capability and the info of each system call.
fn start(badge: u64) -> Rc<RefCell<Vec<(i64, u64, u64)>>> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    let kernel = move |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
        log.borrow_mut()
            .push((registers.number, registers.capability, registers.info));
        registers.capability = badge;
        registers.info = 0;
    };
    kernel::install(Some(Rc::new(kernel)));
    sel4::set_ipc_buffer(kernel::new_ipc_buffer());
    let all = ProtectionDomain {
        name: "test",
        passive: false,
        irqs: !0,
        notifications: !0,
        pps: !0,
    };
    all.set();
    seen
}

#[test]
fn message_registers_are_words_and_bytes() {
    start(0);
    set_mr(0, 0x0807_0605_0403_0201);
    with_msg_bytes(|bytes| assert_eq!(bytes[..9], [1, 2, 3, 4, 5, 6, 7, 8, 0]));
    with_msg_bytes_mut(|bytes| bytes[8] = 9);
    assert_eq!(get_mr(1), 9);
    with_msg_regs_mut(|words| words[2] = 10);
    with_msg_regs(|words| assert_eq!((words[1], words[2], words.len()), (9, 10, 120)));
}

#[test]
fn a_label_has_52_bits() {
    assert_eq!(MessageInfo::label_width(), 52);
    let info = MessageInfo::new((1 << 52) - 1, 120);
    assert_eq!((info.label(), info.count()), ((1 << 52) - 1, 120));
    assert_eq!(MessageInfo::default(), MessageInfo::new(0, 0));
    assert_eq!(info.inner().label(), info.label());
    assert!(catch_unwind(|| MessageInfo::new(1 << 52, 0)).is_err());
    assert!(catch_unwind(|| MessageInfo::new(0, 121)).is_err());
}

#[test]
fn a_hand_written_event_loop_receives_and_replies() {
    let seen = start(badge::fault(5));
    // SAFETY: the replies have no words.
    let events = unsafe {
        let first = ipc::recv();
        ipc::reply(MessageInfo::new(1, 0));
        [first, ipc::reply_recv(MessageInfo::new(2, 0))]
    };
    ipc::reply_without_words(3);
    let fault = Event::Fault(Child::new(5), MessageInfo::default());
    assert_eq!(events, [fault.clone(), fault]);
    let info = |label| SysMessageInfo::new(label, 0, 0, 0).into_word();
    assert_eq!(
        seen.take(),
        [
            (syscall::Recv, slots::INPUT, 0),
            (syscall::Send, slots::REPLY, info(1)),
            (syscall::ReplyRecv, slots::INPUT, info(2)),
            (syscall::Send, slots::REPLY, info(3)),
        ]
    );
}

#[test]
fn a_call_goes_to_the_endpoint_of_its_channel() {
    let seen = start(0);
    Channel::new(7).pp_call(MessageInfo::new(1, 0));
    let info = SysMessageInfo::new(1, 0, 0, 0).into_word();
    let expect = [(syscall::Call, slots::BASE_ENDPOINT + 7, info)];
    assert_eq!(seen.take(), expect);
}

#[test]
fn a_deferred_action_has_a_kind_and_can_run_at_once() {
    let seen = start(0);
    let notify = DeferredAction::new_notify(Channel::new(3));
    let ack = DeferredAction::new_irq_ack(Channel::new(4));
    assert_eq!(
        (notify.channel(), notify.interface()),
        (Channel::new(3), DeferredActionInterface::Notify)
    );
    assert_eq!(
        ack,
        DeferredAction::new(Channel::new(4), DeferredActionInterface::IrqAck)
    );
    let mut slot = DeferredActionSlot::new();
    slot.defer(ack).expect("nothing was there");
    assert_eq!(slot.take(), Some(ack));
    assert_eq!(slot, DeferredActionSlot::default());
    notify.execute_now().expect("it succeeds");
    ack.execute_now().expect("it succeeds");
    let capabilities: Vec<u64> = seen.take().into_iter().map(|(_, cap, _)| cap).collect();
    let expect = [slots::BASE_OUTPUT_NOTIFICATION + 3, slots::BASE_IRQ + 4];
    assert_eq!(capabilities, expect);
}

#[test]
fn a_child_is_stopped_resumed_and_restarted_by_its_thread() {
    let seen = start(0);
    let child = Child::new(9);
    assert_eq!(child.index(), 9);
    child.stop().expect("it succeeds");
    child.resume().expect("it succeeds");
    let entry_point = child.entry_point().expect("it succeeds");
    child.restart(entry_point).expect("it succeeds");
    let calls = seen.take();
    let labels: Vec<u64> = calls
        .iter()
        .map(|&(_, _, info)| SysMessageInfo::from_word(info).label())
        .collect();
    use sel4::sys::invocation::{TCBReadRegisters, TCBResume, TCBSuspend, TCBWriteRegisters};
    let expect = [TCBSuspend, TCBResume, TCBReadRegisters, TCBWriteRegisters];
    assert_eq!(labels, expect);
    assert!(calls.iter().all(|&(_, cap, _)| cap == slots::BASE_TCB + 9));
    assert_eq!(child.tcb().bits(), slots::BASE_TCB + 9);
}

#[test]
fn an_error_of_an_acknowledgement_has_a_sentence() {
    start(0);
    let refuse = |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
        registers.info = SysMessageInfo::new(3, 0, 0, 0).into_word();
    };
    kernel::install(Some(Rc::new(refuse)));
    let error = Channel::new(1).irq_ack().expect_err("it is refused");
    assert_eq!(
        error.to_string(),
        "the interrupt could not be acknowledged: the object cannot do that, or not now"
    );
}

#[test]
fn printing_is_a_system_call_a_byte() {
    let seen = start(0);
    debug_print!("{}", 4);
    debug_println!("2");
    sel4::debug_println!();
    sel4::debug_print!("{}", '!');
    sel4::DebugWrite.write_str("?").expect("it never fails");
    let bytes: Vec<u8> = seen
        .take()
        .into_iter()
        .map(|(number, byte, _)| {
            assert_eq!(number, syscall::DebugPutChar);
            byte as u8
        })
        .collect();
    let expect: &[u8] = if sel4::config::PRINTING {
        b"42\n\n!?"
    } else {
        b""
    };
    assert_eq!(bytes, expect);
}

#[test]
fn a_thread_can_measure_itself_where_the_kernel_measures() {
    let tcb = sel4_microkit::benchmark_tcb();
    assert_eq!(tcb.is_some(), sel4::config::ENABLE_BENCHMARKS);
}

#[test]
fn a_protection_domain_that_is_started_on_a_host_fails() {
    assert_eq!(sel4_microkit::_private::host_main(Some("pump")), 1);
}

#[test]
fn catch_unwind_returns_the_value() {
    assert_eq!(panicking::catch_unwind(|| 3), Ok(3));
}

#[test]
fn a_symbol_has_its_first_value_until_the_tool_writes() {
    let value: &'static usize = sel4_microkit::var!(surface_value: usize = 5);
    assert_eq!(*value, 5);
    let empty = catch_unwind(|| {
        let _: NonNull<u64> = sel4_microkit::memory_region_symbol!(surface_region: *mut u64);
    });
    assert!(empty.is_err(), "nothing was written");
}

/// Counts the notifications.
struct Counts {
    events: u32,
}

impl Handler for Counts {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.events += 1;
        Ok(())
    }

    fn restart_reply(&self) -> Option<RestartReply> {
        Some(restart_reply!(6))
    }
}

#[test]
fn a_handler_gets_its_events_boxed_or_not_and_one_of_nothing_panics() {
    let Event::Notified(channels) = ({
        start(0b10);
        // SAFETY: no fault arrives.
        unsafe { ipc::recv() }
    }) else {
        panic!("a notification")
    };
    let mut counts = Counts { events: 0 };
    counts.notified(channels).expect("it succeeds");
    assert_eq!(counts.events, 1);
    #[cfg(feature = "alloc")]
    {
        let mut boxed: Box<dyn Handler<Error = Infallible>> = Box::new(counts);
        boxed.notified(channels).expect("it succeeds");
        assert!(boxed.take_deferred_action().is_none());
        assert_eq!(boxed.restart_reply().map(RestartReply::label), Some(6));
    }
    #[cfg(not(feature = "alloc"))]
    assert!(counts.take_deferred_action().is_none());
    assert!(catch_unwind(|| NullHandler::new().notified(channels)).is_err());
    assert!(!NullHandler::new().has_work());
    assert_eq!(NullHandler::new().work(), Ok(()));
}

#[test]
fn a_wait_for_one_channel_keeps_what_else_was_notified() {
    start(1 << 3 | 1 << 5);
    let mut others = ChannelSet::default();
    ipc::wait_for(Channel::new(3), &mut others);
    assert_eq!(others.into_iter().collect::<Vec<_>>(), [Channel::new(5)]);
}

#[test]
fn a_wait_for_one_channel_goes_on_while_others_are_notified() {
    start(0);
    let badges = RefCell::new(vec![1 << 3, 1 << 5, 1 << 4]);
    let kernel = move |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
        registers.capability = badges.borrow_mut().pop().expect("three waits");
        registers.info = 0;
    };
    kernel::install(Some(Rc::new(kernel)));
    let mut others = ChannelSet::default();
    ipc::wait_for(Channel::new(3), &mut others);
    let expect = [Channel::new(4), Channel::new(5)];
    assert_eq!(others.iter().collect::<Vec<_>>(), expect);
}

#[test]
fn a_wait_for_any_channel_returns_all_that_were_notified() {
    start(1 << 3 | 1 << 5);
    let channels = ipc::wait("a key");
    let expect = [Channel::new(3), Channel::new(5)];
    assert_eq!(channels.iter().collect::<Vec<_>>(), expect);
}

#[test]
fn a_wait_for_one_channel_cannot_answer_a_fault() {
    start(badge::fault(5));
    let wait = || ipc::wait_for(Channel::new(3), &mut ChannelSet::default());
    assert!(catch_unwind(wait).is_err());
}
