//! Packs every public crate with `cargo package`, and looks into the packages.
//!
//! The packages are not compiled here. `cargo package --workspace` without `--no-verify` compiles
//! them, which takes some minutes.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{MetadataCommand, Package};
use ci::root;

/// The packages of the workspace, without and with permission to be published.
fn packages() -> (Vec<Package>, Vec<Package>) {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("Cargo accepts the workspace");
    let is_private = |package: &Package| package.publish.as_deref() == Some(&[]);
    metadata.packages.into_iter().partition(is_private)
}

/// Packs all public crates, and returns the folder of the packages.
fn packed(private: &[Package]) -> PathBuf {
    let target = root().join("target/packages");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["package", "--workspace", "--no-verify", "--allow-dirty"])
        .args(["--offline", "--target-dir"])
        .arg(&target)
        .current_dir(root());
    for package in private {
        cargo.args(["--exclude", &package.name]);
    }
    let output = cargo.output().expect("Cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    target.join("package")
}

/// Lists the files of a package.
fn files(archive: &Path) -> Vec<String> {
    let output = Command::new("tar")
        .arg("-tzf")
        .arg(archive)
        .output()
        .expect("tar runs");
    assert!(output.status.success(), "{}", archive.display());
    let list = String::from_utf8(output.stdout).expect("UTF-8");
    let names = list.lines().filter_map(|path| path.split_once('/'));
    names.map(|(_package, file)| file.to_owned()).collect()
}

#[test]
fn every_public_crate_can_be_packed_with_its_licences() {
    let (private, public) = packages();
    let folder = packed(&private);
    for package in &public {
        let name = format!("{}-{}.crate", package.name, package.version);
        let files = files(&folder.join(&name));
        for file in ["LICENSE-APACHE", "LICENSE-MIT", "Cargo.toml"] {
            assert!(files.iter().any(|f| f == file), "{name} has no {file}");
        }
        assert!(package.description.is_some(), "{name} has no description");
        assert!(!package.keywords.is_empty(), "{name} has no keywords");
    }
    let tool = public.iter().find(|p| *p.name == "cargo-microkit");
    let version = &tool.expect("the tool is public").version;
    let files = files(&folder.join(format!("cargo-microkit-{version}.crate")));
    for file in [
        "kernel/Cargo.lock",
        "kernel/workspace.toml",
        "kernel/crates/kernel/boot-spec/manifest.toml",
        "kernel/crates/kernel/kernel-aarch64/kernel.ld",
        "kernel/crates/kernel/kernel-aarch64/src/main.rs",
        "kernel/crates/kernel/kernel-model/src/lib.rs",
        "kernel/crates/microkit-abi/src/lib.rs",
    ] {
        assert!(files.iter().any(|f| f == file), "the tool has no {file}");
    }
}

/// The folders of private packages. All other folders of the workspace hold public crates.
const PRIVATE: [&str; 3] = ["ci/Cargo.toml", "ci/programs/", "examples/"];

#[test]
fn only_ci_and_the_examples_are_private() {
    let (private, public) = packages();
    let is_in_private_folder = |package: &Package| {
        let manifest = package.manifest_path.strip_prefix(root());
        let manifest = manifest.expect("the package is in the repository");
        PRIVATE
            .iter()
            .any(|folder| manifest.as_str().starts_with(folder))
    };
    for package in &private {
        assert!(is_in_private_folder(package), "{}", package.name);
    }
    for package in &public {
        assert!(!is_in_private_folder(package), "{}", package.name);
    }
}
