//! Tests the small types of the API: rights, message infos, errors, capability pointers, registers
//! and printed text.

use std::cell::RefCell;
use std::rc::Rc;

use sel4::sys::host::{self, HostBuffer, Registers};
use sel4::sys::syscall;
use sel4::{
    Cap, CapRights, CapRightsBuilder, CapType, Error, HasCPtrWithDepth, MessageInfo,
    MessageInfoBuilder, TcbFlagsBuilder, UserContext, cap,
};

type Calls = Rc<RefCell<Vec<Registers>>>;

/// A closure that receives a message, and returns the message info and the badge.
type Receive<'a> = dyn Fn() -> (MessageInfo, u64) + 'a;

/// Installs a kernel that records each call and replies with a message of `answer` words.
fn start(answer: usize) -> Calls {
    let calls = Calls::default();
    let kernel = Rc::clone(&calls);
    host::install(Some(Rc::new(
        move |registers: &mut Registers, buffer: Option<HostBuffer<'_>>| {
            kernel.borrow_mut().push(*registers);
            registers.info = MessageInfo::new(1, 0, 0, answer).into_word();
            registers.capability = 0b101;
            registers.message = [10, 11, 12, 13];
            if let Some(mut buffer) = buffer {
                for index in 4..answer {
                    buffer.write(HostBuffer::MESSAGE + index, 10 + index as u64);
                }
            }
        },
    )));
    sel4::set_ipc_buffer(host::new_ipc_buffer());
    calls
}

#[test]
fn rights_have_the_bits_of_the_kernel() {
    // From bit 0, the rights in `seL4_CapRights` are write, read, grant and grant-reply.
    let check = |rights: CapRights, word| assert_eq!(rights.into_word(), word, "{rights:?}");
    check(CapRights::none(), 0b0000);
    check(CapRights::write_only(), 0b0001);
    check(CapRights::read_only(), 0b0010);
    check(CapRights::read_write(), 0b0011);
    check(CapRights::all(), 0b1111);
    check(CapRights::new(false, true, false, false), 0b0100);
    check(CapRights::new(true, false, false, false), 0b1000);
    let none = CapRightsBuilder::none();
    check(none.build(), 0);
    check(none.write(true).build(), 0b0001);
    check(none.read(true).build(), 0b0010);
    check(none.grant(true).build(), 0b0100);
    check(none.grant_reply(true).build(), 0b1000);
    let all = CapRightsBuilder::all();
    check(all.build(), 0b1111);
    check(all.grant(false).grant_reply(false).build(), 0b0011);
    check(all.read(false).write(false).build(), 0b1100);
    check(all.into(), 0b1111);
}

#[test]
fn a_message_info_is_built_field_by_field() {
    let info = MessageInfoBuilder::default()
        .label(5)
        .caps_unwrapped(3)
        .extra_caps(2)
        .length(7)
        .build();
    assert_eq!(info, MessageInfo::new(5, 3, 2, 7));
    assert_eq!(
        MessageInfo::from(MessageInfoBuilder::default().label(5)).label(),
        5
    );
    assert_eq!(
        MessageInfoBuilder::default().build(),
        MessageInfo::new(0, 0, 0, 0)
    );
    let too_long = std::panic::catch_unwind(|| MessageInfoBuilder::default().length(128).build());
    assert!(too_long.is_err());
}

#[test]
fn each_error_has_its_own_text() {
    let mut sentences = Vec::new();
    for label in 1..=11 {
        let error = Error::from_label(label).expect("0 alone is success");
        assert_eq!(error == Error::Unknown, label == 11);
        sentences.push(error.to_string());
    }
    assert!(sentences.iter().all(|sentence| !sentence.is_empty()));
    sentences.sort_unstable();
    sentences.dedup();
    assert_eq!(sentences.len(), 11);
    assert!(Error::from_label(0).is_none());
}

#[test]
fn a_capability_pointer_keeps_its_bits_when_its_type_changes() {
    // SAFETY: the kernel is part of the test and does not violate memory safety.
    let cap: cap::Endpoint = unsafe { Cap::from_bits(7) };
    assert_eq!((cap.bits(), cap.cptr().bits()), (7, 7));
    // SAFETY: the kernel is part of the test and does not violate memory safety.
    let thread = unsafe { cap.upcast().downcast::<sel4::cap_type::Tcb>() };
    assert_eq!(thread.bits(), 7);
    // SAFETY: as above.
    let frame = unsafe { cap.cast::<sel4::cap_type::Granule>() };
    assert_eq!(frame.bits(), 7);
    // SAFETY: as above.
    assert_eq!(unsafe { Cap::from_cptr(cap.cptr()) }, cap);
    // SAFETY: as above.
    let notification = unsafe { cap.cptr().cast::<sel4::cap_type::Notification>() };
    assert_eq!(notification.bits(), 7);
    assert_eq!(
        format!("{cap:?}"),
        format!("{}(7)", sel4::cap_type::Endpoint::NAME)
    );
    assert_eq!(cap.with(3).into_invocation_context(), 3);
    assert_eq!(cap.with(3).without_context(), cap);
}

#[test]
fn a_path_has_a_root_and_a_depth() {
    // SAFETY: the kernel is part of the test and does not violate memory safety.
    let root: cap::CNode = unsafe { Cap::from_bits(2) };
    let path = root.absolute_cptr_from_bits_with_depth(9, 5);
    assert_eq!(
        (path.root().bits(), path.path().bits(), path.path().depth()),
        (2, 9, 5)
    );
    assert_eq!(path.with(1).without_context().into_root().bits(), 2);
    let own = root.absolute_cptr_for_self();
    assert_eq!((own.path().bits(), own.path().depth()), (0, 0));
    // SAFETY: the kernel is part of the test and does not violate memory safety.
    let endpoint: cap::Endpoint = unsafe { Cap::from_bits(9) };
    assert_eq!(root.absolute_cptr(endpoint).path().depth(), sel4::WORD_SIZE);
    assert_eq!(endpoint.cptr().cptr_with_depth().bits(), 9);
}

#[test]
fn registers_are_named_as_on_aarch64() {
    let mut context = UserContext::default();
    *context.pc_mut() = 1;
    *context.sp_mut() = 2;
    *context.spsr_mut() = 3;
    for index in 0..31 {
        *context.gpr_mut(index) = 100 + index as u64;
    }
    assert_eq!((*context.pc(), *context.sp(), *context.spsr()), (1, 2, 3));
    assert!((0..31).all(|index| *context.gpr(index) == 100 + index as u64));
    *context.c_param_mut(7) = 9;
    assert_eq!((*context.c_param(7), *context.gpr(7)), (9, 9));
    for wrong in [31, usize::MAX] {
        assert!(std::panic::catch_unwind(|| *context.gpr(wrong)).is_err());
    }
    assert!(std::panic::catch_unwind(|| *context.c_param(8)).is_err());
}

#[test]
fn text_is_printed_byte_by_byte() {
    let calls = start(0);
    sel4::_print(format_args!("{}-{}", "ab", 7));
    sel4::debug_put_char(b'!');
    let printed: Vec<u8> = calls
        .borrow()
        .iter()
        .map(|registers| {
            assert_eq!(registers.number, syscall::DebugPutChar);
            registers.capability as u8
        })
        .collect();
    let expect: &[u8] = if sel4::config::PRINTING {
        b"ab-7!"
    } else {
        b""
    };
    assert_eq!(printed, expect);
}

#[test]
fn a_value_whose_formatting_fails_is_reported() {
    struct Broken;

    impl std::fmt::Display for Broken {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Err(std::fmt::Error)
        }
    }

    let calls = start(0);
    sel4::_print(format_args!("{Broken}"));
    let printed = calls
        .borrow()
        .iter()
        .map(|registers| registers.capability as u8)
        .collect();
    let expect = if sel4::config::PRINTING {
        "(a value could not be shown)\n"
    } else {
        ""
    };
    assert_eq!(String::from_utf8(printed).expect("UTF-8"), expect);
}

#[test]
fn a_flag_of_a_thread_can_be_set_and_cleared() {
    let none = TcbFlagsBuilder::new();
    assert_eq!(none.build(), 0);
    assert_eq!(none.fpu_disabled(true).build(), 1);
    assert_eq!(none.fpu_disabled(true).fpu_disabled(true).build(), 1);
    assert_eq!(none.fpu_disabled(true).fpu_disabled(false).build(), 0);
}

#[test]
fn words_received_in_registers_are_returned_and_not_stored() {
    // SAFETY: the kernel is part of the test and does not violate memory safety.
    let (endpoint, reply): (cap::Endpoint, cap::Reply) =
        unsafe { (Cap::from_bits(3), Cap::from_bits(5)) };
    let empty = MessageInfo::new(2, 0, 0, 0);
    let receives: [(i64, &dyn Fn() -> sel4::RecvWithMRs); 4] = [
        (syscall::Recv, &|| endpoint.recv_with_mrs(reply)),
        (syscall::ReplyRecv, &|| {
            endpoint.reply_recv_with_mrs(empty, [], reply)
        }),
        (syscall::NBSendRecv, &|| {
            endpoint.nb_send_recv_with_mrs(empty, [], endpoint, reply)
        }),
        (syscall::NBSendRecv, &|| {
            endpoint.nb_send_recv_with_mrs(
                MessageInfo::new(2, 0, 0, 2),
                &[7, 8][..],
                endpoint,
                reply,
            )
        }),
    ];
    let calls = start(4);
    for (number, receive) in receives {
        let received = receive();
        assert_eq!((received.info.length(), received.badge), (4, 0b101));
        assert_eq!(received.msg, [10, 11, 12, 13]);
        assert_eq!(sel4::msg_reg(0), 0, "{number}");
        let registers = calls.borrow_mut().pop().expect("there was a call");
        assert_eq!(registers.number, number);
        let info = MessageInfo::from_word(registers.info);
        if info.length() == 2 {
            assert_eq!(registers.message, [7, 8, 0, 0]);
        }
        if number != syscall::Recv {
            assert_eq!(info.label(), 2);
        }
    }
}

#[test]
fn a_reply_goes_to_the_caller_that_is_held() {
    // SAFETY: the kernel is part of the test and does not violate memory safety.
    let reply: cap::Reply = unsafe { Cap::from_bits(5) };
    let calls = start(0);
    sel4::set_msg_reg(1, 8);
    reply.send(MessageInfo::new(1, 0, 0, 2));
    reply.send_with_mrs(MessageInfo::new(2, 0, 0, 1), [9]);
    reply.send_with_mrs(MessageInfo::new(3, 0, 0, 0), []);
    let sent: Vec<_> = calls
        .take()
        .iter()
        .map(|registers| {
            assert_eq!((registers.number, registers.capability), (syscall::Send, 5));
            let info = MessageInfo::from_word(registers.info);
            (info.label(), registers.message[..info.length()].to_vec())
        })
        .collect();
    assert_eq!(sent, [(1, vec![0, 8]), (2, vec![9]), (3, vec![])]);
}

#[test]
fn a_message_in_registers_of_five_words_panics() {
    start(0);
    // SAFETY: the kernel is part of the test and does not violate memory safety.
    let endpoint: cap::Endpoint = unsafe { Cap::from_bits(3) };
    let words = &[0; 5][..];
    let send = || endpoint.send_with_mrs(MessageInfo::new(0, 0, 0, 5), words);
    let panic = std::panic::catch_unwind(send).expect_err("it is refused");
    assert_eq!(
        panic.downcast_ref(),
        Some(&"a message in registers has at most four words")
    );
}

/// Each call receives five words: four in CPU registers, and the fifth in memory.
#[test]
fn each_plain_receive_stores_the_words_in_the_buffer() {
    // SAFETY: the kernel is part of the test and does not violate memory safety.
    let endpoint: cap::Endpoint = unsafe { Cap::from_bits(3) };
    // SAFETY: the kernel is part of the test and does not violate memory safety.
    let notification: cap::Notification = unsafe { Cap::from_bits(4) };
    // SAFETY: the kernel is part of the test and does not violate memory safety.
    let reply: cap::Reply = unsafe { Cap::from_bits(5) };
    let info = MessageInfo::new(0, 0, 0, 2);
    let received: [(i64, &Receive<'_>); 7] = [
        (syscall::Recv, &|| endpoint.recv(reply)),
        (syscall::NBRecv, &|| endpoint.nb_recv(reply)),
        (syscall::ReplyRecv, &|| endpoint.reply_recv(info, reply)),
        (syscall::NBSendRecv, &|| {
            endpoint.nb_send_recv(info, notification, reply)
        }),
        (syscall::NBSendWait, &|| {
            endpoint.nb_send_wait(info, notification)
        }),
        (syscall::Wait, &|| notification.wait()),
        (syscall::NBWait, &|| notification.poll()),
    ];
    let calls = start(5);
    for (number, receive) in received {
        sel4::with_ipc_buffer_mut(|buffer| buffer.msg_regs_mut().fill(0));
        sel4::set_msg_reg(1, 8);
        let (info, badge) = receive();
        assert_eq!((info.length(), badge), (5, 0b101));
        let words = sel4::with_ipc_buffer(|buffer| buffer.msg_regs()[..5].to_vec());
        let registers = calls.borrow_mut().pop().expect("there was a call");
        assert_eq!(registers.number, number);
        assert_eq!(words, [10, 11, 12, 13, 14], "{number}");
        let sends = matches!(
            number,
            syscall::ReplyRecv | syscall::NBSendRecv | syscall::NBSendWait
        );
        assert_eq!(registers.message[1] == 8, sends, "{number}: {registers:?}");
    }
    endpoint.send(info);
    endpoint.nb_send(info);
    sel4::r#yield();
    let numbers = calls.take().into_iter().map(|registers| registers.number);
    assert!(numbers.eq([syscall::Send, syscall::NBSend, syscall::Yield]));
}

#[test]
fn a_call_uses_the_token_that_is_passed() {
    start(5);
    let mut token = host::new_ipc_buffer();
    // SAFETY: the kernel is part of the test and does not violate memory safety.
    let endpoint: cap::Endpoint = unsafe { Cap::from_bits(3) };
    endpoint.with(&mut token).call(MessageInfo::new(0, 0, 0, 0));
    assert_eq!(
        token.with(|buffer| buffer.msg_regs()[..5].to_vec()),
        [10, 11, 12, 13, 14]
    );
    assert_eq!(sel4::msg_reg(4), 0, "the implicit one");
}
