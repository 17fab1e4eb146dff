//! Compares the expansion of conditions with the constants in `sel4::config`.

use sel4::config::{DEBUG_BUILD, KERNEL_MCS, PRINTING};
use sel4::{sel4_cfg, sel4_cfg_bool, sel4_cfg_if};

#[test]
fn a_condition_evaluates_as_its_switches() {
    assert_eq!(sel4_cfg_bool!(PRINTING), PRINTING);
    assert_eq!(sel4_cfg_bool!(not(PRINTING)), !PRINTING);
    assert_eq!(sel4_cfg_bool!(not(not(PRINTING))), PRINTING);
    assert_eq!(
        sel4_cfg_bool!(all(KERNEL_MCS, PRINTING)),
        KERNEL_MCS && PRINTING
    );
    assert_eq!(
        sel4_cfg_bool!(any(not(KERNEL_MCS), not(all(PRINTING, DEBUG_BUILD)),)),
        !(KERNEL_MCS && PRINTING && DEBUG_BUILD)
    );
    const { assert!(sel4_cfg_bool!(all())) };
    const { assert!(!sel4_cfg_bool!(any())) };
}

sel4_cfg_if! {
    if #[sel4_cfg(not(KERNEL_MCS))] {
        const BRANCH: u32 = 1;
        const AND_MORE: u32 = BRANCH;
    } else if #[sel4_cfg(any(KERNEL_MCS, PRINTING))] {
        const BRANCH: u32 = 2;
        const AND_MORE: u32 = BRANCH;
    } else {
        const BRANCH: u32 = 3;
        const AND_MORE: u32 = BRANCH;
    }
}

struct Kernel;

impl Kernel {
    #[sel4_cfg(KERNEL_MCS)]
    const fn scheduling() -> &'static str {
        "MCS"
    }

    #[sel4_cfg(not(KERNEL_MCS))]
    const fn scheduling() -> &'static str {
        "none"
    }
}

#[test]
fn one_branch_is_expanded_and_one_item_is_kept() {
    // All Microkit kernels have MCS. The build script rejects other kernels.
    assert_eq!((BRANCH, AND_MORE, Kernel::scheduling()), (2, 2, "MCS"));
}
