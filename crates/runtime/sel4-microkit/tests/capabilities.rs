//! Tests the slot, the label and the words of the system calls of `Child`, `VCpu` and
//! `arm_smc_call`.

use std::cell::RefCell;
use std::rc::Rc;

use microkit_abi::slots;
use sel4::sys::host::{self as kernel, HostBuffer, Registers};
use sel4::sys::{MessageInfo, fault, invocation, syscall};
use sel4::{Fault, UserContext, VCpuReg};
use sel4_microkit::{Child, EntryPoint, VCpu, arm_smc_call};

/// A system call: the slot, the label and the words.
type Seen = (u64, u64, Vec<u64>);

/// Runs `invoke` under a kernel that answers with `answer` in every word. Returns the only system
/// call of `invoke` and the result of `invoke`.
fn the_call<R>(answer: u64, invoke: impl FnOnce() -> R) -> (Seen, R) {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    let kernel = move |registers: &mut Registers, buffer: Option<HostBuffer<'_>>| {
        let mut buffer = buffer.expect("an invocation has a buffer");
        assert_eq!(registers.number, syscall::Call);
        let info = MessageInfo::from_word(registers.info);
        let word = |index| match registers.message.get(index) {
            Some(&word) => word,
            None => buffer.read(HostBuffer::MESSAGE + index),
        };
        let words = (0..info.length()).map(word).collect();
        log.borrow_mut()
            .push((registers.capability, info.label(), words));
        registers.message = [answer; 4];
        (4..UserContext::COUNT).for_each(|index| buffer.write(HostBuffer::MESSAGE + index, answer));
        registers.info = MessageInfo::new(0, 0, 0, UserContext::COUNT).into_word();
    };
    kernel::install(Some(Rc::new(kernel)));
    sel4::set_ipc_buffer(kernel::new_ipc_buffer());
    let result = invoke();
    kernel::install(None);
    let [call] = &seen.borrow()[..] else {
        panic!("one call")
    };
    (call.clone(), result)
}

#[test]
fn each_method_of_a_virtual_cpu_is_one_invocation() {
    let check = |expect: (u64, u64, &[u64]), invoke: &dyn Fn(VCpu) -> sel4::Result<()>| {
        let ((slot, label, words), result) = the_call(0, || invoke(VCpu::new(2)));
        assert_eq!(result, Ok(()));
        assert_eq!((slot, label, &words[..]), expect);
    };
    let (thread, vcpu) = (slots::BASE_VM_TCB + 2, slots::BASE_VCPU + 2);
    check(
        (thread, invocation::TCBWriteRegisters, &[1, 1, 0x4000_0000]),
        &|vcpu| vcpu.restart(0x4000_0000),
    );
    check((thread, invocation::TCBSuspend, &[]), &|vcpu| vcpu.stop());
    check((thread, invocation::TCBResume, &[]), &|vcpu| vcpu.resume());
    let mut words = [0; 2 + UserContext::COUNT];
    words[1] = UserContext::COUNT as u64;
    words[3] = 5;
    check((thread, invocation::TCBWriteRegisters, &words), &|vcpu| {
        let mut registers = UserContext::default();
        *registers.sp_mut() = 5;
        vcpu.write_registers(&mut registers)
    });
    check((vcpu, invocation::ARMVCPUWriteReg, &[0, 7]), &|vcpu| {
        vcpu.write_reg(VCpuReg::SCTLR, 7)
    });
    check(
        (vcpu, invocation::ARMVCPUInjectIRQ, &[0x04_0103_0021]),
        &|vcpu| vcpu.inject_irq(33, 3, 1, 4),
    );
    check((vcpu, invocation::ARMVCPUAckVPPI, &[27]), &|vcpu| {
        vcpu.ack_vppi(27)
    });
}

#[test]
fn invocations_of_a_virtual_cpu_return_what_the_kernel_answers() {
    let (call, value) = the_call(42, || VCpu::new(0).read_reg(VCpuReg::CNTVOFF));
    let expect = (slots::BASE_VCPU, invocation::ARMVCPUReadReg, vec![22]);
    assert_eq!((call, value), (expect, Ok(42)));
    let (call, registers) = the_call(9, || VCpu::new(0).read_registers());
    let words = vec![0, UserContext::COUNT as u64];
    let expect = (slots::BASE_VM_TCB, invocation::TCBReadRegisters, words);
    assert_eq!(call, expect);
    assert_eq!(*registers.expect("it succeeds").gpr(30), 9);
}

/// Runs `invoke` under a kernel in which the child's program counter is `0x20_0000`. Returns the
/// labels and words of the system calls of `invoke`.
fn calls(invoke: impl FnOnce()) -> Vec<(u64, Vec<u64>)> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    let kernel = move |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
        let info = MessageInfo::from_word(registers.info);
        assert_eq!(registers.capability, slots::BASE_TCB + 3);
        let words = registers.message[..info.length()].to_vec();
        log.borrow_mut().push((info.label(), words));
        registers.message[0] = 0x20_0000;
        registers.info = MessageInfo::new(0, 0, 0, 1).into_word();
    };
    kernel::install(Some(Rc::new(kernel)));
    sel4::set_ipc_buffer(kernel::new_ipc_buffer());
    invoke();
    kernel::install(None);
    seen.take()
}

#[test]
fn a_child_that_skips_an_instruction_keeps_all_but_its_program_counter() {
    // SAFETY: the child has no program.
    let made = calls(|| unsafe { Child::new(3).skip_instruction() }.expect("it succeeds"));
    assert_eq!(
        made,
        [
            (invocation::TCBReadRegisters, vec![0, 1]),
            (invocation::TCBWriteRegisters, vec![0, 1, 0x20_0004]),
        ]
    );
}

#[test]
fn reading_and_writing_registers_does_not_resume_a_child() {
    let (call, registers) = the_call(9, || Child::new(3).read_registers());
    let words = vec![0, UserContext::COUNT as u64];
    let expect = (slots::BASE_TCB + 3, invocation::TCBReadRegisters, words);
    assert_eq!(call, expect);
    let mut registers = registers.expect("it succeeds");
    assert_eq!(*registers.gpr(0), 9);
    let child = Child::new(3);
    // SAFETY: the child has no program.
    let (call, written) = the_call(0, || unsafe { child.write_registers(&mut registers) });
    let mut words = vec![9; 2 + UserContext::COUNT];
    (words[0], words[1]) = (0, UserContext::COUNT as u64);
    let expect = (slots::BASE_TCB + 3, invocation::TCBWriteRegisters, words);
    assert_eq!((call, written), (expect, Ok(())));
}

#[test]
fn a_reply_to_a_fault_is_left_in_the_message_registers() {
    sel4::set_ipc_buffer(kernel::new_ipc_buffer());
    sel4::with_ipc_buffer_mut(|buffer| {
        buffer.msg_regs_mut()[..5].copy_from_slice(&[100, 101, 102, 103, 104]);
    });
    let message = sel4_microkit::MessageInfo::new(fault::UserException, 5);
    let Fault::UserException(exception) = message.fault() else {
        panic!("that")
    };
    // SAFETY: the reply is never sent.
    let reply = unsafe { sel4_microkit::MessageInfo::fault_reply(exception.reply()) };
    assert_eq!((reply.label(), reply.count()), (0, 3));
    assert_eq!([0, 1, 2].map(sel4_microkit::get_mr), [104, 101, 102]);
    let retry = sel4_microkit::MessageInfo::fault_retry();
    assert_eq!((retry.label(), retry.count()), (0, 0));
}

#[test]
fn a_fault_of_a_virtual_cpu_leads_to_it() {
    assert_eq!(VCpu::from(Child::new(7)), VCpu::new(7));
    assert_eq!(VCpu::new(7).index(), 7);
    assert_eq!(VCpu::new(7).tcb().bits(), slots::BASE_VM_TCB + 7);
    assert_eq!(VCpu::new(7).vcpu().bits(), slots::BASE_VCPU + 7);
}

#[test]
fn an_smc_call_uses_the_authority_that_the_system_file_gives() {
    let (call, response) = the_call(3, || {
        // SAFETY: a host has no firmware that the call could reach.
        unsafe { arm_smc_call([1, 2, 3, 4, 5, 6, 7, 8]) }
    });
    let words = vec![1, 2, 3, 4, 5, 6, 7, 8];
    assert_eq!(call, (slots::ARM_SMC, invocation::ARMSMCCall, words));
    assert_eq!(response, Ok([3; 8]));
}

/// Runs `run`, which must panic, and returns the panic message.
fn panic_of<R>(run: impl FnOnce() -> R) -> String {
    let run = std::panic::AssertUnwindSafe(run);
    let Err(panic) = std::panic::catch_unwind(run) else {
        panic!("it is refused")
    };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().expect("a message").to_string(),
    }
}

#[test]
fn an_entry_point_is_where_a_child_is_before_it_runs() {
    let (call, entry_point) = the_call(0x20_0000, || Child::new(3).entry_point());
    let words = vec![0, UserContext::COUNT as u64];
    let expect = (slots::BASE_TCB + 3, invocation::TCBReadRegisters, words);
    assert_eq!(call, expect);
    let entry_point = entry_point.expect("it succeeds");
    assert_eq!(entry_point.address(), 0x20_0000);
    // SAFETY: the child's entry point is at this address.
    let made = unsafe { EntryPoint::new(Child::new(3), 0x20_0000) };
    assert_eq!(made, entry_point);
}

#[test]
fn a_child_does_not_begin_where_another_does() {
    // SAFETY: the child has no program.
    let entry_point = unsafe { EntryPoint::new(Child::new(3), 0x20_0000) };
    let restart = || Child::new(4).restart(entry_point);
    let expect = "child 4 cannot be restarted at the entry point of child 3";
    assert_eq!(panic_of(restart), expect);
}

#[test]
fn an_identifier_that_no_system_file_can_give_is_refused() {
    // With these identifiers, the computed slots would hold other capabilities.
    assert_eq!(
        panic_of(|| Child::new(62)),
        "a child's identifier is at most 61"
    );
    let wraps = slots::BASE_TCB.wrapping_sub(slots::BASE_VM_TCB) as usize;
    for index in [62, wraps] {
        let refused = panic_of(|| VCpu::new(index));
        assert_eq!(refused, "a virtual CPU's identifier is at most 61");
    }
}
