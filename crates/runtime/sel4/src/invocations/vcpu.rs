//! Invocations of virtual CPUs (seL4 manual, *seL4_ARM_VCPU*). All return at once.
//!
//! A kernel without hypervisor support (`config::ARM_HYPERVISOR_SUPPORT`) has none of them, and
//! answers `IllegalOperation` or `InvalidCapability`.

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{CPtrBits, InvocationContext, Result, VCpuReg, Word, cap};

impl<C: InvocationContext> cap::VCpu<C> {
    /// Has a thread run on this virtual CPU, and no other (`seL4_ARM_VCPU_SetTCB`).
    ///
    /// **Errors:** `IllegalOperation` if that is no thread.
    ///
    /// # Safety
    ///
    /// The thread is not one of this program: what runs on a virtual CPU has another view of
    /// memory and of system calls.
    #[track_caller]
    pub unsafe fn vcpu_set_tcb(self, tcb: cap::Tcb) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.simple(label::ARMVCPUSetTCB, &[tcb.bits()], &[]) }
    }

    /// Reads a system register (`seL4_ARM_VCPU_ReadRegs`).
    ///
    /// **Errors:** `InvalidCapability` if this is no virtual CPU.
    #[track_caller]
    pub fn vcpu_read_regs(self, register: VCpuReg) -> Result<Word> {
        let words = &[register.into_sys()];
        let invocation = Invocation {
            label: label::ARMVCPUReadReg,
            caps: &[],
            words,
        };
        // SAFETY: C-3: a register is read.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(|[value, ..]| value))
    }

    /// Writes a system register (`seL4_ARM_VCPU_WriteRegs`).
    ///
    /// **Errors:** `InvalidCapability` if this is no virtual CPU.
    #[track_caller]
    pub fn vcpu_write_regs(self, register: VCpuReg, value: Word) -> Result<()> {
        // SAFETY: C-3: the register is the guest's, and so is the memory that it reaches with it;
        // no thread of a Rust program is on a virtual CPU (`vcpu_set_tcb`).
        unsafe { self.simple(label::ARMVCPUWriteReg, &[], &[register.into_sys(), value]) }
    }

    /// Lets a private interrupt that came as a `VPpiEvent` fault come again
    /// (`seL4_ARM_VCPU_AckVPPI`).
    ///
    /// **Errors:** `InvalidArgument` if it is none that is forwarded, `RangeError` if there is no
    /// such interrupt, `InvalidCapability` if this is no virtual CPU.
    #[track_caller]
    pub fn vcpu_ack_vppi(self, irq: Word) -> Result<()> {
        // SAFETY: C-3: an interrupt of the guest's.
        unsafe { self.simple(label::ARMVCPUAckVPPI, &[], &[irq]) }
    }

    /// Puts a virtual interrupt into list register `index` of the virtual CPU's interrupt
    /// controller (`seL4_ARM_VCPU_InjectIRQ`).
    ///
    /// `virq` is below 1024, `priority` below 32, `group` 0 or 1.
    ///
    /// **Errors:** `RangeError` if an argument is out of range, `DeleteFirst` if the list register
    /// holds an interrupt that the guest has not handled, `InvalidCapability` if this is no
    /// virtual CPU.
    #[track_caller]
    pub fn vcpu_inject_irq(self, virq: u16, priority: u8, group: u8, index: u8) -> Result<()> {
        // One word: bits 0 to 15, 16 to 23, 24 to 31, 32 to 39 (`sel4_client.h`).
        let word = Word::from(virq)
            | Word::from(priority) << 16
            | Word::from(group) << 24
            | Word::from(index) << 32;
        // SAFETY: C-3: an interrupt of the guest's.
        unsafe { self.simple(label::ARMVCPUInjectIRQ, &[], &[word]) }
    }

    /// # Safety
    ///
    /// The invocation breaks no memory (C-3).
    #[track_caller]
    unsafe fn simple(self, label: Word, caps: &[CPtrBits], words: &[Word]) -> Result<()> {
        let invocation = Invocation { label, caps, words };
        // SAFETY: the caller's contract.
        self.invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }
}
