//! SMC calls: asking the firmware.

use microkit_abi::slots;
use sel4::{NUM_SMC_REGISTERS, Word};

/// Makes an SMC call with x0 to x7 as given, and returns what the firmware left there. x0 is the
/// function (SMC Calling Convention, Arm DEN 0028).
///
/// What the firmware does is its affair: it may reach all of memory, as a device may that is told
/// to. `smc="true"` in the system file lets a PD ask it.
///
/// **Blocks:** until the firmware returns, and the whole CPU with it.
/// **Needs:** `smc="true"`, which the model kernel's builder refuses.
/// **Errors:** `InvalidCapability` if this PD has not that.
/// **Panics:** inside a borrow of the message registers.
#[track_caller]
pub fn arm_smc_call(
    registers: [Word; NUM_SMC_REGISTERS],
) -> sel4::Result<[Word; NUM_SMC_REGISTERS]> {
    let authority: sel4::cap::Smc = sel4::Cap::from_bits(slots::ARM_SMC);
    authority.smc_call(registers)
}
