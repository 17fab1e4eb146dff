//! Tests the system calls that the methods of channels, children and boxed handlers make, and the
//! host state of a PD.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use sel4::sys::host::{HostBuffer, Registers, install, new_ipc_buffer};
use sel4_microkit::host::{HostRegion, ProtectionDomain, State, Symbol, run, set_symbols};
use sel4_microkit::{
    Channel, Child, EntryPoint, IncarnationWord, MayCall, MayNotify, MessageInfo, NullHandler, var,
};

/// Installs a kernel that answers each system call with the next label of `answers`. Returns the
/// labels of the system calls.
fn start(answers: &'static [u64]) -> Rc<RefCell<Vec<u64>>> {
    let sent = Rc::new(RefCell::new(Vec::new()));
    let kernel = Rc::clone(&sent);
    install(Some(Rc::new(
        move |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
            let info = sel4::MessageInfo::from_word(registers.info);
            let answer = answers.get(kernel.borrow().len()).copied().unwrap_or(0);
            kernel.borrow_mut().push(info.label());
            registers.info = sel4::MessageInfo::new(answer, 0, 0, 1).into_word();
            registers.message[0] += 1;
        },
    )));
    sel4::set_ipc_buffer(new_ipc_buffer());
    sent
}

#[test]
fn a_call_in_registers_brings_the_reply_in_registers() {
    ProtectionDomain {
        pps: 0b10,
        notifications: 0b10,
        ..ProtectionDomain::default()
    }
    .set();
    let sent = start(&[6]);
    let channel = Channel::new(1);
    let (info, words) = channel.pp_call_with_mrs(MessageInfo::new(5, 1), [41]);
    assert_eq!((info.label(), info.count(), words[0]), (6, 1, 42));
    assert_eq!(*sent.borrow(), [5]);
    assert_eq!(channel.to_call(), channel);
    assert_eq!(channel.to_notify(), channel);
}

#[test]
fn a_passive_child_gets_its_scheduling_context_back() {
    let child = Child::new(1);
    // SAFETY: the kernel belongs to the test, and the call has no real effect.
    let context = unsafe { sel4::Cap::from_bits(9) };
    let sent = start(&[]);
    assert_eq!(child.resume_passive(context), Ok(()));
    let calls = sent.take();
    assert_eq!(calls.len(), 3, "unbind, bind and resume: {calls:?}");
    // A child that was stopped during a call still has the caller's scheduling context. So the bind
    // fails with `IllegalOperation`, and the method ignores this error.
    start(&[0, 3]);
    assert_eq!(child.resume_passive(context), Ok(()));
    // The method returns at any other error of the bind, and at any error of unbind or resume.
    let sent = start(&[0, 2]);
    let missing = Err(sel4::Error::InvalidCapability);
    assert_eq!(child.resume_passive(context), missing);
    assert_eq!(sent.borrow().len(), 2);
    let sent = start(&[3]);
    assert_eq!(
        child.resume_passive(context),
        Err(sel4::Error::IllegalOperation)
    );
    assert_eq!(sent.borrow().len(), 1);
    let sent = start(&[0, 0, 2]);
    assert_eq!(child.resume_passive(context), missing);
    assert_eq!(sent.borrow().len(), 3);
}

#[test]
fn a_passive_child_is_stopped_and_has_a_scheduling_context_before_it_is_restarted() {
    use sel4::sys::invocation::*;

    let child = Child::new(1);
    // SAFETY: the kernel belongs to the test, and the call has no real effect.
    let (context, entry_point) =
        unsafe { (sel4::Cap::from_bits(9), EntryPoint::new(child, 0x20_0000)) };
    let sent = start(&[]);
    assert_eq!(child.restart_passive(context, entry_point), Ok(()));
    let expect = [
        TCBSuspend,
        SchedContextUnbind,
        SchedContextBind,
        TCBWriteRegisters,
    ];
    assert_eq!(sent.take(), expect);
    let sent = start(&[2]);
    let missing = Err(sel4::Error::InvalidCapability);
    assert_eq!(child.restart_passive(context, entry_point), missing);
    assert_eq!(sent.take(), [TCBSuspend]);
}

#[test]
fn a_symbol_that_is_not_a_word_cannot_be_set() {
    set_symbols(Box::leak(Box::new([Symbol::word("many", 1)])));
    let wrong = catch_unwind(|| *var!(many: [u64; 4] = [0; 4])).unwrap_err();
    let message = wrong.downcast_ref::<String>().expect("a sentence");
    assert_eq!(
        message,
        "many is not a word, and a system file writes words only"
    );
}

#[test]
fn what_a_host_keeps_can_be_shown() {
    static WORD: IncarnationWord = IncarnationWord::new();
    WORD.set(3);
    assert_eq!(WORD.get(), 3);
    let mut state = State::new();
    state.exchange();
    assert_eq!((WORD.get(), IncarnationWord::default()).0, 0);
    static OTHER: IncarnationWord = IncarnationWord::new();
    WORD.set(4);
    OTHER.set(5);
    WORD.set(6);
    assert_eq!((WORD.get(), OTHER.get()), (6, 5));
    let shown = format!(
        "{state:?} {:?} {:?}",
        sel4::SetAside::new(),
        HostRegion::new(3)
    );
    assert!(shown.contains("State {"), "{shown}");
    assert!(shown.contains("SetAside("), "{shown}");
    assert!(
        shown.contains("HostRegion { length: 3, usage: Unused"),
        "{shown}"
    );
}

#[test]
fn what_a_host_keeps_gives_its_ipc_buffer_back() {
    let mut state = State::new();
    sel4::set_ipc_buffer(new_ipc_buffer());
    state.exchange();
    let token = state.into_token().expect("it is not borrowed");
    sel4::set_ipc_buffer(token);
    assert!(State::new().into_token().is_none(), "it has none");
}

/// Runs a PD inside the `init` of another PD. Asserts that both panics are caught.
#[test]
fn a_program_inside_another_leaves_it_running() {
    sel4_microkit::host::watch_panics();
    let sent = start(&[]);
    run(|| -> NullHandler {
        run(|| -> NullHandler { panic!("inner") });
        panic!("outer")
    });
    let printed = sent.borrow().len();
    assert_eq!(printed > 0, sel4::config::PRINTING);
    // A payload that does not come from a panic of the PD propagates to the caller of `run`.
    let foreign = AssertUnwindSafe(|| {
        run(|| -> NullHandler { std::panic::resume_unwind(Box::new(7_u32)) });
    });
    assert_eq!(
        catch_unwind(foreign).unwrap_err().downcast_ref(),
        Some(&7_u32)
    );
}

#[cfg(feature = "alloc")]
mod boxed {
    use sel4_microkit::{ChannelSet, DeferredAction, Handler, Infallible};

    use super::*;

    /// Records the calls of its methods.
    #[derive(Default)]
    struct Witness(RefCell<Vec<&'static str>>);

    impl Handler for Witness {
        type Error = Infallible;

        fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
            self.0.borrow_mut().push("notified");
            Ok(())
        }

        fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
            self.0.borrow_mut().push("protected");
            Ok(info)
        }

        fn protected_with_mrs(
            &mut self,
            _: Channel,
            info: MessageInfo,
            words: sel4_microkit::FastWords,
        ) -> Result<(MessageInfo, sel4_microkit::FastWords), Infallible> {
            self.0.borrow_mut().push("protected_with_mrs");
            Ok((info, words))
        }

        fn fault(&mut self, _: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
            self.0.borrow_mut().push("fault");
            Ok(None)
        }

        fn take_deferred_action(&mut self) -> Option<DeferredAction> {
            self.0.borrow_mut().push("take_deferred_action");
            None
        }

        fn has_work(&self) -> bool {
            self.0.borrow_mut().push("has_work");
            true
        }

        fn work(&mut self) -> Result<(), Infallible> {
            self.0.borrow_mut().push("work");
            Ok(())
        }
    }

    #[test]
    fn a_boxed_handler_is_the_one_inside() {
        let mut handler = Box::new(Witness::default());
        let info = || MessageInfo::new(1, 0);
        let boxed: &mut Box<Witness> = &mut handler;
        Handler::notified(boxed, ChannelSet::default()).unwrap();
        Handler::protected(boxed, Channel::new(0), info()).unwrap();
        Handler::protected_with_mrs(boxed, Channel::new(0), info(), [0; 4]).unwrap();
        assert!(
            Handler::fault(boxed, Child::new(0), info())
                .unwrap()
                .is_none()
        );
        assert!(Handler::take_deferred_action(boxed).is_none());
        assert!(Handler::has_work(boxed));
        Handler::work(boxed).unwrap();
        assert_eq!(
            *handler.0.borrow(),
            [
                "notified",
                "protected",
                "protected_with_mrs",
                "fault",
                "take_deferred_action",
                "has_work",
                "work"
            ]
        );
    }
}
