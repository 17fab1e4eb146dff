//! Shared code of the benchmark's programs.
#![no_std]
#![forbid(unsafe_code)]

pub mod report;
pub mod typed;
