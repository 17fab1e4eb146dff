//! The slots of a PD's CSpace in which the builder puts capabilities.
//!
//! A PD's CSpace has two levels (*builder*):
//!
//! | CNode | bits | guard | holds |
//! | --- | --- | --- | --- |
//! | root | [`ROOT_CNODE_BITS`] | none | in slot 0 the Microkit CNode, in the others the `<cspace>` capabilities of the system file |
//! | Microkit | [`MICROKIT_CNODE_BITS`] | [`MICROKIT_CNODE_GUARD_BITS`] zeros | the capabilities listed below |
//!
//! The guard fills the remaining bits of the word. So the number of a slot in the Microkit CNode is
//! also the capability pointer to the slot.

/// The radix of a PD's root CNode, in bits (`PD_ROOT_CAP_BITS` in `microkit.h`).
pub const ROOT_CNODE_BITS: u32 = 6;

/// The radix of the CNode that Microkit fills, in bits: 512 slots (*builder*).
pub const MICROKIT_CNODE_BITS: u32 = 9;

/// The size of the Microkit CNode's guard, in bits. All guard bits are zero (*builder*).
pub const MICROKIT_CNODE_GUARD_BITS: u32 = u64::BITS - ROOT_CNODE_BITS - MICROKIT_CNODE_BITS;

/// The capability from which a PD receives (*builder*; `INPUT_CAP` in *libmicrokit*).
///
/// This capability leads to the PD's endpoint if the PD has children, a virtual machine, or a
/// channel whose peer may call the PD. Otherwise, the capability leads to the PD's notification.
pub const INPUT: u64 = 1;

/// The endpoint for the PD's own faults: the endpoint of the parent or the monitor (*builder*).
pub const FAULT_ENDPOINT: u64 = 2;

/// The PD's VSpace (*builder*).
pub const VSPACE: u64 = 3;

/// The PD's only reply object (`REPLY_CAP` in *libmicrokit*).
pub const REPLY: u64 = 4;

/// The monitor's endpoint (`MONITOR_EP` in `microkit.h`). Present only in a passive PD. The PD
/// reports the end of its initialisation to this endpoint.
pub const MONITOR_ENDPOINT: u64 = 5;

/// The PD's own TCB (`TCB_CAP` in `microkit.h`). Present only in the `benchmark` configuration.
pub const TCB: u64 = 6;

/// The capability for SMC calls (`ARM_SMC_CAP` in `microkit.h`). Present only in a PD with
/// `smc="true"`.
pub const ARM_SMC: u64 = 7;

/// The slot of channel 0's notification (`BASE_OUTPUT_NOTIFICATION_CAP` in `microkit.h`).
pub const BASE_OUTPUT_NOTIFICATION: u64 = 10;

/// The slot of channel 0's endpoint (`BASE_ENDPOINT_CAP` in `microkit.h`).
pub const BASE_ENDPOINT: u64 = 74;

/// The slot of channel 0's IRQ handler (`BASE_IRQ_CAP` in `microkit.h`).
pub const BASE_IRQ: u64 = 138;

/// The slot of child PD 0's TCB (`BASE_TCB_CAP` in `microkit.h`).
pub const BASE_TCB: u64 = 202;

/// The slot of virtual CPU 0's TCB (`BASE_VM_TCB_CAP` in `microkit.h`).
pub const BASE_VM_TCB: u64 = 266;

/// The slot of virtual CPU 0 (`BASE_VCPU_CAP` in `microkit.h`).
pub const BASE_VCPU: u64 = 330;

/// The slot of I/O port 0, on x86 only (`BASE_IOPORT_CAP` in `microkit.h`).
pub const BASE_IOPORT: u64 = 394;

/// The first slot after those that Microkit fills (`BASE_USER_CAPS` in `microkit.h`).
pub const BASE_USER: u64 = 458;

/// Returns the capability pointer to slot `slot` of the system file's `<cspace>`.
///
/// Returns `None` for slot 0, which holds the Microkit CNode, and for numbers that are not slots of
/// the root CNode. Corresponds to `microkit_cspace_root_slot_to_cptr` in `microkit.h`. The most
/// significant bits of a capability pointer select the slot of the root CNode.
///
/// ```
/// use microkit_abi::slots::user_cptr;
///
/// assert_eq!(user_cptr(2), Some(2 << 58));
/// assert_eq!(user_cptr(64), None);
/// ```
pub const fn user_cptr(slot: u64) -> Option<u64> {
    if slot == 0 || slot >= 1 << ROOT_CNODE_BITS {
        None
    } else {
        Some(slot << (u64::BITS - ROOT_CNODE_BITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_cptr_accepts_all_slots_of_the_root_cnode_except_the_first() {
        let check = |slot, expect| assert_eq!(user_cptr(slot), expect, "slot {slot}");
        check(0, None);
        check(1, Some(1 << 58));
        check(63, Some(63 << 58));
        check(64, None);
        check(u64::MAX, None);
    }

    #[test]
    fn ranges_of_slots_do_not_overlap_and_fit_the_cnode() {
        let bases = [
            BASE_OUTPUT_NOTIFICATION,
            BASE_ENDPOINT,
            BASE_IRQ,
            BASE_TCB,
            BASE_VM_TCB,
            BASE_VCPU,
            BASE_IOPORT,
            BASE_USER,
        ];
        for pair in bases.windows(2) {
            assert!(
                pair[1] - pair[0] > crate::limits::MAX_CHANNEL_ID,
                "{pair:?}"
            );
        }
        assert!(ARM_SMC < bases[0]);
        const { assert!(BASE_USER <= 1 << MICROKIT_CNODE_BITS) };
    }
}
