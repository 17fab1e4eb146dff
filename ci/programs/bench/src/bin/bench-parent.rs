//! Measures a fault and its reply: the child faults in a loop, and this parent replies each time.
//!
//! The child's own program never runs. The parent stops the child first and writes instructions.
#![no_std]
#![no_main]

use core::sync::atomic::Ordering;

use aarch64_cpu::registers::{CNTPCT_EL0, Readable};
use bench::report::{DONE, FAULT, report};
use sel4::Fault;
use sel4_microkit::{
    ChannelSet, Child, EntryPoint, Handler, MessageInfo, protection_domain, shared_words, vspace,
};

const CHILD: Child = Child::new(1);

/// The address of the child's instructions in the child's address space.
const CODE: usize = 0x400_0000;

/// `udf #1`, then `b .-4` (Arm ARM, *A64 Base Instruction Descriptions*).
const INSTRUCTIONS: u64 = 0x17ff_ffff_0000_0001;

const ROUND_TRIPS: u64 = 10_000;

const WARM_UP: u64 = 100;

struct Parent {
    faults: u64,
    start: u64,
}

#[protection_domain]
fn init() -> Parent {
    CHILD.stop().expect("the system file declares this child");
    let code = shared_words!(code, code_size);
    code[0].store(INSTRUCTIONS, Ordering::Relaxed);
    let start = code.as_ptr().addr();
    vspace()
        .vspace_unify_instruction(start, start + size_of::<u64>())
        .expect("the region is mapped");
    Parent {
        faults: 0,
        start: 0,
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn notified(&mut self, _: ChannelSet) -> Result<(), sel4::Error> {
        // SAFETY: the child's own program never runs, and its instructions are at this address.
        CHILD.restart(unsafe { EntryPoint::new(CHILD, CODE) })
    }

    fn fault(
        &mut self,
        child: Child,
        message: MessageInfo,
    ) -> Result<Option<MessageInfo>, sel4::Error> {
        self.faults += 1;
        if self.faults == WARM_UP {
            self.start = CNTPCT_EL0.get();
        } else if self.faults == WARM_UP + ROUND_TRIPS {
            report(FAULT, CNTPCT_EL0.get() - self.start, ROUND_TRIPS);
            report(DONE, 0, 0);
            child.stop()?;
            return Ok(None);
        }
        match message.fault() {
            Fault::UserException(fault) => {
                // SAFETY: the child runs two instructions, and it continues at the second one.
                Ok(Some(unsafe { MessageInfo::fault_reply(fault.reply()) }))
            }
            fault => panic!("the child has another fault: {fault}"),
        }
    }
}
