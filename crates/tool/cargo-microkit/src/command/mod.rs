//! The subcommands, one module each.

mod bench;
mod build;
mod check;
mod completions;
mod doctor;
mod graph;
mod new;
mod run;
mod sdk;
mod systems;
mod test;

use std::path::PathBuf;

use miette::Result;

use crate::cli::Command;
use crate::files;
use crate::project::Project;

/// The outcome of a command. The command has already printed all information for its user.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Failed,
    Interrupted,
}

/// Runs a subcommand.
pub(crate) fn run(command: &Command) -> Result<Outcome> {
    match command {
        Command::New(args) => new::new(args),
        Command::Init(args) => new::init(args),
        Command::Build(args) => build::build(args),
        Command::Run(args) => run::run(args),
        Command::Test(args) => test::test(args),
        Command::Bench(args) => bench::bench(args),
        Command::Check(args) => check::check(args),
        Command::Graph(args) => graph::graph(args),
        Command::Sdk(args) => sdk::sdk(&args.command),
        Command::Doctor(args) => doctor::doctor(args),
        Command::Completions(args) => completions::completions(args),
    }
}

/// Returns the Cargo project of the current folder, or `None` outside a project.
fn project_here() -> Result<Option<Project>> {
    Project::around(&current_directory()?)
}

fn current_directory() -> Result<PathBuf> {
    std::env::current_dir().map_err(|e| files::cannot("find", ".".as_ref(), &e))
}
