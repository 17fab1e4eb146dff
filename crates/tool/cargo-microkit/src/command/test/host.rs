//! Runs the host tests of packages that have `microkit-test` among their dependencies.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cargo;
use crate::cli::TestArgs;
use crate::command::test::failed;
use crate::command::test::selection::Selection;
use crate::command::test::tally::{Tally, Verdict};
use crate::interrupt;
use crate::project::{Project, TestedPackage, cargo_program};
use crate::system_file::SystemFile;
use crate::terminal;

/// The label of host tests, shown instead of a variant.
const ON_THE_HOST: &str = "host";

/// A package with host tests, and the project of the package.
pub(super) struct Tested<'a> {
    package: TestedPackage<'a>,
    project: &'a Project,
}

/// Returns the packages with host tests, without duplicates. If systems were named, returns only
/// the packages that contain programs of these systems.
pub(super) fn packages<'a>(args: &TestArgs, selections: &'a [Selection]) -> Vec<Tested<'a>> {
    let mut all: Vec<Tested<'_>> = Vec::new();
    if args.bless || args.no_host_tests {
        return all;
    }
    for selection in selections {
        let Some(project) = selection.project.as_deref() else {
            continue;
        };
        let mut packages = project.tested_on_host();
        if !args.systems.is_empty() {
            let programs = programs(selection);
            packages.retain(|package| package.bins.iter().any(|bin| programs.contains(*bin)));
        }
        for package in packages {
            // The systems of two folders in one workspace can share a package.
            if all.iter().all(|tested| tested.package.id != package.id) {
                all.push(Tested { package, project });
            }
        }
    }
    all
}

/// Returns the names of the systems' programs. Errors in a system are ignored here, because the
/// build of the system reports them.
fn programs(selection: &Selection) -> BTreeSet<String> {
    let systems = selection.runs.iter().flat_map(|(_, systems)| systems);
    systems
        .filter_map(|system| SystemFile::images_of(system).ok())
        .flatten()
        .filter_map(|image| Some(Path::new(&image.path).file_stem()?.to_str()?.to_owned()))
        .collect()
}

/// Lists the packages.
pub(super) fn list(packages: &[Tested<'_>]) {
    for Tested { package, .. } in packages {
        terminal::line(format_args!("{} ({ON_THE_HOST})", package.name));
    }
}

/// Runs `cargo test` for each package.
pub(super) fn test(packages: &[Tested<'_>], tally: &mut Tally) {
    for Tested { package, project } in packages {
        if interrupt::requested() {
            return;
        }
        terminal::status("Testing", format_args!("{} on the host", package.name));
        let verdict = run(project, package);
        tally.record(package.name, ON_THE_HOST, verdict);
    }
}

fn run(project: &Project, package: &TestedPackage<'_>) -> Verdict {
    let host = match cargo::host_target(project.directory()) {
        Ok(host) => host,
        Err(report) => return failed(&report),
    };
    let mut command = Command::new(cargo_program());
    command
        .args(["test", "--quiet", "--package", package.id])
        // This option overrides the project's configuration and `CARGO_BUILD_TARGET`. Both settings
        // may select the target of the PDs.
        .args(["--target", &host])
        .current_dir(project.directory())
        .stdin(Stdio::null());
    // Host tests use the model kernel, which has one board and one configuration.
    command
        .env_remove("MICROKIT_BOARD")
        .env_remove("MICROKIT_CONFIG");
    match command.output() {
        Ok(output) if output.status.success() => Verdict::Passed(String::new()),
        Ok(_) if interrupt::requested() => Verdict::Interrupted,
        Ok(output) => {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            let (out, err) = (text(&output.stdout), text(&output.stderr));
            Verdict::Failed(format!("{}\n{}", err.trim_end(), out.trim()))
        }
        Err(error) => Verdict::Failed(format!("Cargo could not be run: {error}")),
    }
}
