//! `cargo microkit`: builds, runs and tests systems of seL4 Microkit protection domains (PDs).
//!
//! Cargo builds the PDs that are Rust, a packer makes the image, and QEMU runs it: seL4's packer is
//! the tool of the Microkit SDK, the model kernel's is `microkit-image`. This program is what stands
//! between them, so that one command does the whole way and a mistake is told in the words of the
//! system and not of the tool that tripped over it.
//!
//! Data goes one way: a [`system`] argument, the [`system_file`] that it names, its [`programs`],
//! the ELF files that [`cargo`] builds (or [`c`] compiles), and the image that the [`kernel`]'s packer
//! makes (all driven by [`builder`]); then a [`qemu`] guest, whose serial [`log`] is shown, with the
//! [`places`] in the source that it speaks of, or is held against what was [`expected`]. A run that
//! does not end well says the [`whereabouts`] of each PD.
//!
//! For seL4 nothing here parses a system file beyond its program images and stacks: that is the SDK
//! tool's task. For the model kernel, and for `check` and `graph`, `microkit-sdf` does.
#![forbid(unsafe_code)]

mod builder;
mod c;
mod c_compiler;
mod c_program;
mod cargo;
mod chosen;
mod cli;
mod command;
mod dead;
mod debug_output;
mod declared;
mod elf;
mod expected;
mod fault;
mod features;
mod files;
mod forgotten;
mod home;
mod interrupt;
mod kernel;
mod keys;
mod layout;
mod log;
mod model;
mod nearest;
mod output;
mod pds;
mod places;
mod profile;
mod programs;
mod project;
mod qemu;
mod readable;
mod screen;
mod sdk;
mod system;
mod system_file;
mod target;
mod terminal;
mod variant;
mod watch;
mod whereabouts;

use std::process::ExitCode;

use clap::Parser;

use command::Outcome;

/// The one place that picks exit codes: 0 for done, 1 for an error or a failed test, 130 for a
/// wait that the user broke off. Clap exits with 2 where the arguments are wrong.
fn main() -> ExitCode {
    terminal::set_up_errors();
    let cli = cli::Cli::parse_from(cli::arguments(std::env::args_os()));
    match command::run(&cli.command) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(report) => {
            terminal::error(&report);
            ExitCode::FAILURE
        }
    }
}
