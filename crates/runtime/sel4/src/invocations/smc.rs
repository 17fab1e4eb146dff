//! SMC calls: asking the firmware (seL4 manual, *seL4_ARM_SMC*).

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{InvocationContext, Result, Word, cap};

/// Registers that an SMC call passes and returns: x0 to x7 (`seL4_ARM_SMCContext`).
pub const NUM_SMC_REGISTERS: usize = 8;

impl<C: InvocationContext> cap::Smc<C> {
    /// Makes an SMC call with x0 to x7 as given, and returns what the firmware left there
    /// (`seL4_ARM_SMC_Call`). x0 is the function (SMC Calling Convention, Arm DEN 0028).
    ///
    /// **Blocks:** until the firmware returns, and the whole CPU with it.
    /// **Errors:** `IllegalOperation` if the capability is badged with another function, or the
    /// kernel passes no SMC calls on (`config::ALLOW_SMC_CALLS`), `InvalidCapability` if this is
    /// no such authority.
    ///
    /// # Safety
    ///
    /// The firmware's answer to this call breaks no memory of this program or another. It
    /// may reach all of memory, whatever the page tables say.
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
