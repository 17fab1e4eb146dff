//! `cargo microkit`: builds, runs and tests systems of seL4 Microkit protection domains (PDs).
//!
//! Cargo builds the PDs that are written in Rust, a packer makes the image, and QEMU runs the
//! image. For seL4, the packer is the tool of the Microkit SDK. For the model kernel, the packer is
//! `microkit-image`. One command runs all of these programs. Errors refer to the system, not to the
//! program that failed.
//!
//! The steps of a run:
//!
//! 1. a [`system`] argument names a [`system_file`], which the [`catalog`] finds. The system file
//!    names its [`programs`];
//! 2. [`cargo`] builds the ELF files of Rust programs, of the workspace and of its dependencies,
//!    and [`c`] compiles the C programs;
//! 3. the [`kernel`]'s packer makes the image ([`builder`] drives steps 1 to 3);
//! 4. a [`qemu`] guest runs the image. Its serial [`log`] is shown with the source [`places`] of
//!    faults and backtraces, or compared with the [`expected`] lines;
//! 5. if the run fails, the [`whereabouts`] of each PD are reported.
//!
//! `microkit-sdf` parses system files. For seL4, the SDK's tool parses the system file again, and
//! may reject it for more reasons.
#![forbid(unsafe_code)]

mod builder;
mod c;
mod c_compiler;
mod c_program;
mod calls;
mod cargo;
mod catalog;
mod chosen;
mod cli;
mod command;
mod dead;
mod debug_output;
mod declared;
mod dependencies;
mod dependency_workspace;
mod elf;
mod expected;
mod fault;
mod features;
mod files;
mod fit;
mod forgotten;
mod git_source;
mod home;
mod interrupt;
mod kernel;
mod keys;
mod layout;
mod log;
mod model;
mod nearest;
mod new_package;
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
mod template;
mod terminal;
mod tree;
mod variant;
mod watch;
mod whereabouts;

use std::process::ExitCode;

use clap::Parser;

use command::Outcome;

/// Maps outcomes to exit codes: 0 for success, 1 for an error or a failed test, 130 for an
/// interrupt by the user. All exit codes are selected here, except that Clap exits with 2 if the
/// arguments are wrong.
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
