//! The command as a user meets it: run as a process, with an SDK and a QEMU that are not real.
#![forbid(unsafe_code)]

mod at_once;
mod before_build;
mod bench;
mod build;
mod c_programs;
mod check;
mod features;
mod host_tests;
mod model;
mod names;
mod programs;
mod run;
mod sdk;
mod symbols;
mod test;
