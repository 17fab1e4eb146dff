//! Re-exports [`sel4_microkit`] under the name that rust-sel4's libraries depend on.
//!
//! A program that uses rust-sel4's libraries replaces their dependency `sel4-microkit-base` with
//! this crate, in the `[patch]` section of its `Cargo.toml`.
#![no_std]
#![forbid(unsafe_code)]

pub use sel4_microkit::*;
