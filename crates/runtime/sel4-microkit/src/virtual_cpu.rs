//! The virtual CPUs of a PD's virtual machine.

use microkit_abi::{limits, slots};
use sel4::{UserContext, VCpuReg, Word};

use crate::Child;

/// A virtual CPU of the `<virtual_machine>` of this PD, identified by the `id` of its `<vcpu>`.
///
/// [`Handler::fault`](crate::Handler::fault) receives the faults of a virtual CPU as faults of the
/// child with the same identifier. `VCpu::from(child)` converts the child.
///
/// A kernel without hypervisor support has no virtual machines. For a board with such a kernel,
/// Microkit's tool refuses a system with a virtual machine. The model kernel's builder refuses
/// every virtual machine.
///
/// ```
/// use sel4_microkit::VCpu;
///
/// const GUEST: VCpu = VCpu::new(0);
///
/// fn boot(entry_point: u64, device_tree: u64) -> sel4::Result<()> {
///     let mut registers = sel4::UserContext::default();
///     *registers.gpr_mut(0) = device_tree;
///     GUEST.write_registers(&mut registers)?;
///     GUEST.restart(entry_point)
/// }
/// ```
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VCpu {
    index: usize,
}

impl VCpu {
    /// Makes the virtual CPU with the identifier `index`.
    ///
    /// # Panics
    ///
    /// Panics if `index` is above [`MAX_CHANNEL_ID`](limits::MAX_CHANNEL_ID). Virtual CPUs and
    /// channels have the same limit.
    pub const fn new(index: usize) -> Self {
        assert!(
            index <= limits::MAX_CHANNEL_ID as usize,
            "a virtual CPU's identifier is at most 61"
        );
        Self { index }
    }

    /// Returns the identifier.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Runs the guest at `entry_point`, an address in the guest's address space.
    ///
    /// The other registers and the memory of the guest do not change.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no virtual CPU with this identifier.
    #[track_caller]
    pub fn restart(&self, entry_point: u64) -> sel4::Result<()> {
        let mut registers = UserContext::default();
        *registers.pc_mut() = entry_point;
        // SAFETY: K-5.
        unsafe { self.tcb().tcb_write_registers(true, 1, &mut registers) }
    }

    /// Suspends the guest.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no virtual CPU with this identifier.
    #[track_caller]
    pub fn stop(&self) -> sel4::Result<()> {
        self.tcb().tcb_suspend()
    }

    /// Resumes the guest at the instruction where it was stopped.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no virtual CPU with this identifier.
    #[track_caller]
    pub fn resume(&self) -> sel4::Result<()> {
        self.tcb().tcb_resume()
    }

    /// Reads the guest's general registers.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no virtual CPU with this identifier.
    #[track_caller]
    pub fn read_registers(&self) -> sel4::Result<UserContext> {
        self.tcb().tcb_read_all_registers(false)
    }

    /// Writes the guest's general registers.
    ///
    /// The state of the guest does not change. A guest that is stopped or waits for the reply to a
    /// fault does not resume.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no virtual CPU with this identifier.
    #[track_caller]
    pub fn write_registers(&self, registers: &mut UserContext) -> sel4::Result<()> {
        // SAFETY: K-5.
        unsafe { self.tcb().tcb_write_all_registers(false, registers) }
    }

    /// Reads a system register of the guest.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no virtual CPU with this identifier.
    #[track_caller]
    pub fn read_reg(&self, register: VCpuReg) -> sel4::Result<Word> {
        self.vcpu().vcpu_read_regs(register)
    }

    /// Writes a system register of the guest.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no virtual CPU with this identifier.
    #[track_caller]
    pub fn write_reg(&self, register: VCpuReg, value: Word) -> sel4::Result<()> {
        self.vcpu().vcpu_write_regs(register, value)
    }

    /// Injects a virtual IRQ with list register `index` of the guest's interrupt controller.
    ///
    /// `irq` must be below 1024, `priority` must be below 32, and `group` must be 0 or 1.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `RangeError` if an argument is out of range. Returns `DeleteFirst` if the list
    /// register holds an IRQ that the guest has not handled. Returns `InvalidCapability` if this PD
    /// has no virtual CPU with this identifier.
    #[track_caller]
    pub fn inject_irq(&self, irq: u16, priority: u8, group: u8, index: u8) -> sel4::Result<()> {
        self.vcpu().vcpu_inject_irq(irq, priority, group, index)
    }

    /// Acknowledges a private IRQ that was received as a [`VPpiEvent`](sel4::VPpiEvent) fault. The
    /// acknowledgement unmasks the IRQ.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidArgument` if the kernel does not forward this IRQ. Returns `RangeError` if
    /// `irq` is out of range. Returns `InvalidCapability` if this PD has no virtual CPU with this
    /// identifier.
    #[track_caller]
    pub fn ack_vppi(&self, irq: Word) -> sel4::Result<()> {
        self.vcpu().vcpu_ack_vppi(irq)
    }

    /// Returns the capability to the guest's thread, for invocations that `VCpu` has no method for.
    pub const fn tcb(&self) -> sel4::cap::Tcb {
        // SAFETY: K-1.
        unsafe { sel4::Cap::from_bits(slots::BASE_VM_TCB + self.index as u64) }
    }

    /// Returns the capability to the virtual CPU itself.
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
