//! Where the builder puts each capability in a PD's CSpace.
//!
//! A PD's CSpace has two levels (*builder*). The root CNode has [`ROOT_CNODE_BITS`] bits, no
//! guard, and holds the Microkit CNode in its slot 0 and the PD's own `<cspace>` capabilities in
//! the others. The Microkit CNode has [`MICROKIT_CNODE_BITS`] bits and a zero guard that fills
//! the word, so that a small number is at once a slot of the Microkit CNode and the capability
//! pointer that reaches it.

/// Radix of a PD's root CNode, in bits. `PD_ROOT_CAP_BITS` in `microkit.h`.
pub const ROOT_CNODE_BITS: u32 = 6;

/// Radix of the CNode that Microkit fills, in bits: 512 slots (*builder*).
pub const MICROKIT_CNODE_BITS: u32 = 9;

/// Guard of the Microkit CNode, in bits, all of them zero (*builder*).
pub const MICROKIT_CNODE_GUARD_BITS: u32 = u64::BITS - ROOT_CNODE_BITS - MICROKIT_CNODE_BITS;

/// What a PD receives on: its endpoint if it has children, a virtual machine, or a channel whose
/// other end may call it; otherwise its notification (*builder*). `INPUT_CAP` in libmicrokit.
pub const INPUT: u64 = 1;

/// The endpoint to which the PD's own faults go: its parent's, or the monitor's (*builder*).
pub const FAULT_ENDPOINT: u64 = 2;

/// The PD's VSpace (*builder*).
pub const VSPACE: u64 = 3;

/// The PD's one reply object. `REPLY_CAP` in libmicrokit.
pub const REPLY: u64 = 4;

/// The monitor's endpoint, which a passive PD signals once it is initialised; only there for a
/// passive PD. `MONITOR_EP` in `microkit.h`.
pub const MONITOR_ENDPOINT: u64 = 5;

/// The PD's own TCB; only there in the `benchmark` configuration. `TCB_CAP` in `microkit.h`.
pub const TCB: u64 = 6;

/// The authority to make SMC calls; only there for a PD with `smc="true"`. `ARM_SMC_CAP` in
/// `microkit.h`.
pub const ARM_SMC: u64 = 7;

/// Slot of channel 0's notification. `BASE_OUTPUT_NOTIFICATION_CAP` in `microkit.h`.
pub const BASE_OUTPUT_NOTIFICATION: u64 = 10;

/// Slot of channel 0's endpoint. `BASE_ENDPOINT_CAP` in `microkit.h`.
pub const BASE_ENDPOINT: u64 = 74;

/// Slot of channel 0's IRQ handler. `BASE_IRQ_CAP` in `microkit.h`.
pub const BASE_IRQ: u64 = 138;

/// Slot of child PD 0's TCB. `BASE_TCB_CAP` in `microkit.h`.
pub const BASE_TCB: u64 = 202;

/// Slot of virtual CPU 0's TCB. `BASE_VM_TCB_CAP` in `microkit.h`.
pub const BASE_VM_TCB: u64 = 266;

/// Slot of virtual CPU 0. `BASE_VCPU_CAP` in `microkit.h`.
pub const BASE_VCPU: u64 = 330;

/// Slot of I/O port 0 (x86 only). `BASE_IOPORT_CAP` in `microkit.h`.
pub const BASE_IOPORT: u64 = 394;

/// First slot after those that Microkit fills. `BASE_USER_CAPS` in `microkit.h`.
pub const BASE_USER: u64 = 458;

/// The capability pointer of the `<cspace>` capability in slot `slot` of the system file, or
/// `None` where no such slot exists.
///
/// The same as `microkit_cspace_root_slot_to_cptr` in `microkit.h`: the slot indexes the root
/// CNode, whose bits are the topmost of a capability pointer; slot 0 holds the Microkit CNode.
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
    fn user_cptr_takes_the_slots_of_the_root_cnode_but_the_first() {
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
