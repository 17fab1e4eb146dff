//! The command as a user meets it: run as a process, with an SDK and a QEMU that are not real.
#![forbid(unsafe_code)]

mod bench;
mod build;
mod check;
mod devices;
mod keys;
mod outputs;
mod run;
mod screen;
mod sdk;
mod terminal;
mod test;
