//! A virtual machine monitor: starts a small guest, answers its hypercalls, and injects interrupts.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

mod guest;

use core::sync::atomic::{AtomicU64, Ordering};

use microkit_console::println;
use sel4::{Fault, UnknownSyscall, UserContext, VCpuReg};
use sel4_microkit::{
    Child, Handler, MessageInfo, VCpu, panicking, protection_domain, shared_words, vspace,
};

const GUEST: VCpu = VCpu::new(0);

/// The interrupt number of a device in the guest.
const DEVICE_IRQ: u16 = 40;

/// The virtual timer's interrupt (Arm BSA, *Private Peripheral Interrupts*).
const TIMER_IRQ: u64 = 27;

/// The interrupt group. Without security extensions all interrupts are in group 0.
const GROUP: u8 = 0;

struct Vmm {
    /// The virtual interrupt that was injected last.
    sent: u64,
}

#[protection_domain]
fn init() -> Vmm {
    panicking::set_hook(&microkit_console::panic_hook);
    start().expect("the system file declares the guest");
    Vmm { sent: 0 }
}

fn start() -> sel4::Result<()> {
    load(shared_words!(memory, memory_size))?;
    GUEST.write_reg(VCpuReg::TPIDR_EL1, 0x5e14)?;
    let mut registers = UserContext::default();
    *registers.spsr_mut() = guest::PSTATE;
    GUEST.write_registers(&mut registers)?;
    GUEST.restart(guest::START)
}

/// Writes the guest's code, and cleans the caches so that the guest can fetch it.
fn load(memory: &[AtomicU64]) -> sel4::Result<()> {
    let put = |offset: usize, instructions: &[u32]| {
        for (index, pair) in instructions.chunks(2).enumerate() {
            let high = pair.get(1).copied().unwrap_or_default();
            let word = u64::from(high) << 32 | u64::from(pair[0]);
            memory[offset / 8 + index].store(word, Ordering::Relaxed);
        }
    };
    put(0, &guest::MAIN);
    put(guest::IRQ_OFFSET, &guest::IRQ);
    // The guest starts with its MMU and caches off, so the code must reach main memory.
    let start = memory.as_ptr().addr();
    vspace().vspace_clean_data(start, start + size_of_val(memory))?;
    vspace().vspace_unify_instruction(start, start + size_of_val(memory))
}

impl Vmm {
    /// Handles a hypercall. seL4 delivers it as an unknown system call.
    fn hypercall(&mut self, call: &UnknownSyscall) -> sel4::Result<()> {
        let argument = call.gpr(1);
        match call.gpr(0) {
            guest::HELLO => println!("vmm: the guest says {argument:#x}"),
            guest::READY => {
                let vectors = GUEST.read_reg(VCpuReg::VBAR)?;
                println!("vmm: the guest is ready, its vectors are at {vectors:#x}");
                self.send(DEVICE_IRQ)?;
            }
            guest::HANDLED => println!("vmm: the guest has handled interrupt {argument}"),
            guest::END => println!("vmm: the guest has nothing left to do"),
            number => println!("vmm: no such hypercall: {number}"),
        }
        // The guest continues after the `hvc` instruction. A fault reply could also set the
        // registers, but its type does not state that the receiver is a guest.
        let mut registers = GUEST.read_registers()?;
        *registers.pc_mut() = call.fault_ip() + 4;
        GUEST.write_registers(&mut registers)
    }

    fn send(&mut self, irq: u16) -> sel4::Result<()> {
        self.sent = irq.into();
        GUEST.inject_irq(irq, 0, GROUP, 0)
    }
}

impl Handler for Vmm {
    type Error = sel4::Error;

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, sel4::Error> {
        assert_eq!(VCpu::from(child), GUEST);
        match msg_info.fault() {
            Fault::UnknownSyscall(call) => self.hypercall(&call)?,
            Fault::VPpiEvent(event) => {
                println!(
                    "vmm: the guest's timer has fired: interrupt {}",
                    event.irq()
                );
                self.send(event.irq() as u16)?;
            }
            Fault::VGicMaintenance(maintenance) => {
                let index = maintenance.idx();
                println!("vmm: interrupt {} is at its end: {index:?}", self.sent);
                if self.sent == TIMER_IRQ {
                    GUEST.ack_vppi(TIMER_IRQ)?;
                }
            }
            fault => {
                println!("vmm: the guest stops: {fault}");
                GUEST.stop()?;
                return Ok(None);
            }
        }
        Ok(Some(MessageInfo::fault_retry()))
    }
}
