//! Has its children fault, one after another and each in a way of its own, and sees to it that
//! they go on.
//!
//! The program of a child never runs: its parent has stopped it, and gives it instructions and
//! registers of which it knows what they do.
#![no_std]
#![no_main]

mod children;

use microkit_abi::slots;
use microkit_console::println;
use sel4::{Access, Fault};
use sel4_microkit::{
    Channel, Child, EntryPoint, Handler, MessageInfo, get_mr, protection_domain, shared_words,
};

use children::{AGAIN, Children, DONE, Instruction, NAMES, code_of};

/// A system call that the kernel does not know, and that this parent answers.
const DOUBLE: u64 = 100;

/// The slot of the endpoint to the watchdog, which gets the timeouts: that of channel 1.
const WATCHDOG: u64 = slots::BASE_ENDPOINT + 1;

struct Parent {
    children: Children,
}

#[protection_domain]
fn init() -> Parent {
    let children = Children::new(
        shared_words!(code, code_size),
        shared_words!(data, data_size),
    );
    let watched = children.child(8).tcb();
    // SAFETY: the watchdog expects timeouts of this child there, and nothing else.
    unsafe { watched.tcb_set_timeout_endpoint(sel4::Cap::from_bits(WATCHDOG)) }
        .expect("it is an endpoint with all rights");
    children.start(1).expect("it is a child");
    Parent { children }
}

impl Handler for Parent {
    type Error = sel4::Error;

    /// A child goes on, and says so.
    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, sel4::Error> {
        println!("    it goes on, and says {:#x}", get_mr(0));
        Ok(MessageInfo::default())
    }

    fn fault(
        &mut self,
        child: Child,
        message: MessageInfo,
    ) -> Result<Option<MessageInfo>, sel4::Error> {
        let fault = message.fault();
        let instruction = self.children.instruction(&fault);
        if instruction == Some(DONE) {
            return self.next(child);
        }
        let name = NAMES[child.index() - 1];
        if is_breakpoint(&fault) {
            println!("{name}: a breakpoint");
        } else {
            println!("{name}: {fault}");
        }
        self.answer(child, &fault, instruction)
    }
}

impl Parent {
    /// What lets `child` go on.
    ///
    /// *Child*, in the SAFETY comments: the child's own program never runs. It has the instructions
    /// that [`Children`] has given it, and each relies only on what is said of it here.
    fn answer(
        &self,
        child: Child,
        fault: &Fault,
        instruction: Option<Instruction>,
    ) -> Result<Option<MessageInfo>, sel4::Error> {
        let reply = match fault {
            Fault::VmFault(fault) => {
                match fault.access() {
                    Access::Read => {
                        println!("    it reads elsewhere");
                        let mut registers = child.read_registers()?;
                        *registers.gpr_mut(10) = children::DATA;
                        // SAFETY: child.
                        unsafe { child.write_registers(&mut registers)? };
                    }
                    Access::Write => {
                        println!("    it does not write");
                        // SAFETY: child.
                        unsafe { child.skip_instruction()? };
                    }
                    Access::Execute => {
                        println!("    it runs elsewhere");
                        let mut registers = child.read_registers()?;
                        *registers.pc_mut() = code_of(child.index());
                        // SAFETY: child.
                        unsafe { child.write_registers(&mut registers)? };
                    }
                }
                MessageInfo::fault_retry()
            }
            Fault::CapFault(_) => {
                println!("    it uses another capability");
                let mut registers = child.read_registers()?;
                *registers.gpr_mut(0) = children::PARENT;
                // SAFETY: child.
                unsafe { child.write_registers(&mut registers)? };
                MessageInfo::fault_retry()
            }
            Fault::UnknownSyscall(fault) if fault.syscall() == DOUBLE => {
                println!("    its parent doubles {:#x}", fault.gpr(2));
                let mut reply = fault.reply();
                *reply.gpr_mut(2) = 2 * fault.gpr(2);
                *reply.gpr_mut(7) = children::CALL;
                // SAFETY: child. It is returned at once.
                unsafe { MessageInfo::fault_reply(reply) }
            }
            Fault::UserException(_) if instruction == Some(AGAIN) => {
                println!("    it begins again, elsewhere");
                let address = code_of(child.index()) as usize + 4;
                // SAFETY: child.
                child.restart(unsafe { EntryPoint::new(child, address) })?;
                return Ok(None);
            }
            Fault::UserException(fault) => {
                println!("    it passes over that");
                // SAFETY: child. It is returned at once.
                unsafe { MessageInfo::fault_reply(fault.reply()) }
            }
            Fault::DebugException(_) | Fault::VCpuFault(_) => {
                println!("    it passes over that");
                // SAFETY: child.
                unsafe { child.skip_instruction()? };
                MessageInfo::fault_retry()
            }
            _ => return Ok(None),
        };
        Ok(Some(reply))
    }

    /// `child` has come to its end, and stays there: it is the next one's turn.
    fn next(&self, child: Child) -> Result<Option<MessageInfo>, sel4::Error> {
        child.stop()?;
        match child.index() + 1 {
            next if next <= NAMES.len() => self.children.start(next)?,
            _ => println!("all went on"),
        }
        Ok(None)
    }
}

/// Whether it is that of `brk`: kernels with the hardware debug API have one for it, others take it
/// for what a virtual CPU's monitor must answer, with the exception class of `brk`.
fn is_breakpoint(fault: &Fault) -> bool {
    match fault {
        Fault::DebugException(_) => true,
        Fault::VCpuFault(fault) => fault.exception_class() == 0x3c,
        _ => false,
    }
}
