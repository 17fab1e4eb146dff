//! The name under which rust-sel4's libraries know [`sel4_microkit`]: everything here is that
//! crate's.
//!
//! A program that uses such libraries replaces the crate by this one, in a `[patch]` of its
//! `Cargo.toml`.
#![no_std]
#![forbid(unsafe_code)]

pub use sel4_microkit::*;
