//! The system registers of a virtual CPU that its monitor can read and write.

use sel4_sys::vcpu_register as number;

use crate::Word;

/// A system register of a virtual CPU (`seL4_VCPUReg`).
///
/// The names are those of the Arm Architecture Reference Manual. Some names lack the suffix `_EL1`,
/// as in seL4. To read the general registers, use
/// [`tcb_read_registers`](crate::Cap::tcb_read_registers) of the virtual CPU's thread.
/// [`vcpu_read_regs`](crate::Cap::vcpu_read_regs) has an example.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
#[repr(u64)]
#[allow(non_camel_case_types)] // The names are the manual's.
#[non_exhaustive]
pub enum VCpuReg {
    /// System control.
    SCTLR = number::SCTLR,
    /// Access to the floating-point unit.
    CPACR = number::CPACR,
    /// Translation table base 0.
    TTBR0 = number::TTBR0,
    /// Translation table base 1.
    TTBR1 = number::TTBR1,
    /// Translation control.
    TCR = number::TCR,
    /// Memory attribute indirection.
    MAIR = number::MAIR,
    /// Auxiliary memory attribute indirection.
    AMAIR = number::AMAIR,
    /// Context identifier (`CONTEXTIDR`).
    CIDR = number::CIDR,
    /// Auxiliary control.
    ACTLR = number::ACTLR,
    /// Auxiliary fault status 0.
    AFSR0 = number::AFSR0,
    /// Auxiliary fault status 1.
    AFSR1 = number::AFSR1,
    /// Exception syndrome.
    ESR = number::ESR,
    /// Fault address.
    FAR = number::FAR,
    /// Physical address: the result of an address translation.
    PAR = number::PAR,
    /// Vector base.
    VBAR = number::VBAR,
    /// Thread pointer of EL1.
    TPIDR_EL1 = number::TPIDR_EL1,
    /// Multiprocessor affinity, as the guest reads it.
    VMPIDR_EL2 = number::VMPIDR_EL2,
    /// Stack pointer of EL1.
    SP_EL1 = number::SP_EL1,
    /// Return address of an exception to EL1.
    ELR_EL1 = number::ELR_EL1,
    /// Program status saved by an exception to EL1.
    SPSR_EL1 = number::SPSR_EL1,
    /// Control of the virtual timer.
    CNTV_CTL = number::CNTV_CTL,
    /// Compare value of the virtual timer.
    CNTV_CVAL = number::CNTV_CVAL,
    /// Offset of the virtual counter.
    CNTVOFF = number::CNTVOFF,
    /// Access of EL0 to the counter and timers.
    CNTKCTL_EL1 = number::CNTKCTL_EL1,
}

impl VCpuReg {
    /// Every register, in the kernel's order.
    pub const ALL: [Self; 24] = [
        Self::SCTLR,
        Self::CPACR,
        Self::TTBR0,
        Self::TTBR1,
        Self::TCR,
        Self::MAIR,
        Self::AMAIR,
        Self::CIDR,
        Self::ACTLR,
        Self::AFSR0,
        Self::AFSR1,
        Self::ESR,
        Self::FAR,
        Self::PAR,
        Self::VBAR,
        Self::TPIDR_EL1,
        Self::VMPIDR_EL2,
        Self::SP_EL1,
        Self::ELR_EL1,
        Self::SPSR_EL1,
        Self::CNTV_CTL,
        Self::CNTV_CVAL,
        Self::CNTVOFF,
        Self::CNTKCTL_EL1,
    ];

    /// Returns the kernel's number of the register.
    pub const fn into_sys(self) -> Word {
        self as Word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_register_of_the_kernel_is_listed_once() {
        let numbers = VCpuReg::ALL.map(VCpuReg::into_sys);
        assert_eq!(numbers, core::array::from_fn(|index| index as Word));
        assert_eq!(number::ALL.len(), VCpuReg::ALL.len());
    }
}
