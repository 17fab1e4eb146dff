//! SMC calls: asking the firmware.

use microkit_abi::slots;
use sel4::{NUM_SMC_REGISTERS, Word};

/// Makes an SMC call with x0 to x7 as given, and returns what the firmware left there. x0 is the
/// function (SMC Calling Convention, Arm DEN 0028).
///
/// `smc="true"` in the system file lets a PD make them.
///
/// **Blocks:** until the firmware returns, and the whole CPU with it.
/// **Needs:** `smc="true"`, which the model kernel's builder refuses.
/// **Errors:** `InvalidCapability` if this PD has not that.
/// **Panics:** inside a borrow of the message registers.
///
/// # Safety
///
/// The firmware's answer to this call breaks no memory of this program or another. It may
/// reach all of memory, whatever the page tables say.
#[track_caller]
pub unsafe fn arm_smc_call(
    registers: [Word; NUM_SMC_REGISTERS],
) -> sel4::Result<[Word; NUM_SMC_REGISTERS]> {
    // SAFETY: K-1.
    let authority: sel4::cap::Smc = unsafe { sel4::Cap::from_bits(slots::ARM_SMC) };
    // SAFETY: the caller's contract.
    unsafe { authority.smc_call(registers) }
}
