//! [`sel4_microkit`] under the name that rust-sel4's libraries know.
//!
//! A program that uses such libraries replaces their `sel4-microkit-base` by this crate, in a
//! `[patch]` of its `Cargo.toml`.
#![no_std]
#![forbid(unsafe_code)]

pub use sel4_microkit::*;
