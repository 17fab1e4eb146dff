//! What each subcommand does.

mod bench;
mod build;
mod check;
mod doctor;
mod graph;
mod run;
mod sdk;
mod test;

use std::path::PathBuf;

use miette::Result;

use crate::cli::Command;
use crate::files;
use crate::project::{Project, is_in_project};
use crate::system::System;

/// How a command ended that has said all there is to say.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Failed,
    Interrupted,
}

/// Does what was asked for.
pub(crate) fn run(command: &Command) -> Result<Outcome> {
    match command {
        Command::Build(args) => build::build(args),
        Command::Run(args) => run::run(args),
        Command::Test(args) => test::test(args),
        Command::Bench(args) => bench::bench(args),
        Command::Check(args) => check::check(args),
        Command::Graph(args) => graph::graph(args),
        Command::Sdk(args) => sdk::sdk(&args.command),
        Command::Doctor(args) => doctor::doctor(args),
    }
}

/// Systems whose programs are those of one project.
struct Group {
    systems: Vec<System>,
    project: Option<Project>,
}

/// The system that an argument names, and the project of its programs.
fn find_system(argument: &str) -> Result<(System, Option<Project>)> {
    let system = named_system(argument)?;
    let project = project_of(&system)?;
    Ok((system, project))
}

/// The systems that arguments name, each once, those of one project together.
fn find_systems(arguments: &[String]) -> Result<Vec<Group>> {
    let mut groups: Vec<(Option<PathBuf>, Vec<System>)> = Vec::new();
    for argument in arguments {
        let system = named_system(argument)?;
        let directory = cargo_directory(&system)?;
        match groups.iter_mut().find(|(other, _)| *other == directory) {
            Some((_, systems)) if systems.contains(&system) => {}
            Some((_, systems)) => systems.push(system),
            None => groups.push((directory, vec![system])),
        }
    }
    let groups = groups.into_iter().map(|(directory, systems)| {
        let project = directory.as_deref().map(Project::around).transpose()?;
        Ok(Group {
            systems,
            project: project.flatten(),
        })
    });
    groups.collect()
}

fn named_system(argument: &str) -> Result<System> {
    // A path needs no project here, and one that Cargo does not accept is no reason to stop.
    match System::at_path(argument) {
        Some(system) => Ok(system),
        None => System::find(argument, project_here()?.as_ref().map(Project::root)),
    }
}

fn project_of(system: &System) -> Result<Option<Project>> {
    let directory = cargo_directory(system)?;
    let project = directory.as_deref().map(Project::around).transpose()?;
    Ok(project.flatten())
}

/// Where Cargo runs for the programs of a system: in the system file's folder, whose package they
/// belong to, or here if that is in no package.
fn cargo_directory(system: &System) -> Result<Option<PathBuf>> {
    // Links are followed, as Cargo follows them; `..` in a path would name packages on the way.
    let directory = std::fs::canonicalize(system.directory())
        .map_err(|e| files::cannot("find", system.directory(), &e))?;
    let candidates = [directory, current_directory()?];
    Ok(candidates.into_iter().find(|d| is_in_project(d)))
}

/// The Cargo project here, if there is one.
fn project_here() -> Result<Option<Project>> {
    Project::around(&current_directory()?)
}

fn current_directory() -> Result<PathBuf> {
    std::env::current_dir().map_err(|e| files::cannot("find", ".".as_ref(), &e))
}
