//! Safe code cannot start a child at an arbitrary address.

#![forbid(unsafe_code)]

use sel4_microkit::{Child, EntryPoint};

fn main() {
    let entry_point = EntryPoint::new(Child::new(1), 0x20_0004);
    Child::new(1).restart(entry_point).unwrap();
}
