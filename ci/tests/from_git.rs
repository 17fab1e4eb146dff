//! Goes the way of a user without a registry: installs the tool from a Git repository, and runs a
//! package that depends on the runtime in this repository.
//!
//! The test uses the commit at `HEAD`, because Cargo clones the repository. Uncommitted changes are
//! not tested.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use cargo_metadata::MetadataCommand;
use ci::root;

/// The entries of the Cargo home that the test shares with the machine: downloaded packages, their
/// locks, and the configuration.
const SHARED: [&str; 5] = [
    "registry",
    ".package-cache",
    ".package-cache-mutate",
    "config.toml",
    "credentials.toml",
];

const PROGRAM: &str = r#"#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, debug_println, protection_domain};

#[protection_domain]
fn init() -> NullHandler {
    debug_println!("greeter: from a Git repository");
    NullHandler::new()
}
"#;

const SYSTEM: &str = r#"<system>
    <protection_domain name="greeter">
        <program_image path="greeter.elf" />
    </protection_domain>
</system>
"#;

/// Runs a command, and returns its standard output. Asserts that the command succeeds.
fn output(command: &mut Command) -> String {
    let output = command.output().expect("the command runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{text}{errors}");
    text
}

/// Makes a bare clone in `folder`. Returns `None` if this checkout is not a Git repository.
fn bare_clone(folder: &Path) -> Option<PathBuf> {
    let clone = folder.join("bare.git");
    let _ = fs::remove_dir_all(&clone);
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--bare"])
        .arg(root())
        .arg(&clone);
    let is_repository = root().join(".git").exists();
    let output = git.output();
    match output {
        Ok(output) if output.status.success() => Some(clone),
        Ok(output) if is_repository => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        _ => None,
    }
}

/// Makes a Cargo home with the machine's downloaded packages, but without Git repositories and
/// programs.
fn cargo_home(home: &Path) {
    let _ = fs::remove_dir_all(home);
    fs::create_dir_all(home).unwrap();
    let machine = env::var_os("CARGO_HOME").map(PathBuf::from);
    let machine = machine.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let machine = machine.expect("the machine has a Cargo home");
    for entry in SHARED {
        let original = machine.join(entry);
        if original.exists() {
            std::os::unix::fs::symlink(original, home.join(entry)).unwrap();
        }
    }
}

/// Makes Cargo build the crates of this project again, in a target folder of an earlier run.
///
/// With one target folder for several commits, `cargo install --git` takes the program of the
/// earlier commit.
fn forget_own_crates(target: &Path) {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("Cargo accepts the workspace");
    let names = metadata
        .packages
        .iter()
        .map(|package| format!("{}-", package.name));
    let names: Vec<_> = names.collect();
    for folder in ["debug", "aarch64-unknown-none/debug"] {
        let entries = fs::read_dir(target.join(folder).join(".fingerprint"));
        for entry in entries.into_iter().flatten() {
            let entry = entry.expect("a readable folder");
            let name = entry.file_name().into_string().expect("UTF-8");
            if names.iter().any(|own| name.starts_with(own)) {
                fs::remove_dir_all(entry.path()).unwrap();
            }
        }
    }
}

#[test]
fn the_tool_and_the_runtime_come_from_a_git_repository() {
    let folder = root().join("target/from-git");
    fs::create_dir_all(&folder).unwrap();
    let Some(clone) = bare_clone(&folder) else {
        eprintln!("skipped: this checkout is not a Git repository, or git is not installed");
        return;
    };
    let url = format!("file://{}", clone.display());
    let home = folder.join("home");
    cargo_home(&home);
    let target = folder.join("target");
    forget_own_crates(&target);
    let cargo = || {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .env("CARGO_HOME", &home)
            // One folder for all runs of the test: only the project's own crates are built again.
            .env("CARGO_TARGET_DIR", &target)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        cargo
    };
    // Outside the repository: an alias in the repository precedes the installed tool.
    let package = tempfile::tempdir().expect("a temporary directory");
    let package = package.path();
    output(
        cargo()
            .args(["install", "--quiet", "--locked", "--debug"])
            .args(["--git", &url, "cargo-microkit", "--root"])
            .arg(&home)
            .current_dir(package),
    );
    // The installed tool does not need its sources.
    fs::remove_dir_all(home.join("git/checkouts")).unwrap();

    let manifest = format!(
        "[package]\nname = \"greeter\"\nedition = \"2024\"\n\n\
         [dependencies]\nsel4-microkit = {{ git = \"{url}\" }}\n\n\
         [[bin]]\nname = \"greeter\"\ntest = false\n"
    );
    fs::create_dir_all(package.join("src/bin")).unwrap();
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    fs::write(package.join("src/bin/greeter.rs"), PROGRAM).unwrap();
    fs::write(package.join("greeter.system"), SYSTEM).unwrap();
    // Uses the dependency versions of the workspace.
    fs::copy(root().join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    let log = output(
        cargo()
            .args(["microkit", "run", "greeter", "--kernel", "model"])
            .env("CARGO_NET_OFFLINE", "true")
            .current_dir(package.join("src")),
    );
    assert!(log.contains("\ngreeter: from a Git repository"), "{log}");
}
