//! SMC calls to the firmware.

use microkit_abi::slots;
use sel4::{NUM_SMC_REGISTERS, Word};

/// Makes an SMC call with x0 to x7, and returns the values of these registers after the call.
///
/// x0 holds the function identifier (SMC Calling Convention, Arm DEN 0028).
///
/// ```no_run
/// // Arm DEN 0022, *PSCI_VERSION*.
/// const PSCI_VERSION: u64 = 0x8400_0000;
///
/// // SAFETY: the call only returns a number.
/// let registers = unsafe { sel4_microkit::arm_smc_call([PSCI_VERSION, 0, 0, 0, 0, 0, 0, 0])? };
/// sel4_microkit::debug_println!("PSCI {:#x}", registers[0]);
/// # Ok::<(), sel4::Error>(())
/// ```
///
/// **Blocking:** until the firmware returns. Until then nothing else runs on the CPU.
/// **Rights:** `smc="true"`. The model kernel's builder refuses this attribute.
///
/// # Errors
///
/// Returns `InvalidCapability` if this PD does not have the right.
///
/// # Panics
///
/// Panics inside a borrow of the message registers.
///
/// # Safety
///
/// This call must not make the firmware corrupt the memory of this or another program. The firmware
/// can access all memory, independent of the page tables.
#[track_caller]
pub unsafe fn arm_smc_call(
    registers: [Word; NUM_SMC_REGISTERS],
) -> sel4::Result<[Word; NUM_SMC_REGISTERS]> {
    // SAFETY: K-1.
    let authority: sel4::cap::Smc = unsafe { sel4::Cap::from_bits(slots::ARM_SMC) };
    // SAFETY: the caller's contract.
    unsafe { authority.smc_call(registers) }
}
