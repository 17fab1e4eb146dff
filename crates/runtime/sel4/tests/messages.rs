//! Tests the messages of each call and invocation: registers, label, capabilities and words.

use std::cell::RefCell;
use std::rc::Rc;

use sel4::sys::host::{self, HostBuffer, Registers};
use sel4::sys::{invocation, syscall};
use sel4::{
    Cap, CapRights, Error, MessageInfo, UserContext, VCpuReg, cap, msg_reg, set_msg_reg,
    with_ipc_buffer_mut,
};

const ENDPOINT: cap::Endpoint = pointer(1);
const REPLY: cap::Reply = pointer(4);
const TCB: cap::Tcb = pointer(202);

/// Returns a capability pointer. The kernel of these tests has no objects and only records the
/// calls.
const fn pointer<T: sel4::CapType>(bits: u64) -> Cap<T> {
    // SAFETY: all slots are empty.
    unsafe { Cap::from_bits(bits) }
}

/// A system call that the kernel has received.
#[derive(Clone)]
struct Seen {
    registers: Registers,
    words: Vec<u64>,
    caps: Vec<u64>,
}

/// Sets this thread's buffer, and installs a kernel that records each call and replies with
/// `answer`.
fn start(answer: fn(&mut Registers, &mut HostBuffer<'_>)) -> Rc<RefCell<Vec<Seen>>> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    let kernel = move |registers: &mut Registers, buffer: Option<HostBuffer<'_>>| {
        let mut buffer = buffer.expect("these calls have a buffer");
        let info = MessageInfo::from_word(registers.info);
        let word = |index| match registers.message.get(index) {
            Some(&word) => word,
            None => buffer.read(HostBuffer::MESSAGE + index),
        };
        log.borrow_mut().push(Seen {
            registers: *registers,
            words: (0..info.length()).map(word).collect(),
            caps: (0..info.extra_caps())
                .map(|i| buffer.read(HostBuffer::CAPS + i))
                .collect(),
        });
        answer(registers, &mut buffer);
    };
    host::install(Some(Rc::new(kernel)));
    sel4::set_ipc_buffer(host::new_ipc_buffer());
    seen
}

fn succeed(registers: &mut Registers, _: &mut HostBuffer<'_>) {
    registers.info = 0;
}

#[test]
fn a_plain_call_sends_from_the_buffer_and_receives_into_it() {
    let seen = start(|registers, buffer| {
        registers.info = MessageInfo::new(9, 0, 0, 5).into_word();
        registers.message = [101, 102, 103, 104];
        buffer.write(HostBuffer::MESSAGE + 4, 105);
    });
    (0..5).for_each(|index| set_msg_reg(index, index as u64 + 1));
    let reply = ENDPOINT.call(MessageInfo::new(3, 0, 0, 5));
    assert_eq!((reply.label(), reply.length()), (9, 5));
    assert_eq!(
        (0..5).map(msg_reg).collect::<Vec<_>>(),
        [101, 102, 103, 104, 105]
    );
    let seen = &seen.borrow()[0];
    assert_eq!(
        (seen.registers.number, seen.registers.capability),
        (syscall::Call, 1)
    );
    assert_eq!(seen.words, [1, 2, 3, 4, 5]);
}

#[test]
fn a_call_with_registers_does_not_touch_the_buffer() {
    let seen = start(|registers, _| registers.message = [5, 6, 7, 8]);
    with_ipc_buffer_mut(|buffer| buffer.msg_regs_mut().fill(99));
    let reply = ENDPOINT.call_with_mrs(MessageInfo::new(0, 0, 0, 2), [1, 2]);
    assert_eq!(reply.msg, [5, 6, 7, 8]);
    assert!((0..120).all(|index| msg_reg(index) == 99));
    assert_eq!(seen.borrow()[0].registers.message, [1, 2, 0, 0]);
}

#[test]
fn words_that_are_claimed_but_not_given_are_zeros() {
    let seen = start(succeed);
    let claims_two = MessageInfo::new(0, 0, 0, 2);
    ENDPOINT.call_with_mrs(claims_two, []);
    ENDPOINT.send_with_mrs(claims_two, []);
    ENDPOINT.nb_send_recv_with_mrs(claims_two, [], ENDPOINT, REPLY);
    ENDPOINT.reply_recv_with_mrs(claims_two, [], REPLY);
    let seen = seen.borrow();
    assert_eq!(seen.len(), 4);
    for Seen { words, .. } in seen.iter() {
        assert_eq!(words, &[0, 0]);
    }
}

#[test]
fn each_call_has_its_number_and_its_registers() {
    let seen = start(|_, _| ());
    let info = MessageInfo::new(0, 0, 0, 1);
    let notification: cap::Notification = pointer(10);
    ENDPOINT.send(info);
    ENDPOINT.nb_send(info);
    ENDPOINT.recv(REPLY);
    ENDPOINT.nb_recv(REPLY);
    ENDPOINT.reply_recv(info, REPLY);
    notification.signal();
    notification.wait();
    notification.poll();
    // SAFETY: the kernel has no objects.
    unsafe { notification.upcast().nb_send_recv(info, ENDPOINT, REPLY) };
    ENDPOINT.nb_send_wait(info, notification);
    let expect = [
        // number, x0, x6, x8
        (syscall::Send, 1, 0, 0),
        (syscall::NBSend, 1, 0, 0),
        (syscall::Recv, 1, 4, 0),
        (syscall::NBRecv, 1, 4, 0),
        (syscall::ReplyRecv, 1, 4, 0),
        (syscall::Send, 10, 0, 0),
        (syscall::Wait, 10, 0, 0),
        (syscall::NBWait, 10, 0, 0),
        (syscall::NBSendRecv, 1, 4, 10),
        (syscall::NBSendWait, 10, 1, 0),
    ];
    let seen = seen.borrow();
    assert_eq!(seen.len(), expect.len());
    for (Seen { registers, .. }, expect) in seen.iter().zip(expect) {
        let Registers {
            number,
            capability,
            reply,
            destination,
            ..
        } = *registers;
        assert_eq!((number, capability, reply, destination), expect);
    }
}

/// An expected invocation: label, capabilities, words.
type Expect<'a> = (u64, &'a [u64], &'a [u64]);

#[test]
fn each_invocation_has_its_label_its_capabilities_and_its_words() {
    let irq: cap::IrqHandler = pointer(140);
    let notification: cap::Notification = pointer(10);
    let sc: cap::SchedContext = pointer(50);
    let vspace: cap::VSpace = pointer(3);
    let cnode: cap::CNode = pointer(60);
    let slot = cnode.absolute_cptr_from_bits_with_depth(7, 64);
    let other = pointer::<sel4::cap_type::CNode>(61).absolute_cptr_from_bits_with_depth(8, 9);
    let granule: cap::Granule = pointer(70);
    let null = sel4::CPtr::from_bits(0);
    let mut registers = UserContext::default();
    *registers.pc_mut() = 0x200000;
    *registers.sp_mut() = 0x8000;
    let rights = CapRights::read_write();
    let check = |expect: Expect<'_>, invoke: &mut dyn FnMut() -> sel4::Result<()>| {
        let seen = start(succeed);
        assert_eq!(invoke(), Ok(()));
        let seen = seen.borrow();
        let [
            Seen {
                registers,
                words,
                caps,
            },
        ] = &seen[..]
        else {
            panic!("there must be one call")
        };
        assert_eq!(registers.number, syscall::Call);
        let label = MessageInfo::from_word(registers.info).label();
        assert_eq!((label, &caps[..], &words[..]), expect);
    };
    check((invocation::IRQAckIRQ, &[], &[]), &mut || {
        irq.irq_handler_ack()
    });
    check((invocation::IRQSetIRQHandler, &[10], &[]), &mut || {
        irq.irq_handler_set_notification(notification)
    });
    check((invocation::IRQClearIRQHandler, &[], &[]), &mut || {
        irq.irq_handler_clear()
    });
    check((invocation::TCBSuspend, &[], &[]), &mut || {
        TCB.tcb_suspend()
    });
    check((invocation::TCBResume, &[], &[]), &mut || TCB.tcb_resume());
    check(
        (invocation::TCBWriteRegisters, &[], &[1, 1, 0x200000]),
        &mut || {
            // SAFETY: the kernel has no objects.
            unsafe { TCB.tcb_write_registers(true, 1, &mut registers) }
        },
    );
    check((invocation::TCBSetPriority, &[203], &[9]), &mut || {
        TCB.tcb_set_priority(pointer(203), 9)
    });
    check((invocation::TCBSetMCPriority, &[203], &[9]), &mut || {
        TCB.tcb_set_mc_priority(pointer(203), 9)
    });
    check(
        (invocation::TCBSetSchedParams, &[203, 50, 1], &[8, 9]),
        &mut || {
            // SAFETY: the kernel has no objects.
            unsafe { TCB.tcb_set_sched_params(pointer(203), 8, 9, sc, ENDPOINT) }
        },
    );
    check((invocation::TCBSetTimeoutEndpoint, &[1], &[]), &mut || {
        // SAFETY: the kernel has no objects.
        unsafe { TCB.tcb_set_timeout_endpoint(ENDPOINT) }
    });
    check((invocation::TCBSetFlags, &[], &[1, 2]), &mut || {
        TCB.tcb_set_flags(1, 2).map(drop)
    });
    check((invocation::TCBSetTLSBase, &[], &[5]), &mut || {
        // SAFETY: the kernel has no objects.
        unsafe { TCB.tcb_set_tls_base(5) }
    });
    check((invocation::TCBBindNotification, &[10], &[]), &mut || {
        TCB.tcb_bind_notification(notification)
    });
    check((invocation::TCBUnbindNotification, &[], &[]), &mut || {
        TCB.tcb_unbind_notification()
    });
    check(
        (invocation::TCBSetSpace, &[0, 60, 3], &[17, 0]),
        &mut || {
            // SAFETY: the kernel has no objects.
            unsafe { TCB.tcb_set_space(null, cnode, 17, vspace) }
        },
    );
    check(
        (invocation::TCBConfigure, &[60, 3, 70], &[17, 0, 0x1000]),
        &mut || {
            // SAFETY: the kernel has no objects.
            unsafe { TCB.tcb_configure(cnode, 17, vspace, 0x1000, granule) }
        },
    );
    check((invocation::TCBSetIPCBuffer, &[70], &[0x1000]), &mut || {
        // SAFETY: the kernel has no objects.
        unsafe { TCB.tcb_set_ipc_buffer(0x1000, granule) }
    });
    check((invocation::SchedContextBind, &[202], &[]), &mut || {
        sc.bind(TCB)
    });
    check((invocation::SchedContextUnbind, &[], &[]), &mut || {
        sc.unbind()
    });
    check(
        (invocation::SchedContextUnbindObject, &[10], &[]),
        &mut || sc.unbind_object(notification),
    );
    check((invocation::ARMVSpaceClean_Data, &[], &[1, 2]), &mut || {
        vspace.vspace_clean_data(1, 2)
    });
    check(
        (invocation::ARMVSpaceInvalidate_Data, &[], &[1, 2]),
        &mut || {
            // SAFETY: the kernel has no objects.
            unsafe { vspace.vspace_invalidate_data(1, 2) }
        },
    );
    check(
        (invocation::ARMVSpaceCleanInvalidate_Data, &[], &[1, 2]),
        &mut || vspace.vspace_clean_invalidate_data(1, 2),
    );
    check(
        (invocation::ARMVSpaceUnify_Instruction, &[], &[1, 2]),
        &mut || vspace.vspace_unify_instruction(1, 2),
    );
    check((invocation::CNodeRevoke, &[], &[7, 64]), &mut || {
        // SAFETY: the kernel has no objects.
        unsafe { slot.revoke() }
    });
    check((invocation::CNodeDelete, &[], &[7, 64]), &mut || {
        // SAFETY: the kernel has no objects.
        unsafe { slot.delete() }
    });
    check(
        (invocation::CNodeCancelBadgedSends, &[], &[7, 64]),
        &mut || slot.cancel_badged_sends(),
    );
    check(
        (invocation::CNodeCopy, &[61], &[7, 64, 8, 9, 3]),
        &mut || {
            // SAFETY: the kernel has no objects.
            unsafe { slot.copy(&other, rights) }
        },
    );
    check(
        (invocation::CNodeMint, &[61], &[7, 64, 8, 9, 3, 42]),
        &mut || {
            // SAFETY: the kernel has no objects.
            unsafe { slot.mint(&other, rights, 42) }
        },
    );
    check((invocation::CNodeMove, &[61], &[7, 64, 8, 9]), &mut || {
        // SAFETY: the kernel has no objects.
        unsafe { slot.move_(&other) }
    });
    check(
        (invocation::CNodeMutate, &[61], &[7, 64, 8, 9, 42]),
        &mut || {
            // SAFETY: the kernel has no objects.
            unsafe { slot.mutate(&other, 42) }
        },
    );
}

#[test]
fn each_invocation_of_a_virtual_cpu_has_its_label_and_its_words() {
    let vcpu: cap::VCpu = pointer(330);
    let check = |expect: Expect<'_>, invoke: &mut dyn FnMut() -> sel4::Result<()>| {
        let seen = start(succeed);
        assert_eq!(invoke(), Ok(()));
        let [call] = &seen.borrow()[..] else {
            panic!("there must be one call")
        };
        assert_eq!(
            (call.registers.number, call.registers.capability),
            (syscall::Call, 330)
        );
        let label = MessageInfo::from_word(call.registers.info).label();
        assert_eq!((label, &call.caps[..], &call.words[..]), expect);
    };
    check((invocation::ARMVCPUSetTCB, &[202], &[]), &mut || {
        // SAFETY: the kernel has no objects.
        unsafe { vcpu.vcpu_set_tcb(TCB) }
    });
    check(
        (invocation::ARMVCPUWriteReg, &[], &[14, 0x4008_0000]),
        &mut || vcpu.vcpu_write_regs(VCpuReg::VBAR, 0x4008_0000),
    );
    check((invocation::ARMVCPUAckVPPI, &[], &[27]), &mut || {
        vcpu.vcpu_ack_vppi(27)
    });
    // The arguments are interrupt 0x3fe, priority 0x1f, group 1 and list register 3.
    check(
        (invocation::ARMVCPUInjectIRQ, &[], &[0x03_011f_03fe]),
        &mut || vcpu.vcpu_inject_irq(0x3fe, 0x1f, 1, 3),
    );
    // The bits of the arguments do not overlap.
    check(
        (invocation::ARMVCPUInjectIRQ, &[], &[0xff_ffff_ffff]),
        &mut || vcpu.vcpu_inject_irq(u16::MAX, u8::MAX, u8::MAX, u8::MAX),
    );
}

#[test]
fn a_register_of_a_virtual_cpu_is_read_by_number() {
    let seen = start(|registers, _| {
        registers.info = MessageInfo::new(0, 0, 0, 1).into_word();
        registers.message = [0x30d0_0980, 1, 2, 3];
    });
    let vcpu: cap::VCpu = pointer(331);
    assert_eq!(vcpu.vcpu_read_regs(VCpuReg::ELR_EL1), Ok(0x30d0_0980));
    let seen = &seen.borrow()[0];
    let label = MessageInfo::from_word(seen.registers.info).label();
    assert_eq!(
        (label, &seen.words[..]),
        (invocation::ARMVCPUReadReg, &[18][..])
    );
}

#[test]
fn each_breakpoint_has_its_five_words() {
    use sel4::{BreakOn, Breakpoint};
    let check = |expect: Expect<'_>, invoke: &dyn Fn() -> sel4::Result<()>| {
        let seen = start(succeed);
        assert_eq!(invoke(), Ok(()));
        let seen = &seen.borrow()[0];
        let label = MessageInfo::from_word(seen.registers.info).label();
        assert_eq!((label, &seen.caps[..], &seen.words[..]), expect);
    };
    let instruction = Breakpoint::Instruction { address: 0x20_0000 };
    check(
        (invocation::TCBSetBreakpoint, &[], &[1, 0x20_0000, 1, 0, 0]),
        &|| TCB.tcb_set_breakpoint(1, instruction),
    );
    let data = Breakpoint::Data {
        address: 0x500_0008,
        bytes: 8,
        on: BreakOn::Write,
    };
    check(
        (invocation::TCBSetBreakpoint, &[], &[6, 0x500_0008, 0, 8, 1]),
        &|| TCB.tcb_set_breakpoint(6, data),
    );
    check((invocation::TCBUnsetBreakpoint, &[], &[6]), &|| {
        TCB.tcb_unset_breakpoint(6)
    });
    check((invocation::TCBGetBreakpoint, &[], &[6]), &|| {
        TCB.tcb_get_breakpoint(6).map(drop)
    });
    check(
        (invocation::TCBConfigureSingleStepping, &[], &[0, 1]),
        &|| TCB.tcb_configure_single_stepping(0, 1).map(drop),
    );
    start(|registers, buffer| {
        registers.info = MessageInfo::new(0, 0, 0, 5).into_word();
        registers.message = [0x500_0008, 0, 8, 1];
        buffer.write(HostBuffer::MESSAGE + 4, 1);
    });
    assert_eq!(TCB.tcb_get_breakpoint(6), Ok(Some(data)));
    start(|registers, buffer| {
        registers.info = MessageInfo::new(0, 0, 0, 5).into_word();
        registers.message = [0x20_0000, 1, 0, 0];
        buffer.write(HostBuffer::MESSAGE + 4, 1);
    });
    assert_eq!(TCB.tcb_get_breakpoint(1), Ok(Some(instruction)));
    for (access, on) in [
        (0, BreakOn::Read),
        (1, BreakOn::Write),
        (2, BreakOn::ReadWrite),
    ] {
        let words = Breakpoint::Data {
            address: 8,
            bytes: 4,
            on,
        };
        let seen = start(succeed);
        assert_eq!(TCB.tcb_set_breakpoint(6, words), Ok(()));
        assert_eq!(seen.borrow()[0].words, [6, 8, 0, 4, access]);
    }
    fn read(access: u64, registers: &mut Registers, buffer: &mut HostBuffer<'_>) {
        registers.info = MessageInfo::new(0, 0, 0, 5).into_word();
        registers.message = [8, 0, 4, access];
        buffer.write(HostBuffer::MESSAGE + 4, 1);
    }
    let check = |answer: fn(&mut Registers, &mut HostBuffer<'_>), on| {
        start(answer);
        let (address, bytes) = (8, 4);
        let expect = Breakpoint::Data { address, bytes, on };
        assert_eq!(TCB.tcb_get_breakpoint(6), Ok(Some(expect)));
    };
    check(
        |registers, buffer| read(0, registers, buffer),
        BreakOn::Read,
    );
    check(
        |registers, buffer| read(1, registers, buffer),
        BreakOn::Write,
    );
    check(
        |registers, buffer| read(2, registers, buffer),
        BreakOn::ReadWrite,
    );
    start(|registers, _| {
        registers.info = MessageInfo::new(0, 0, 0, 5).into_word();
        registers.message = [0x20_0000, 1, 0, 0];
    });
    assert_eq!(TCB.tcb_get_breakpoint(1), Ok(None));
}

#[test]
fn the_first_bit_says_whether_a_breakpoint_is_used_for_single_steps() {
    let check = |answer: fn(&mut Registers, &mut HostBuffer<'_>), expect| {
        start(answer);
        assert_eq!(TCB.tcb_configure_single_stepping(0, 1), Ok(expect));
    };
    check(
        |registers, _| (registers.info, registers.message[0]) = (1, 0),
        false,
    );
    check(
        |registers, _| (registers.info, registers.message[0]) = (1, 1),
        true,
    );
    check(
        |registers, _| (registers.info, registers.message[0]) = (1, 2),
        false,
    );
}

#[test]
fn an_smc_call_passes_eight_registers_and_returns_eight() {
    let seen = start(|registers, buffer| {
        registers.info = MessageInfo::new(0, 0, 0, 8).into_word();
        registers.message = [100, 101, 102, 103];
        (4..8).for_each(|index| buffer.write(HostBuffer::MESSAGE + index, 100 + index as u64));
    });
    let smc: cap::Smc = pointer(7);
    // SAFETY: a host has no firmware, so the call has no effect on memory.
    let response = unsafe { smc.smc_call([0x8400_0000, 1, 2, 3, 4, 5, 6, 7]) };
    assert_eq!(response, Ok([100, 101, 102, 103, 104, 105, 106, 107]));
    let seen = &seen.borrow()[0];
    let label = MessageInfo::from_word(seen.registers.info).label();
    assert_eq!(
        (label, seen.registers.capability),
        (invocation::ARMSMCCall, 7)
    );
    assert_eq!(seen.words, [0x8400_0000, 1, 2, 3, 4, 5, 6, 7]);
    start(|registers, _| registers.info = MessageInfo::new(2, 0, 0, 0).into_word());
    // SAFETY: as above.
    let response = unsafe { smc.smc_call([0; 8]) };
    assert_eq!(response, Err(Error::InvalidCapability));
}

#[test]
fn the_registers_of_a_thread_are_read_from_registers_and_buffer() {
    let seen = start(|registers, buffer| {
        registers.info = MessageInfo::new(0, 0, 0, UserContext::COUNT).into_word();
        registers.message = [1000, 1001, 1002, 1003];
        for index in 4..UserContext::COUNT {
            buffer.write(HostBuffer::MESSAGE + index, 1000 + index as u64);
        }
    });
    let registers = TCB.tcb_read_all_registers(true).expect("it succeeds");
    assert_eq!(
        (*registers.pc(), *registers.sp(), *registers.spsr()),
        (1000, 1001, 1002)
    );
    assert_eq!(
        (*registers.gpr(0), *registers.gpr(1), *registers.gpr(28)),
        (1003, 1004, 1033)
    );
    assert_eq!(seen.borrow()[0].words, [1, 36]);
}

#[test]
fn all_registers_are_written_in_the_kernels_order() {
    let seen = start(succeed);
    let mut registers = UserContext::default();
    *registers.pc_mut() = 1;
    *registers.gpr_mut(28) = 2;
    // SAFETY: the kernel has no objects.
    unsafe { TCB.tcb_write_all_registers(false, &mut registers) }.expect("it succeeds");
    let seen = seen.borrow();
    let words = &seen[0].words;
    assert_eq!(words.len(), 2 + UserContext::COUNT);
    assert_eq!((words[0], words[1], words[2], words[2 + 33]), (0, 36, 1, 2));
}

/// Asserts that an empty message does not load the message registers, which saves four
/// instructions.
#[test]
fn an_empty_message_loads_no_message_registers() {
    let seen = start(succeed);
    let info = MessageInfo::new(5, 0, 0, 0);
    ENDPOINT.call_with_mrs(info, []);
    sel4::with_ipc_buffer_token(|token| {
        // SAFETY: the kernel is part of the test and does not violate memory safety.
        unsafe { sel4::sys::call_empty(token, 1, info) }
    });
    ENDPOINT.send_with_mrs(info, []);
    let seen = seen.borrow();
    assert_eq!(seen[0].registers, seen[1].registers);
    assert_ne!(seen[0].registers.message, [0; 4]);
    assert_eq!(seen[2].registers.number, syscall::Send);
    assert_eq!(MessageInfo::from_word(seen[2].registers.info), info);
}

#[test]
fn the_label_of_the_reply_is_an_error() {
    start(|registers, _| registers.info = MessageInfo::new(4, 0, 0, 0).into_word());
    assert_eq!(TCB.tcb_suspend(), Err(Error::RangeError));
    assert_eq!(TCB.tcb_read_all_registers(false), Err(Error::RangeError));
}

#[test]
fn invocations_return_the_first_word() {
    start(|registers, _| {
        registers.info = MessageInfo::new(0, 0, 0, 1).into_word();
        registers.message[0] = 77;
    });
    let sc: cap::SchedContext = pointer(50);
    assert_eq!(sc.consumed(), Ok(77));
    assert_eq!(sc.yield_to(), Ok(77));
    assert_eq!(TCB.tcb_set_flags(0, 1), Ok(77));
}

#[test]
fn calls_without_a_message_have_their_numbers() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    let kernel = move |registers: &mut Registers, buffer: Option<HostBuffer<'_>>| {
        let name = buffer.map(|buffer| buffer.read(HostBuffer::MESSAGE));
        log.borrow_mut()
            .push((registers.number, registers.capability, name));
        registers.capability = 12;
    };
    host::install(Some(Rc::new(kernel)));
    sel4::set_ipc_buffer(host::new_ipc_buffer());
    sel4::r#yield();
    assert_eq!(seen.take(), [(syscall::Yield, 0, None)]);
    sel4::debug_put_char(b'a');
    sel4::debug_snapshot();
    sel4::debug_halt();
    let identified = TCB.debug_identify();
    TCB.debug_name(b"a name");
    let name = u64::from_le_bytes(*b"a name\0\0");
    let expect = [
        (syscall::DebugPutChar, u64::from(b'a'), None),
        (syscall::DebugSnapshot, 0, None),
        (syscall::DebugHalt, 0, None),
        (syscall::DebugCapIdentify, 202, None),
        (syscall::DebugNameThread, 202, Some(name)),
    ];
    if sel4::config::DEBUG_BUILD {
        assert_eq!(seen.take(), expect);
        assert_eq!(identified, Some(12));
    } else {
        assert_eq!((seen.take().len(), identified), (0, None));
    }
}
