//! SMC calls to the firmware (seL4 manual, `seL4_ARM_SMC`).

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{InvocationContext, Result, Word, cap};

/// The number of registers that an SMC call passes and returns: x0 to x7 (`seL4_ARM_SMCContext`).
pub const NUM_SMC_REGISTERS: usize = 8;

impl<C: InvocationContext> cap::Smc<C> {
    /// Makes an SMC call with the given values of x0 to x7, and returns the values from the
    /// firmware (`seL4_ARM_SMC_Call`).
    ///
    /// x0 holds the function identifier (SMC Calling Convention, Arm DEN 0028).
    ///
    /// **Blocking:** until the firmware returns. The CPU cannot run other threads during the call.
    ///
    /// # Errors
    ///
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the badge of the
    /// capability allows only another function, or if the kernel does not forward SMC calls
    /// (`config::ALLOW_SMC_CALLS`). Returns
    /// [`Error::InvalidCapability`](crate::Error::InvalidCapability) if this capability is not an
    /// SMC capability.
    ///
    /// # Safety
    ///
    /// The call must not make the firmware violate the memory safety of any program. The firmware
    /// can access all memory, regardless of the page tables.
    ///
    /// # Examples
    ///
    /// ```
    /// /// Returns the version of PSCI.
    /// ///
    /// /// # Safety
    /// ///
    /// /// The firmware implements PSCI.
    /// unsafe fn psci_version(smc: sel4::cap::Smc) -> sel4::Result<u64> {
    ///     // SAFETY: PSCI_VERSION accesses no memory (Arm DEN 0022).
    ///     let registers = unsafe { smc.smc_call([0x8400_0000, 0, 0, 0, 0, 0, 0, 0]) }?;
    ///     Ok(registers[0])
    /// }
    /// ```
    #[track_caller]
    pub unsafe fn smc_call(
        self,
        registers: [Word; NUM_SMC_REGISTERS],
    ) -> Result<[Word; NUM_SMC_REGISTERS]> {
        let invocation = Invocation {
            label: label::ARMSMCCall,
            caps: &[],
            words: &registers,
        };
        let mut response = [0; NUM_SMC_REGISTERS];
        // SAFETY: the caller's contract.
        self.invoke(|cptr, token| unsafe { invocation.make_into(cptr, token, &mut response) })?;
        Ok(response)
    }
}
