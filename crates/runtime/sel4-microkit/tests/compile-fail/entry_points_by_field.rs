//! Safe code cannot construct an entry point from its fields.

#![forbid(unsafe_code)]

use sel4_microkit::{Child, EntryPoint};

fn main() {
    let _ = EntryPoint { child: Child::new(1), address: 0x20_0004 };
}
