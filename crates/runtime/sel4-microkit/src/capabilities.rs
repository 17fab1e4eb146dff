//! Capabilities to the `<cspace>` slots, the address space and the thread of a PD.

use microkit_abi::slots;
use sel4::{CPtr, Cap, CapType, cap, cap_type};

/// Returns the capability that the `<cspace>` of this PD puts into `slot`.
///
/// ```
/// use sel4_microkit::user_cap;
///
/// // <cspace>
/// //     <cap_tcb slot="1" pd="worker" />
/// //     <cap_sc slot="2" pd="worker" />
/// // </cspace>
/// const WORKER: sel4::cap::Tcb = user_cap(1);
/// const WORKER_SC: sel4::cap::SchedContext = user_cap(2);
/// ```
///
/// If the slot is empty, invocations fail with `InvalidCapability`. If the slot has a capability of
/// a type other than `T`, invocations fail with `InvalidCapability` or `IllegalOperation`.
///
/// # Panics
///
/// Panics if `slot` is not in 1 to 63, because no system file can fill another slot. In a constant,
/// the panic is a compile error.
#[track_caller]
pub const fn user_cap<T: UserCapType>(slot: u64) -> Cap<T> {
    match cspace_root_slot_to_cptr(slot) {
        // SAFETY: K-1. Every capability of a `<cspace>` has one of three types, and `T` is one of
        // these types. An invocation of `T` on a capability of another type returns an error.
        Some(cptr) => unsafe { Cap::from_cptr(cptr) },
        None => panic!("the slots of a <cspace> are 1 to 63"),
    }
}

/// Returns the capability pointer of a slot of the `<cspace>`, or `None` if no system file can fill
/// that slot (`microkit_cspace_root_slot_to_cptr`).
pub const fn cspace_root_slot_to_cptr(slot: u64) -> Option<CPtr> {
    match slots::user_cptr(slot) {
        Some(bits) => Some(CPtr::from_bits(bits)),
        None => None,
    }
}

/// The types of capability in a `<cspace>`: `<cap_tcb>`, `<cap_sc>` and `<cap_vspace>` (Microkit
/// manual, *cspace*).
pub trait UserCapType: CapType + sealed::UserCapType {}

impl<T: CapType + sealed::UserCapType> UserCapType for T {}

mod sealed {
    use super::cap_type;

    pub trait UserCapType {}

    impl UserCapType for cap_type::Tcb {}
    impl UserCapType for cap_type::SchedContext {}
    impl UserCapType for cap_type::VSpace {}
}

/// Returns the capability to this PD's own address space.
///
/// A PD needs this capability to maintain the caches, either for memory that it shares with a
/// device, or for memory into which it writes instructions.
///
/// ```no_run
/// # let (start, end) = (0, 0);
/// // The device sees what was written.
/// sel4_microkit::vspace().vspace_clean_data(start, end)?;
/// # Ok::<(), sel4::Error>(())
/// ```
pub const fn vspace() -> cap::VSpace {
    // SAFETY: K-1.
    unsafe { Cap::from_bits(slots::VSPACE) }
}

/// Returns the capability to this PD's own thread (TCB), for measurements of the thread.
///
/// Microkit grants this capability only in the configuration `benchmark`. In other configurations
/// the result is `None`.
pub const fn benchmark_tcb() -> Option<cap::Tcb> {
    if sel4::config::ENABLE_BENCHMARKS {
        // SAFETY: K-1.
        Some(unsafe { Cap::from_bits(slots::TCB) })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_the_topmost_bits_of_the_pointer() {
        let check = |slot: u64, expect: Option<u64>| {
            assert_eq!(cspace_root_slot_to_cptr(slot).map(CPtr::bits), expect);
        };
        check(0, None);
        check(1, Some(1 << 58));
        check(63, Some(63 << 58));
        check(64, None);
    }

    #[test]
    #[should_panic(expected = "the slots of a <cspace> are 1 to 63")]
    fn a_slot_that_no_system_file_can_give_is_refused() {
        let _: cap::Tcb = user_cap(64);
    }

    #[test]
    fn each_kind_of_capability_keeps_its_slot() {
        let tcb: cap::Tcb = user_cap(1);
        let sc: cap::SchedContext = user_cap(2);
        let vspace: cap::VSpace = user_cap(63);
        assert_eq!(
            [tcb.bits(), sc.bits(), vspace.bits()],
            [1 << 58, 2 << 58, 63 << 58]
        );
        assert_eq!(super::vspace().bits(), 3);
    }
}
