//! The virtual CPUs of a protection domain's virtual machine.

use microkit_abi::{limits, slots};
use sel4::{UserContext, VCpuReg, Word};

use crate::Child;

/// A virtual CPU of the `<virtual_machine>` of this protection domain, by the identifier that the
/// system file gives its `<vcpu>`.
///
/// Its faults come to [`Handler::fault`](crate::Handler::fault) as those of the child with that
/// identifier: `VCpu::from(child)` is this.
///
/// A kernel without hypervisor support has no virtual machines; Microkit's tool refuses a system
/// that has one for such a board, and the model kernel's builder refuses every one.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VCpu {
    index: usize,
}

impl VCpu {
    /// The virtual CPU with identifier `index`.
    ///
    /// # Panics
    ///
    /// If `index` is above [`MAX_CHANNEL_ID`](limits::MAX_CHANNEL_ID), which bounds the identifiers
    /// of virtual CPUs too.
    pub const fn new(index: usize) -> Self {
        assert!(
            index <= limits::MAX_CHANNEL_ID as usize,
            "a virtual CPU's identifier is at most 61"
        );
        Self { index }
    }

    /// Its identifier.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Lets the guest run at `entry_point`, an address of its own. Its other registers and its
    /// memory are as they were.
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such virtual CPU.
    #[track_caller]
    pub fn restart(&self, entry_point: u64) -> sel4::Result<()> {
        let mut registers = UserContext::default();
        *registers.pc_mut() = entry_point;
        // SAFETY: K-5.
        unsafe { self.tcb().tcb_write_registers(true, 1, &mut registers) }
    }

    /// Stops the guest.
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such virtual CPU.
    #[track_caller]
    pub fn stop(&self) -> sel4::Result<()> {
        self.tcb().tcb_suspend()
    }

    /// Lets the guest run on where it was stopped.
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such virtual CPU.
    #[track_caller]
    pub fn resume(&self) -> sel4::Result<()> {
        self.tcb().tcb_resume()
    }

    /// Reads the guest's general registers.
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such virtual CPU.
    #[track_caller]
    pub fn read_registers(&self) -> sel4::Result<UserContext> {
        self.tcb().tcb_read_all_registers(false)
    }

    /// Writes the guest's general registers. It goes on as it did: if it is stopped, or waits for
    /// the reply to a fault, it stays so.
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such virtual CPU.
    #[track_caller]
    pub fn write_registers(&self, registers: &mut UserContext) -> sel4::Result<()> {
        // SAFETY: K-5.
        unsafe { self.tcb().tcb_write_all_registers(false, registers) }
    }

    /// Reads a system register of the guest.
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such virtual CPU.
    #[track_caller]
    pub fn read_reg(&self, register: VCpuReg) -> sel4::Result<Word> {
        self.vcpu().vcpu_read_regs(register)
    }

    /// Writes a system register of the guest.
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such virtual CPU.
    #[track_caller]
    pub fn write_reg(&self, register: VCpuReg, value: Word) -> sel4::Result<()> {
        self.vcpu().vcpu_write_regs(register, value)
    }

    /// Puts a virtual interrupt into list register `index` of the guest's interrupt controller.
    ///
    /// `irq` is below 1024, `priority` below 32, `group` 0 or 1.
    ///
    /// **Blocks:** never.
    /// **Errors:** `RangeError` if an argument is out of range, `DeleteFirst` if the list register
    /// holds an interrupt that the guest has not handled, `InvalidCapability` if this PD has no
    /// such virtual CPU.
    #[track_caller]
    pub fn inject_irq(&self, irq: u16, priority: u8, group: u8, index: u8) -> sel4::Result<()> {
        self.vcpu().vcpu_inject_irq(irq, priority, group, index)
    }

    /// Lets a private interrupt that came as a [`VPpiEvent`](sel4::VPpiEvent) fault come again.
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidArgument` if it is none that is forwarded, `RangeError` if there is no
    /// such interrupt, `InvalidCapability` if this PD has no such virtual CPU.
    #[track_caller]
    pub fn ack_vppi(&self, irq: Word) -> sel4::Result<()> {
        self.vcpu().vcpu_ack_vppi(irq)
    }

    /// The capability to its thread, for what has no method here.
    pub const fn tcb(&self) -> sel4::cap::Tcb {
        // SAFETY: K-1.
        unsafe { sel4::Cap::from_bits(slots::BASE_VM_TCB + self.index as u64) }
    }

    /// The capability to the virtual CPU itself.
    pub const fn vcpu(&self) -> sel4::cap::VCpu {
        // SAFETY: K-1.
        unsafe { sel4::Cap::from_bits(slots::BASE_VCPU + self.index as u64) }
    }
}

impl From<Child> for VCpu {
    fn from(child: Child) -> Self {
        Self::new(child.index())
    }
}
