//! The values of the control registers, while a protection domain (PD) runs and while the kernel
//! runs.
//!
//! The registers that control traps of a PD have the same values as under seL4 16.0.0 for threads
//! without a virtual CPU, in the `debug` configuration of the SDK. So a PD traps at the same
//! instructions with the same syndromes on both kernels.
//!
//! *Arm ARM* is the *Arm Architecture Reference Manual for A-profile architecture*, DDI 0487.

use arm_sysregs::el1::registers::{CntkctlEl1, SctlrEl1};
use arm_sysregs::el2::registers::{
    CnthctlEl2, CptrEl2, HcrEl2, MairEl2, MdcrEl2, SctlrEl2, TcrEl2, VtcrEl2,
};

use crate::layout::ADDRESS_BITS;

/// The hypervisor configuration (Arm ARM, *`HCR_EL2`*).
///
/// - `VM`, `DC`: PDs use only stage 2 translation. With `DC`, stage 1 makes all memory normal and
///   cacheable, and changes no address.
/// - `TGE`: PDs run at EL0 without an EL1. Every exception goes to EL2.
/// - `FMO`, `IMO`, `AMO`: every interrupt goes to EL2.
/// - `TSC`, `TACR`, `TTLB`, `TVM`: operations of EL1 trap. `SWIO`: an invalidation by set and way
///   also cleans.
pub const HCR: HcrEl2 = HcrEl2::VM
    .union(HcrEl2::SWIO)
    .union(HcrEl2::FMO)
    .union(HcrEl2::IMO)
    .union(HcrEl2::AMO)
    .union(HcrEl2::DC)
    .union(HcrEl2::TSC)
    .union(HcrEl2::TACR)
    .union(HcrEl2::TTLB)
    .union(HcrEl2::TVM)
    .union(HcrEl2::TGE)
    .union(HcrEl2::RW);

/// The rights of EL0 (Arm ARM, *`SCTLR_EL1`*). Caches are on. Cache maintenance by address and the
/// cache type register are allowed (`UCI`, `UCT`). `wfi` and `wfe` do not trap (`nTWI`, `nTWE`).
/// `dc zva` and accesses to the interrupt mask trap (no `DZE`, no `UMA`). Stacks may be misaligned
/// (no `SA0`). The bits of `0x30d0_0800` are reserved and must be one.
pub const SCTLR_EL1: SctlrEl1 = SctlrEl1::from_bits_retain(0x30d0_0800)
    .union(SctlrEl1::C)
    .union(SctlrEl1::CP15BEN)
    .union(SctlrEl1::I)
    .union(SctlrEl1::UCT)
    .union(SctlrEl1::NTWI)
    .union(SctlrEl1::NTWE)
    .union(SctlrEl1::UCI);

/// Stage 2 translation (Arm ARM, *`VTCR_EL2`*). Input and output addresses have [`ADDRESS_BITS`]
/// bits, and pages have 4 KiB. Walks start at level 1, in two concatenated tables. The tables are
/// in cached, inner shareable memory.
pub const VTCR: VtcrEl2 = VtcrEl2::from_bits_retain(
    VtcrEl2::RES1.bits()
        | (64 - ADDRESS_BITS as u64)
        | LEVEL_1 << VtcrEl2::SL0_SHIFT
        | WRITE_BACK << VtcrEl2::IRGN0_SHIFT
        | WRITE_BACK << VtcrEl2::ORGN0_SHIFT
        | INNER_SHAREABLE << VtcrEl2::SH0_SHIFT
        | BITS_40 << VtcrEl2::PS_SHIFT,
);

/// Traps of floating point (Arm ARM, *`CPTR_EL2`*). Only scalable vector instructions trap (`TZ`).
/// While a PD without floating point runs, [`CptrEl2::TFP`] is also set.
pub const CPTR: CptrEl2 = CptrEl2::RES1.union(CptrEl2::TZ);

/// Traps of debugging (Arm ARM, *`MDCR_EL2`*). All debug accesses trap. The kernel adds these bits
/// to the register's value, because the register also contains the number of performance counters.
pub const MDCR: MdcrEl2 = MdcrEl2::TDE
    .union(MdcrEl2::TDA)
    .union(MdcrEl2::TDOSA)
    .union(MdcrEl2::TDRA);

/// The physical counter and timer do not trap to EL2 (Arm ARM, *`CNTHCTL_EL2`*).
pub const CNTHCTL: CnthctlEl2 = CnthctlEl2::EL0PCTEN.union(CnthctlEl2::EL1PCEN);

/// PDs can use the physical counter and timer, but not the virtual counter and timer (Arm ARM,
/// *`CNTKCTL_EL1`*). The SDK enables the physical counter and timer with `EXPORT_PCNT_USER` and
/// `EXPORT_PTMR_USER`.
pub const CNTKCTL: CntkctlEl1 = CntkctlEl1::EL0PCTEN.union(CntkctlEl1::EL0PTEN);

/// The kernel's own stage 1 translation (Arm ARM, *`TCR_EL2`*). Addresses have 39 bits, so that
/// walks start at level 1. Pages have 4 KiB. The tables are in cached, inner shareable memory.
pub const TCR: TcrEl2 = TcrEl2::from_bits_retain(
    TcrEl2::RES1.bits()
        | (64 - 39)
        | WRITE_BACK << TcrEl2::IRGN0_SHIFT
        | WRITE_BACK << TcrEl2::ORGN0_SHIFT
        | INNER_SHAREABLE << TcrEl2::SH0_SHIFT
        | BITS_40 << TcrEl2::PS_SHIFT,
);

/// The memory attributes of the kernel's own tables (Arm ARM, *`MAIR_EL2`*). Index 0 is device
/// memory of the strictest kind (nGnRnE). Index 1 is normal memory, write-back cacheable.
pub const MAIR: MairEl2 = MairEl2::from_bits_retain(0xff << 8);

/// Turns on the kernel's MMU, caches and stack alignment check (Arm ARM, *`SCTLR_EL2`*). The bits
/// of `0x30c5_0830` are reserved and must be one.
pub const SCTLR_EL2: SctlrEl2 = SctlrEl2::from_bits_retain(0x30c5_0830)
    .union(SctlrEl2::M)
    .union(SctlrEl2::C)
    .union(SctlrEl2::SA)
    .union(SctlrEl2::I);

/// Prevents the kernel from executing memory that it can write. The kernel adds this bit to
/// [`SCTLR_EL2`] when the active tables permit the restriction.
pub const WXN: SctlrEl2 = SctlrEl2::WXN;

/// Returns the value of `VTTBR_EL2` for stage 2 tables and a virtual machine identifier (Arm ARM,
/// *`VTTBR_EL2`*). The identifier has eight bits. Identifier 0 belongs to no PD.
pub const fn vttbr(tables: u64, vmid: u8) -> u64 {
    (vmid as u64) << 48 | tables
}

const LEVEL_1: u64 = 1;
const WRITE_BACK: u64 = 1;
const INNER_SHAREABLE: u64 = 3;
/// The encoding of 40 address bits, both in `PS` and in `PARange` of `ID_AA64MMFR0_EL1`.
pub const BITS_40: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values were read from the registers while the SDK's seL4 ran a PD.
    #[test]
    fn registers_of_a_pd_are_as_under_sel4() {
        assert_eq!(HCR.bits(), 0x8e28_103b);
        assert_eq!(SCTLR_EL1.bits(), 0x34d5_9824);
        assert_eq!(VTCR.bits(), 0x8002_3558);
        assert_eq!(CNTHCTL.bits(), 3);
        assert_eq!(CNTKCTL.bits(), 0x201);
    }

    #[test]
    fn an_address_space_is_its_tables_and_its_identifier() {
        assert_eq!(vttbr(0x7c00_2000, 63), 0x003f_0000_7c00_2000);
    }
}
