//! What the programs of the benchmark share.
#![no_std]
#![forbid(unsafe_code)]

pub mod report;
pub mod typed;
