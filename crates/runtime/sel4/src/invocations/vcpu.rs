//! Invocations of virtual CPUs (seL4 manual, `seL4_ARM_VCPU`). These invocations never block.
//!
//! A kernel without hypervisor support (`config::ARM_HYPERVISOR_SUPPORT`) returns
//! `IllegalOperation` or `InvalidCapability`.

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{CPtrBits, InvocationContext, Result, VCpuReg, Word, cap};

impl<C: InvocationContext> cap::VCpu<C> {
    /// Binds a thread to this virtual CPU, and unbinds any previous thread
    /// (`seL4_ARM_VCPU_SetTCB`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if `tcb` is not a
    /// thread.
    ///
    /// # Safety
    ///
    /// The thread must not belong to this program, because code on a virtual CPU has different
    /// mappings and different system calls.
    #[track_caller]
    pub unsafe fn vcpu_set_tcb(self, tcb: cap::Tcb) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.simple(label::ARMVCPUSetTCB, &[tcb.bits()], &[]) }
    }

    /// Reads a system register of the virtual CPU (`seL4_ARM_VCPU_ReadRegs`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidCapability`](crate::Error::InvalidCapability) if this capability is
    /// not a virtual CPU.
    ///
    /// # Examples
    ///
    /// ```
    /// use sel4::VCpuReg;
    ///
    /// /// Moves the guest's virtual timer to now.
    /// fn expire(guest: sel4::cap::VCpu, now: u64) -> sel4::Result<u64> {
    ///     let before = guest.vcpu_read_regs(VCpuReg::CNTV_CVAL)?;
    ///     guest.vcpu_write_regs(VCpuReg::CNTV_CVAL, now)?;
    ///     Ok(before)
    /// }
    /// ```
    #[track_caller]
    pub fn vcpu_read_regs(self, register: VCpuReg) -> Result<Word> {
        let words = &[register.into_sys()];
        let invocation = Invocation {
            label: label::ARMVCPUReadReg,
            caps: &[],
            words,
        };
        // SAFETY: C-3: the invocation only reads a register.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(|[value, ..]| value))
    }

    /// Writes a system register of the virtual CPU (`seL4_ARM_VCPU_WriteRegs`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidCapability`](crate::Error::InvalidCapability) if this capability is
    /// not a virtual CPU.
    #[track_caller]
    pub fn vcpu_write_regs(self, register: VCpuReg, value: Word) -> Result<()> {
        // SAFETY: C-3: the register belongs to the guest and affects only the guest's memory. The
        // threads of a Rust program never run on a virtual CPU (`vcpu_set_tcb`).
        unsafe { self.simple(label::ARMVCPUWriteReg, &[], &[register.into_sys(), value]) }
    }

    /// Acknowledges (unmasks) a private interrupt that arrived as a `VPpiEvent` fault
    /// (`seL4_ARM_VCPU_AckVPPI`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidArgument`](crate::Error::InvalidArgument) if the kernel does not
    /// forward this interrupt. Returns [`Error::RangeError`](crate::Error::RangeError) if `irq` is
    /// out of range. Returns [`Error::InvalidCapability`](crate::Error::InvalidCapability) if this
    /// capability is not a virtual CPU.
    ///
    /// # Examples
    ///
    /// ```
    /// fn expired(guest: sel4::cap::VCpu, event: &sel4::VPpiEvent) -> sel4::Result<()> {
    ///     // Inject the interrupt into the guest, and then:
    ///     guest.vcpu_ack_vppi(event.irq())
    /// }
    /// ```
    #[track_caller]
    pub fn vcpu_ack_vppi(self, irq: Word) -> Result<()> {
        // SAFETY: C-3: the interrupt belongs to the guest.
        unsafe { self.simple(label::ARMVCPUAckVPPI, &[], &[irq]) }
    }

    /// Injects a virtual interrupt into list register `index` of the virtual CPU's interrupt
    /// controller (`seL4_ARM_VCPU_InjectIRQ`).
    ///
    /// `virq` is below 1024, `priority` is below 32, and `group` is 0 or 1.
    ///
    /// # Errors
    ///
    /// Returns [`Error::RangeError`](crate::Error::RangeError) if an argument is out of range.
    /// Returns [`Error::DeleteFirst`](crate::Error::DeleteFirst) if the list register holds an
    /// interrupt that the guest has not handled. Returns
    /// [`Error::InvalidCapability`](crate::Error::InvalidCapability) if this capability is not a
    /// virtual CPU.
    ///
    /// # Examples
    ///
    /// ```
    /// fn interrupt(guest: sel4::cap::VCpu) -> sel4::Result<()> {
    ///     guest.vcpu_inject_irq(33, 0, 0, 0)
    /// }
    /// ```
    #[track_caller]
    pub fn vcpu_inject_irq(self, virq: u16, priority: u8, group: u8, index: u8) -> Result<()> {
        // The fields are bits 0 to 15, 16 to 23, 24 to 31 and 32 to 39 (`sel4_client.h`).
        let word = Word::from(virq)
            | Word::from(priority) << 16
            | Word::from(group) << 24
            | Word::from(index) << 32;
        // SAFETY: C-3: the interrupt belongs to the guest.
        unsafe { self.simple(label::ARMVCPUInjectIRQ, &[], &[word]) }
    }

    /// # Safety
    ///
    /// The invocation must not violate memory safety (C-3).
    #[track_caller]
    unsafe fn simple(self, label: Word, caps: &[CPtrBits], words: &[Word]) -> Result<()> {
        let invocation = Invocation { label, caps, words };
        // SAFETY: the caller's contract.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }
}
