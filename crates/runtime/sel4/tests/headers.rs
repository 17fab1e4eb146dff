//! Compares the positions of words in messages with the SDK's headers, if `MICROKIT_SDK` names an
//! SDK.

use std::path::Path;
use std::{env, fs};

use sel4::sys::fault;
use sel4::{Fault, IpcBuffer, MessageInfo, UserContext, Word};

/// Returns the text of a header of the SDK, or reports that the test is skipped.
fn header(name: &str) -> Option<String> {
    let Some(sdk) = env::var_os("MICROKIT_SDK").filter(|value| !value.is_empty()) else {
        eprintln!("SKIPPED: MICROKIT_SDK is not set, so the headers were not compared");
        return None;
    };
    let path = Path::new(&sdk)
        .join("board/qemu_virt_aarch64/debug/include/sel4")
        .join(name);
    Some(fs::read_to_string(path).expect("an SDK has its headers"))
}

/// Returns the constants of an enumeration that start with `prefix`, in order and without the
/// prefix. Omits the counting constant `Length`.
fn constants<'a>(header: &'a str, prefix: &str) -> Vec<&'a str> {
    header
        .lines()
        .filter_map(|line| line.trim().strip_prefix(prefix)?.strip_suffix(','))
        .filter(|name| *name != "Length")
        .collect()
}

/// Returns the members of a structure, in order.
fn members<'a>(header: &'a str, structure: &str) -> Vec<&'a str> {
    let end = format!("}} {structure};");
    let (body, _) = header
        .split_once(&end)
        .expect("the header has the structure");
    let (_, body) = body.rsplit_once('{').expect("the structure has a body");
    body.lines()
        .filter_map(|line| line.trim().strip_prefix("seL4_Word ")?.strip_suffix(';'))
        .flat_map(|names| names.split(", "))
        .collect()
}

/// Returns a fault in which each word is equal to its index.
fn numbered(label: Word) -> Fault {
    let mut buffer = IpcBuffer::new();
    for (index, word) in buffer.msg_regs_mut().iter_mut().enumerate() {
        *word = index as Word;
    }
    Fault::new(&buffer, &MessageInfo::new(label, 0, 0, 0))
}

#[track_caller]
fn check(names: &[&str], read: &[(&str, Word)]) {
    assert!(!names.is_empty());
    for (name, index) in read {
        assert_eq!(names.get(*index as usize), Some(name), "word {index}");
    }
}

#[test]
fn each_word_of_a_fault_is_where_the_kernel_writes_it() {
    let Some(header) = header("sel4_arch/constants.h") else {
        return;
    };
    let Fault::UnknownSyscall(fault) = numbered(fault::UnknownSyscall) else {
        panic!("the wrong kind of fault")
    };
    let read = [
        ("X0", fault.gpr(0)),
        ("X7", fault.gpr(7)),
        ("FaultIP", fault.fault_ip()),
        ("SP", fault.sp()),
        ("LR", fault.lr()),
        ("SPSR", fault.spsr()),
        ("Syscall", fault.syscall()),
    ];
    check(&constants(&header, "seL4_UnknownSyscall_"), &read);
    let Fault::UserException(fault) = numbered(fault::UserException) else {
        panic!("the wrong kind of fault")
    };
    let read = [
        ("FaultIP", fault.fault_ip()),
        ("SP", fault.sp()),
        ("SPSR", fault.spsr()),
        ("Number", fault.number()),
        ("Code", fault.code()),
    ];
    check(&constants(&header, "seL4_UserException_"), &read);
    let Fault::VmFault(fault) = numbered(fault::VMFault) else {
        panic!("the wrong kind of fault")
    };
    let read = [
        ("IP", fault.ip()),
        ("Addr", fault.addr()),
        ("FSR", fault.fsr()),
    ];
    check(&constants(&header, "seL4_VMFault_"), &read);
    let Fault::Timeout(fault) = numbered(fault::Timeout) else {
        panic!("the wrong kind of fault")
    };
    let read = [("Data", fault.data()), ("Consumed", fault.consumed())];
    check(&constants(&header, "seL4_Timeout_"), &read);
}

#[test]
fn registers_are_in_the_kernels_order() {
    let (Some(types), Some(constants_h)) =
        (header("sel4_arch/types.h"), header("sel4_arch/constants.h"))
    else {
        return;
    };
    let context = members(&types, "seL4_UserContext");
    assert_eq!(context.len(), UserContext::COUNT);
    let timeout = constants(&constants_h, "seL4_TimeoutReply_");
    let Fault::Timeout(fault) = numbered(fault::Timeout) else {
        panic!("the wrong kind of fault")
    };
    for index in 0..=30 {
        let mut registers = UserContext::default();
        *registers.gpr_mut(index) = 1;
        let reply = fault.reply_with_registers(&registers);
        let place = reply.words().iter().position(|&word| word == 1);
        let place = place.expect("each register is in the reply");
        assert_eq!(context[place], format!("x{index}"));
        assert_eq!(timeout[place], format!("X{index}"));
        assert_eq!(reply.words().len(), timeout.len());
    }
    let mut registers = UserContext::default();
    (
        *registers.pc_mut(),
        *registers.sp_mut(),
        *registers.spsr_mut(),
    ) = (1, 2, 3);
    let reply = fault.reply_with_registers(&registers);
    assert_eq!(reply.words()[..3], [1, 2, 3]);
    assert_eq!(context[..3], ["pc", "sp", "spsr"]);
    assert_eq!(timeout[..3], ["FaultIP", "SP", "SPSR_EL1"]);
    let smc = members(&types, "seL4_ARM_SMCContext");
    assert_eq!(smc.len(), sel4::NUM_SMC_REGISTERS);
}

#[test]
fn measurements_are_read_where_the_kernel_writes_them() {
    let Some(header) = header("benchmark_utilisation_types.h") else {
        return;
    };
    let names = constants(&header, "BENCHMARK_");
    let expect = [
        "TCB_UTILISATION",
        "TCB_NUMBER_SCHEDULES",
        "TCB_KERNEL_UTILISATION",
        "TCB_NUMBER_KERNEL_ENTRIES",
        "IDLE_LOCALCPU_UTILISATION",
        "IDLE_TCBCPU_UTILISATION",
        "IDLE_NUMBER_SCHEDULES",
        "IDLE_KERNEL_UTILISATION",
        "IDLE_NUMBER_KERNEL_ENTRIES",
        "TOTAL_UTILISATION",
        "TOTAL_NUMBER_SCHEDULES",
        "TOTAL_KERNEL_UTILISATION",
        "TOTAL_NUMBER_KERNEL_ENTRIES",
    ];
    assert_eq!(names, expect);
}
