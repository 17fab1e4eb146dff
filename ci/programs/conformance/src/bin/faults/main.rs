//! A parent whose children fault one after the other, each with a different fault. The parent
//! handles each fault so that the child continues.
//!
//! The program of a child never runs. The parent stops the child first and gives it known
//! instructions and registers.
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

/// An unknown system call, which this parent emulates.
const DOUBLE: u64 = 100;

/// The slot of channel 1's endpoint. The watchdog receives the timeout faults on this channel.
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
    // SAFETY: the watchdog expects only timeout faults of this child on this channel.
    unsafe { watched.tcb_set_timeout_endpoint(sel4::Cap::from_bits(WATCHDOG)) }
        .expect("the slot holds an endpoint with all rights");
    children
        .start(1)
        .expect("the system file declares this child");
    Parent { children }
}

impl Handler for Parent {
    type Error = sel4::Error;

    /// Handles a child's report that the child continues.
    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, sel4::Error> {
        println!("    it continues, and reports {:#x}", get_mr(0));
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
    /// Handles the fault so that `child` continues. Returns the reply.
    ///
    /// *Child*, in the SAFETY comments: the child's own program never runs. The child runs only the
    /// instructions of [`Children`], and these work with the registers that the parent sets.
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
                        println!("    it reads from another address");
                        let mut registers = child.read_registers()?;
                        *registers.gpr_mut(10) = children::DATA;
                        // SAFETY: see *Child* in the documentation of this method.
                        unsafe { child.write_registers(&mut registers)? };
                    }
                    Access::Write => {
                        println!("    it skips the write");
                        // SAFETY: see *Child* in the documentation of this method.
                        unsafe { child.skip_instruction()? };
                    }
                    Access::Execute => {
                        println!("    it continues at another address");
                        let mut registers = child.read_registers()?;
                        *registers.pc_mut() = code_of(child.index());
                        // SAFETY: see *Child* in the documentation of this method.
                        unsafe { child.write_registers(&mut registers)? };
                    }
                }
                MessageInfo::fault_retry()
            }
            Fault::CapFault(_) => {
                println!("    it uses another capability");
                let mut registers = child.read_registers()?;
                *registers.gpr_mut(0) = children::PARENT;
                // SAFETY: see *Child* in the documentation of this method.
                unsafe { child.write_registers(&mut registers)? };
                MessageInfo::fault_retry()
            }
            Fault::UnknownSyscall(fault) if fault.syscall() == DOUBLE => {
                println!("    its parent doubles {:#x}", fault.gpr(2));
                let mut reply = fault.reply();
                *reply.gpr_mut(2) = 2 * fault.gpr(2);
                *reply.gpr_mut(7) = children::CALL;
                // SAFETY: see *Child* above. The reply is returned at once.
                unsafe { MessageInfo::fault_reply(reply) }
            }
            Fault::UserException(_) if instruction == Some(AGAIN) => {
                println!("    it is restarted at another address");
                let address = code_of(child.index()) as usize + 4;
                // SAFETY: see *Child* in the documentation of this method.
                child.restart(unsafe { EntryPoint::new(child, address) })?;
                return Ok(None);
            }
            Fault::UserException(fault) => {
                println!("    it skips the instruction");
                // SAFETY: see *Child* above. The reply is returned at once.
                unsafe { MessageInfo::fault_reply(fault.reply()) }
            }
            Fault::DebugException(_) | Fault::VCpuFault(_) => {
                println!("    it skips the instruction");
                // SAFETY: see *Child* in the documentation of this method.
                unsafe { child.skip_instruction()? };
                MessageInfo::fault_retry()
            }
            _ => return Ok(None),
        };
        Ok(Some(reply))
    }

    /// Stops `child`, which has reached its end, and starts the next one.
    fn next(&self, child: Child) -> Result<Option<MessageInfo>, sel4::Error> {
        child.stop()?;
        match child.index() + 1 {
            next if next <= NAMES.len() => self.children.start(next)?,
            _ => println!("all children continued"),
        }
        Ok(None)
    }
}

/// Returns whether `brk` raised the fault. Kernels with the hardware debug API report a debug
/// exception. Other kernels report a VCPU fault with the exception class of `brk`.
fn is_breakpoint(fault: &Fault) -> bool {
    match fault {
        Fault::DebugException(_) => true,
        Fault::VCpuFault(fault) => fault.exception_class() == 0x3c,
        _ => false,
    }
}
