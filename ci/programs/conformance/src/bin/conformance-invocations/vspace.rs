//! Invocations of address spaces: cache maintenance.

use conformance::{DATA, HOLE, in_root};
use microkit_console::println;
use sel4::sys::invocation as label;

use super::{VSPACE, invoke};

/// The address space of `a`. `a` maps the tested address, and the driver does not.
const OF_A: u64 = in_root(21);

/// The last address of the user address space.
const LAST: u64 = sel4::config::USER_TOP as u64;

pub(crate) fn run() {
    println!("== vspaces");
    for (what, label) in [
        ("Clean_Data", label::ARMVSpaceClean_Data),
        ("Invalidate_Data", label::ARMVSpaceInvalidate_Data),
        ("CleanInvalidate_Data", label::ARMVSpaceCleanInvalidate_Data),
        ("Unify_Instruction", label::ARMVSpaceUnify_Instruction),
    ] {
        let maintain = |rest: &str, cptr, words: &[u64]| {
            invoke(format_args!("{what}, {rest}"), cptr, label, &[], words);
        };
        maintain("no words", VSPACE, &[]);
        maintain("one word", VSPACE, &[DATA]);
        maintain("nothing", VSPACE, &[DATA, DATA]);
        maintain("less than nothing", VSPACE, &[DATA + 1, DATA]);
        maintain("a byte", VSPACE, &[DATA, DATA + 1]);
        maintain("a page", VSPACE, &[DATA, DATA + 0x1000]);
        maintain("a page and a byte", VSPACE, &[DATA, DATA + 0x1001]);
        maintain("into the next page", VSPACE, &[DATA + 0xff0, DATA + 0x1010]);
        maintain("a hole", VSPACE, &[HOLE, HOLE + 1]);
        maintain(
            "from a hole into the next page",
            VSPACE,
            &[HOLE, HOLE + 0x1001],
        );
        maintain("up to the last byte", VSPACE, &[LAST - 1, LAST]);
        maintain("the last byte", VSPACE, &[LAST, LAST + 1]);
        maintain("beyond", VSPACE, &[LAST + 1, LAST + 2]);
        maintain("all", VSPACE, &[0, !0]);
        maintain("a byte of a's", OF_A, &[DATA, DATA + 1]);
    }
}
