//! Tests the system calls of the event loop, and the panic messages for wrong use of the API.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use microkit_abi::{badge, slots};
use sel4::sys::host::{self as kernel, HostBuffer, Registers};
use sel4::sys::{MessageInfo as SysMessageInfo, invocation, syscall};
use sel4_microkit::host::ProtectionDomain;
use sel4_microkit::{
    Channel, ChannelSet, Child, DeferredAction, DeferredActionSlot, FastWords, Handler, Infallible,
    MessageInfo, NullHandler, RestartReply, get_mr, protected_in_memory, restart_reply, set_mr,
    with_msg_regs_mut,
};

/// A system call as the kernel receives it, with the manual's names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::enum_variant_names)] // The variants have seL4's names.
enum Call {
    Recv,
    ReplyRecv {
        words: Vec<u64>,
    },
    NbSendRecv {
        to: u64,
        label: u64,
    },
    Send {
        to: u64,
        label: u64,
        words: Vec<u64>,
    },
    Call {
        to: u64,
        label: u64,
    },
}

/// A received event: a badge and words.
type Event = (u64, Vec<u64>);

/// Runs `handler` as the PD `pd` with the given events, and returns the system calls of the PD.
/// After the last event, the kernel stops the PD by a panic.
fn run(pd: ProtectionDomain, events: Vec<Event>, handler: impl Handler) -> Vec<Call> {
    let calls = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&calls);
    let events = RefCell::new(VecDeque::from(events));
    let answer = move |registers: &mut Registers, buffer: Option<HostBuffer<'_>>| {
        let mut buffer = buffer.expect("the event loop has a buffer");
        let info = SysMessageInfo::from_word(registers.info);
        let (to, label) = (registers.capability, info.label());
        let words = (0..info.length())
            .map(|i| match registers.message.get(i) {
                Some(&word) => word,
                None => buffer.read(HostBuffer::MESSAGE + i),
            })
            .collect();
        let (call, receives) = match registers.number {
            syscall::Recv => (Call::Recv, true),
            syscall::ReplyRecv => (Call::ReplyRecv { words }, true),
            syscall::NBSendRecv => (
                Call::NbSendRecv {
                    to: registers.destination,
                    label,
                },
                true,
            ),
            syscall::Send => (Call::Send { to, label, words }, false),
            syscall::Call => (Call::Call { to, label }, false),
            number => panic!("system call {number} is not the event loop's"),
        };
        log.borrow_mut().push(call);
        if !receives {
            registers.info = 0;
            return;
        }
        assert_eq!((to, registers.reply), (slots::INPUT, slots::REPLY));
        let Some((badge, words)) = events.borrow_mut().pop_front() else {
            panic!("{END}")
        };
        registers.capability = badge;
        registers.info = SysMessageInfo::new(7, 0, 0, words.len()).into_word();
        for (index, word) in words.into_iter().enumerate() {
            match registers.message.get_mut(index) {
                Some(register) => *register = word,
                None => buffer.write(HostBuffer::MESSAGE + index, word),
            }
        }
    };
    let panic = in_pd(pd, answer, handler);
    assert_eq!(panic, END);
    Rc::into_inner(calls)
        .expect("the kernel is gone")
        .into_inner()
}

const END: &str = "no more events";

/// Runs `handler` until the event loop panics, and returns the panic message.
fn in_pd(
    pd: ProtectionDomain,
    answer: impl Fn(&mut Registers, Option<HostBuffer<'_>>) + 'static,
    handler: impl Handler,
) -> String {
    pd.set();
    kernel::install(Some(Rc::new(answer)));
    sel4::set_ipc_buffer(kernel::new_ipc_buffer());
    let run = || -> () { sel4_microkit::_private::run_main(|| handler) };
    let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("the event loop never returns");
    kernel::install(None);
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().expect("a message").to_string(),
    }
}

const PD: ProtectionDomain = ProtectionDomain {
    name: "test",
    passive: false,
    irqs: 0,
    notifications: !0,
    pps: !0,
};

/// A handler that calls `on_event` at each event. `on_event` may defer actions.
struct Scripted<F> {
    deferred: DeferredActionSlot,
    on_event: F,
}

fn scripted<F: FnMut(&mut DeferredActionSlot)>(on_event: F) -> Scripted<F> {
    Scripted {
        deferred: DeferredActionSlot::new(),
        on_event,
    }
}

impl<F: FnMut(&mut DeferredActionSlot)> Handler for Scripted<F> {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        (self.on_event)(&mut self.deferred);
        Ok(())
    }

    fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        (self.on_event)(&mut self.deferred);
        Ok(MessageInfo::new(0, info.count()))
    }

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        (self.on_event)(&mut self.deferred);
        Ok((child.index() == 1).then(MessageInfo::default))
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}

fn notification(channel: u8) -> Event {
    (badge::notification(channel), vec![])
}

fn call(channel: u8, words: &[u64]) -> Event {
    (badge::call(channel), words.to_vec())
}

fn signal(channel: u64) -> Call {
    Call::Send {
        to: slots::BASE_OUTPUT_NOTIFICATION + channel,
        label: 0,
        words: vec![],
    }
}

fn signal_with_wait(channel: u64) -> Call {
    Call::NbSendRecv {
        to: slots::BASE_OUTPUT_NOTIFICATION + channel,
        label: 0,
    }
}

#[test]
fn a_handler_that_defers_nothing_costs_one_call_an_event() {
    let events = vec![notification(3), call(2, &[1])];
    let calls = run(PD, events, scripted(|_| ()));
    assert_eq!(
        calls,
        [Call::Recv, Call::Recv, Call::ReplyRecv { words: vec![1] }]
    );
}

#[test]
fn a_deferred_notification_joins_the_wait() {
    let handler = scripted(|slot| slot.defer_notify(Channel::new(5)).unwrap());
    let calls = run(PD, vec![notification(3)], handler);
    assert_eq!(calls, [Call::Recv, signal_with_wait(5)]);
}

#[test]
fn a_deferred_notification_is_not_lost_when_the_handler_replies() {
    let handler = scripted(|slot| slot.defer_notify(Channel::new(5)).unwrap());
    let calls = run(PD, vec![call(2, &[8, 9])], handler);
    assert_eq!(
        calls,
        [Call::Recv, signal(5), Call::ReplyRecv { words: vec![8, 9] }]
    );
}

#[test]
fn of_two_deferred_notifications_none_is_lost() {
    let handler = scripted(|slot| {
        slot.defer_notify(Channel::new(5)).unwrap();
        slot.defer_notify(Channel::new(6)).unwrap();
    });
    let calls = run(PD, vec![notification(3)], handler);
    assert_eq!(calls, [Call::Recv, signal(5), signal_with_wait(6)]);
}

/// A handler with work after the initialisation and after each event.
struct Works {
    inner: Scripted<fn(&mut DeferredActionSlot)>,
    has_work: bool,
}

impl Handler for Works {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        self.has_work = true;
        self.inner.notified(channels)
    }

    fn protected(
        &mut self,
        channel: Channel,
        info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        self.has_work = true;
        self.inner.protected(channel, info)
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.inner.take_deferred_action()
    }

    fn has_work(&self) -> bool {
        self.has_work
    }

    fn work(&mut self) -> Result<(), Infallible> {
        self.has_work = false;
        // The reply is already sent, so this write must not change the words of the reply.
        set_mr(0, 99);
        Channel::new(7).notify();
        Ok(())
    }
}

#[test]
fn work_runs_after_the_reply_and_before_the_next_wait() {
    let handler = Works {
        inner: scripted(|slot| slot.defer_notify(Channel::new(5)).unwrap()),
        has_work: true,
    };
    let calls = run(PD, vec![notification(3), call(2, &[8, 9])], handler);
    let reply = Call::Send {
        to: slots::REPLY,
        label: 0,
        words: vec![8, 9],
    };
    let (work, deferred) = (signal(7), signal_with_wait(5));
    assert_eq!(
        calls,
        [
            work.clone(),
            Call::Recv,
            work.clone(),
            deferred.clone(),
            reply,
            work,
            deferred
        ]
    );
}

/// A handler that answers in CPU registers, and has work after each event.
struct FastAndWorks {
    has_work: bool,
}

impl Handler for FastAndWorks {
    type Error = Infallible;

    fn protected_with_mrs(
        &mut self,
        channel: Channel,
        info: MessageInfo,
        words: FastWords,
    ) -> Result<(MessageInfo, FastWords), Infallible> {
        self.has_work = true;
        Fast.protected_with_mrs(channel, info, words)
    }

    fn has_work(&self) -> bool {
        self.has_work
    }

    fn work(&mut self) -> Result<(), Infallible> {
        self.has_work = false;
        // The words of an earlier reply must not appear in the next reply.
        with_msg_regs_mut(|regs| regs.fill(0));
        Ok(())
    }
}

/// If the handler has work, the event loop replies by a separate system call. Asserts that this
/// reply has the words that the handler returned in CPU registers.
#[test]
fn a_reply_in_registers_has_its_words_where_there_is_work() {
    let handler = FastAndWorks { has_work: false };
    let calls = run(PD, vec![call(0, &[1, 2]), call(0, &[3, 4, 5, 6])], handler);
    let reply = |words: &[u64]| Call::Send {
        to: slots::REPLY,
        label: 0,
        words: words.to_vec(),
    };
    let expect = [reply(&[2, 3]), Call::Recv, reply(&[4, 5, 6, 7]), Call::Recv];
    assert_eq!(calls[1..], expect);
}

#[test]
fn actions_deferred_by_the_initialisation_run_with_the_first_wait() {
    let mut handler = scripted(|_| ());
    handler.deferred.defer_notify(Channel::new(5)).unwrap();
    assert_eq!(run(PD, vec![], handler), [signal_with_wait(5)]);
}

#[test]
fn a_passive_pd_gives_up_its_scheduling_context_and_loses_nothing_deferred() {
    let mut handler = scripted(|_| ());
    handler.deferred.defer_notify(Channel::new(5)).unwrap();
    let forfeit = Call::NbSendRecv {
        to: slots::MONITOR_ENDPOINT,
        label: 0,
    };
    let passive = ProtectionDomain {
        passive: true,
        ..PD
    };
    assert_eq!(run(passive, vec![], handler), [signal(5), forfeit]);
}

/// A handler with a `restart_reply`. The reply is sent with the first wait.
struct Replies(Scripted<fn(&mut DeferredActionSlot)>);

impl Handler for Replies {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.0.take_deferred_action()
    }

    fn restart_reply(&self) -> Option<RestartReply> {
        Some(restart_reply!(6))
    }
}

#[test]
fn a_restart_reply_is_sent_once_and_with_the_first_wait() {
    let words = vec![];
    let calls = run(PD, vec![notification(3)], Replies(scripted(|_| ())));
    assert_eq!(calls, [Call::ReplyRecv { words }, Call::Recv]);
}

/// Asserts that the PD reports to the monitor before it replies. After the reply, the PD has no
/// scheduling context with which to send the report.
#[test]
fn a_passive_pd_reports_to_the_monitor_before_its_restart_reply() {
    let mut handler = Replies(scripted(|_| ()));
    handler.0.deferred.defer_notify(Channel::new(5)).unwrap();
    let report = Call::Send {
        to: slots::MONITOR_ENDPOINT,
        label: 0,
        words: vec![],
    };
    let passive = ProtectionDomain {
        passive: true,
        ..PD
    };
    let words = vec![];
    assert_eq!(
        run(passive, vec![], handler),
        [signal(5), report, Call::ReplyRecv { words }]
    );
}

#[test]
fn irqs_from_before_the_start_are_acknowledged() {
    let pd = ProtectionDomain {
        irqs: 1 << 2 | 1 << 61,
        ..PD
    };
    let ack = |channel| Call::Call {
        to: slots::BASE_IRQ + channel,
        label: invocation::IRQAckIRQ,
    };
    assert_eq!(
        run(pd, vec![], scripted(|_| ())),
        [ack(2), ack(61), Call::Recv]
    );
}

#[test]
fn a_failed_acknowledgement_at_the_start_names_its_channel() {
    let pd = ProtectionDomain { irqs: 1 << 6, ..PD };
    let refuse = |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
        registers.info = SysMessageInfo::new(3, 0, 0, 0).into_word();
    };
    let sentence = "channel 6: the interrupt could not be acknowledged: the object cannot do that, \
                    or not now";
    assert_eq!(in_pd(pd, refuse, NullHandler::new()), sentence);
}

#[test]
fn a_deferred_acknowledgement_joins_the_wait() {
    let pd = ProtectionDomain { irqs: 1 << 2, ..PD };
    let handler = scripted(|slot| slot.defer_irq_ack(Channel::new(2)).unwrap());
    let calls = run(pd, vec![notification(2)], handler);
    let ack = Call::NbSendRecv {
        to: slots::BASE_IRQ + 2,
        label: invocation::IRQAckIRQ,
    };
    assert_eq!(calls[2..], [ack]);
}

/// Passes the message of each fault to the closure, and replies with the result of the closure.
struct AnswersFaults<F>(F);

impl<F: Fn(MessageInfo) -> MessageInfo> Handler for AnswersFaults<F> {
    type Error = Infallible;

    fn fault(&mut self, _: Child, info: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        Ok(Some((self.0)(info)))
    }
}

#[test]
fn no_word_of_a_reply_to_a_fault_becomes_a_register_unless_unsafe_code_says_so() {
    let fault = || vec![(badge::fault(4), vec![1, 2, 3, 4, 5])];
    let refused = |answer: fn(MessageInfo) -> MessageInfo| {
        let events = RefCell::new(VecDeque::from(fault()));
        let kernel = move |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
            assert_eq!(registers.number, syscall::Recv, "nothing is replied");
            let (badge, words) = events.borrow_mut().pop_front().expect("one event");
            registers.capability = badge;
            registers.info = SysMessageInfo::new(3, 0, 0, words.len()).into_word();
        };
        let panic = in_pd(PD, kernel, AnswersFaults(answer));
        assert!(
            panic.starts_with("the reply to the fault of child 4 has words"),
            "{panic}"
        );
    };
    refused(|_| MessageInfo::new(0, 3));
    refused(|_| MessageInfo::new(0, 120));
    // The handler returns the message of the fault as the reply.
    refused(|info| info);
    let retried = run(PD, fault(), AnswersFaults(|_| MessageInfo::fault_retry()));
    let words = Vec::new();
    assert_eq!(retried[1], Call::ReplyRecv { words });
    let vouched = |info: MessageInfo| {
        assert_eq!(info.count(), 5);
        let info = MessageInfo::new(sel4::sys::fault::UserException, 5);
        let sel4::Fault::UserException(fault) = info.fault() else {
            panic!("that")
        };
        // SAFETY: the child has no program.
        unsafe { MessageInfo::fault_reply(fault.reply()) }
    };
    let replied = run(PD, fault(), AnswersFaults(vouched));
    let words = vec![5, 2, 3];
    assert_eq!(replied[1], Call::ReplyRecv { words });
}

#[test]
fn a_fault_is_replied_to_only_if_the_handler_says_so() {
    let fault = |child| (badge::fault(child), vec![]);
    let calls = run(PD, vec![fault(1), fault(2)], scripted(|_| ()));
    assert_eq!(
        calls,
        [Call::Recv, Call::ReplyRecv { words: vec![] }, Call::Recv]
    );
}

#[test]
fn a_reply_is_what_the_handler_left_in_the_message_registers() {
    let handler = scripted(|_| {
        set_mr(0, get_mr(0) + 1);
        with_msg_regs_mut(|regs| regs[5] *= 2);
    });
    let calls = run(PD, vec![call(0, &[1, 2, 3, 4, 5, 6])], handler);
    assert_eq!(
        calls[1],
        Call::ReplyRecv {
            words: vec![2, 2, 3, 4, 5, 12]
        }
    );
}

/// Answers short calls in CPU registers, and long calls in memory.
struct Fast;

impl Handler for Fast {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        with_msg_regs_mut(|regs| regs[..info.count()].iter_mut().for_each(|word| *word *= 2));
        Ok(MessageInfo::new(0, info.count()))
    }

    fn protected_with_mrs(
        &mut self,
        channel: Channel,
        info: MessageInfo,
        words: FastWords,
    ) -> Result<(MessageInfo, FastWords), Infallible> {
        if info.count() > words.len() {
            return protected_in_memory(self, channel, info, words);
        }
        assert_eq!(get_mr(0), 0, "nothing was put into the message registers");
        Ok((
            MessageInfo::new(0, info.count()),
            words.map(|word| word + 1),
        ))
    }
}

#[test]
fn a_handler_answers_short_calls_in_registers_and_leaves_the_buffer_alone() {
    let calls = run(PD, vec![call(0, &[1, 2]), call(0, &[3, 4, 5, 6])], Fast);
    let reply = |words: &[u64]| Call::ReplyRecv {
        words: words.to_vec(),
    };
    assert_eq!(calls[1..], [reply(&[2, 3]), reply(&[4, 5, 6, 7])]);
}

#[test]
fn a_handler_passes_long_calls_on_to_memory() {
    let calls = run(PD, vec![call(0, &[1, 2, 3, 4, 5])], Fast);
    assert_eq!(
        calls[1],
        Call::ReplyRecv {
            words: vec![2, 4, 6, 8, 10]
        }
    );
}

#[test]
fn an_event_without_an_entry_point_panics_with_its_name() {
    let check = |event: Event, expect: &[&str]| {
        let answer = move |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
            registers.capability = event.0;
            registers.info = SysMessageInfo::new(7, 0, 0, event.1.len()).into_word();
        };
        let message = in_pd(PD, answer, NullHandler::new());
        for part in expect {
            assert!(message.contains(part), "no {part:?} in: {message}");
        }
    };
    check((0b1001, vec![]), &["notified on {0, 3}", "no `notified`"]);
    check(call(2, &[1]), &["called on channel 2", "no `protected`"]);
    check(
        (badge::fault(4), vec![]),
        &["child 4 faulted", "no `fault`"],
    );
}

#[test]
fn a_channel_used_without_the_right_panics_with_number_and_attribute() {
    let check = |wrong: fn(Channel), expect: &[&str]| {
        let nothing = ProtectionDomain {
            notifications: 0,
            pps: 0,
            ..PD
        };
        nothing.set();
        let panic = catch_unwind(|| wrong(Channel::new(9))).expect_err("it is refused");
        let message = panic.downcast_ref::<String>().expect("a message");
        for part in expect {
            assert!(message.contains(part), "no {part:?} in: {message}");
        }
    };
    check(
        |channel| channel.notify(),
        &["channel 9", "<end>", "notify=\"false\"", "id=\"9\""],
    );
    check(
        |channel| drop(channel.irq_ack()),
        &["channel 9", "<irq>", "id=\"9\""],
    );
    check(
        |channel| {
            channel.pp_call(MessageInfo::default());
        },
        &["channel 9", "pp=\"true\"", "id=\"9\""],
    );
}

#[test]
fn a_channel_that_no_system_file_can_give_is_refused() {
    assert_eq!(Channel::new(61).index(), 61);
    assert!(catch_unwind(|| Channel::new(62)).is_err());
}

#[test]
fn a_protection_domain_knows_its_name() {
    ProtectionDomain { name: "ping", ..PD }.set();
    assert_eq!(sel4_microkit::pd_name(), Ok("ping"));
    assert!(!sel4_microkit::pd_is_passive());
}
