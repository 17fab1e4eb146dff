//! Runs the command as a user would, with a fake SDK and a fake QEMU.
#![forbid(unsafe_code)]

mod at_once;
mod before_build;
mod bench;
mod build;
mod c_programs;
mod check;
mod completions;
mod dependencies;
mod devices;
mod ends;
mod features;
mod forgotten;
mod host_tests;
mod keys;
mod model;
mod names;
mod new;
mod outputs;
mod programs;
mod run;
mod screen;
mod sdk;
mod sdk_facts;
mod symbols;
mod terminal;
mod test;
