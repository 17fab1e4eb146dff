//! Measures the real time of a clean build, and of a build after a change. Results vary between
//! runs.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use miette::{Result, miette};

use crate::files;
use crate::project::Project;
use crate::system::NamedSystem;
use crate::system_file::SystemFile;
use crate::terminal;

/// Builds the system twice in a temporary target directory, and prints the time of each build.
pub(super) fn measure(system: &NamedSystem, project: &Project) -> Result<()> {
    let target = tempfile::tempdir()
        .map_err(|e| files::cannot("make a directory in", &std::env::temp_dir(), &e))?;
    let program = std::env::current_exe()
        .map_err(|e| files::cannot("find this program, as", "cargo-microkit".as_ref(), &e))?;
    let mut build = Command::new(program);
    build
        .args(["build", "--release"])
        .arg(&system.path)
        .env("CARGO_TARGET_DIR", target.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let clean = time(&mut build)?;
    let changed = touch(system, project)?;
    let again = time(&mut build)?;
    terminal::line(format_args!(
        "build time of `{}`: {:.1} s clean, {:.1} s after a change of `{changed}`",
        system.name,
        clean.as_secs_f64(),
        again.as_secs_f64()
    ));
    Ok(())
}

/// Marks a program of the system as changed, and returns its name.
fn touch(system: &NamedSystem, project: &Project) -> Result<String> {
    let images = SystemFile::images_of(system)?;
    for name in images.iter().filter_map(|i| i.path.strip_suffix(".elf")) {
        let Some(source) = project.bin_source(name) else {
            continue;
        };
        let touched = File::options()
            .append(true)
            .open(source)
            .and_then(|file| file.set_modified(SystemTime::now()));
        return match touched {
            Ok(()) => Ok(name.to_owned()),
            Err(e) => Err(files::cannot("touch", source, &e)),
        };
    }
    Err(miette!(
        "the system `{}` has no program of the workspace that Cargo builds",
        system.name
    ))
}

fn time(build: &mut Command) -> Result<Duration> {
    let start = Instant::now();
    let status = build.status();
    match status {
        Ok(status) if status.success() => Ok(start.elapsed()),
        _ => Err(miette!(
            help = "run `cargo microkit build` to see why",
            "the build to be measured failed"
        )),
    }
}
