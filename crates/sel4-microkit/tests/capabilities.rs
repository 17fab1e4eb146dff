//! Holds which slot, label and words each method of a virtual CPU, and an SMC call, come to.

use std::cell::RefCell;
use std::rc::Rc;

use microkit_abi::slots;
use sel4::sys::host::{self as kernel, HostBuffer, Registers};
use sel4::sys::{MessageInfo, invocation, syscall};
use sel4::{UserContext, VCpuReg};
use sel4_microkit::{Child, VCpu, arm_smc_call};

/// A call: the slot, the label and the words.
type Seen = (u64, u64, Vec<u64>);

/// Runs `invoke` under a kernel that answers with `answer` in every word, and returns the one call
/// that it made.
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
fn what_a_virtual_cpu_is_asked_for_is_what_the_kernel_answers() {
    let (call, value) = the_call(42, || VCpu::new(0).read_reg(VCpuReg::CNTVOFF));
    let expect = (slots::BASE_VCPU, invocation::ARMVCPUReadReg, vec![22]);
    assert_eq!((call, value), (expect, Ok(42)));
    let (call, registers) = the_call(9, || VCpu::new(0).read_registers());
    let words = vec![0, UserContext::COUNT as u64];
    let expect = (slots::BASE_VM_TCB, invocation::TCBReadRegisters, words);
    assert_eq!(call, expect);
    assert_eq!(*registers.expect("it succeeds").gpr(30), 9);
}

#[test]
fn a_fault_of_a_virtual_cpu_leads_to_it() {
    assert_eq!(VCpu::from(Child::new(7)), VCpu::new(7));
    assert_eq!(VCpu::new(7).tcb().bits(), slots::BASE_VM_TCB + 7);
    assert_eq!(VCpu::new(7).vcpu().bits(), slots::BASE_VCPU + 7);
}

#[test]
fn an_smc_call_uses_the_authority_that_the_system_file_gives() {
    let (call, response) = the_call(3, || arm_smc_call([1, 2, 3, 4, 5, 6, 7, 8]));
    let words = vec![1, 2, 3, 4, 5, 6, 7, 8];
    assert_eq!(call, (slots::ARM_SMC, invocation::ARMSMCCall, words));
    assert_eq!(response, Ok([3; 8]));
}
