//! An integer does not convert to an entry point.

#![forbid(unsafe_code)]

use sel4_microkit::Child;

fn main() {
    Child::new(1).restart(0x20_0004).unwrap();
}
