//! The processor: its features, and its state while protection domains (PDs) run.

use arm_sysregs::el1::accessors::{
    read_id_aa64mmfr0_el1, read_id_aa64pfr0_el1, write_cntkctl_el1, write_cpacr_el1,
    write_sctlr_el1,
};
use arm_sysregs::el1::registers::CpacrEl1;
use arm_sysregs::el2::accessors::{
    read_mdcr_el2, write_cnthctl_el2, write_hcr_el2, write_hstr_el2, write_mdcr_el2,
    write_vtcr_el2, write_vttbr_el2,
};
use arm_sysregs::el2::registers::VttbrEl2;
use core::arch::asm;
use kernel_aarch64::registers::{BITS_40, CNTHCTL, CNTKCTL, HCR, MDCR, SCTLR_EL1, VTCR, vttbr};
use kernel_aarch64::stage2::AddressSpace;

/// Both bits of `CPACR_EL1.FPEN`: floating point at EL0 does not trap to EL1.
const FPEN: CpacrEl1 = CpacrEl1::from_bits_retain(3 << CpacrEl1::FPEN_SHIFT);

/// Returns whether the processor supports as many physical address bits as PDs need.
pub(super) fn has_address_bits() -> bool {
    read_id_aa64mmfr0_el1().parange() as u64 >= BITS_40
}

/// Returns whether the interrupt controller is a GICv2. A GICv2 has no system registers, but newer
/// controllers have them.
pub(super) fn has_gicv2() -> bool {
    read_id_aa64pfr0_el1().gic() == 0
}

/// Prepares the processor to run PDs.
pub(super) fn prepare() {
    write_mdcr_el2(read_mdcr_el2() | MDCR);
    write_cnthctl_el2(CNTHCTL);
    write_cntkctl_el1(CNTKCTL);
    write_hstr_el2(0);
    // SAFETY: 1. These registers control only EL1 and EL0, and no code runs there yet (Arm ARM,
    // *HCR_EL2* for `E2H` = 0). 2. For the kernel at EL2, the registers only route interrupts,
    // which are masked.
    // 3. Old TLB entries of EL1 and EL0 are invalidated before code runs at EL1 or EL0.
    unsafe {
        write_vtcr_el2(VTCR);
        write_sctlr_el1(SCTLR_EL1);
        write_cpacr_el1(FPEN);
        write_hcr_el2(HCR);
        asm!(
            "isb",
            "tlbi alle1",
            "dsb nsh",
            "isb",
            options(nostack, preserves_flags)
        );
    }
}

/// Activates an address space from the next entry to EL0. No other address space may have the
/// identifier `vmid`.
pub(super) fn use_address_space(space: &'static AddressSpace, vmid: u8) {
    let vttbr = VttbrEl2::from_bits_retain(vttbr(space.tables(), vmid));
    // SAFETY: 1. The tables are never freed or changed. The tables map only memory that the plan
    // allows. The plan excludes the kernel's memory. 2. TLB entries with this identifier come from
    // the same tables. 3. The tables do not translate accesses of EL2 itself.
    unsafe { write_vttbr_el2(vttbr) }
}
