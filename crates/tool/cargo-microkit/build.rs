//! Packs the source of the model kernel into the tool, so that an installed tool does not need a
//! clone.
//!
//! The folder `kernel` holds symbolic links to the sources of the kernel's crates. `cargo package`
//! follows these links. The manifests of these crates are named `manifest.toml` in this folder,
//! because `cargo package` leaves out folders that hold a `Cargo.toml`.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The folder of the links.
const SOURCE: &str = "kernel";

/// The members of the packed workspace.
const MEMBERS: &str = r#"members = ["crates/microkit-abi", "crates/kernel/*"]"#;

fn main() -> io::Result<()> {
    let directory = env::var("OUT_DIR").expect("Cargo sets this variable");
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for file in files(Path::new(SOURCE))? {
        println!("cargo::rerun-if-changed={}", file.display());
        let path = file
            .strip_prefix(SOURCE)
            .expect("the file is below the folder");
        let (name, bytes) = match path.file_name().and_then(|name| name.to_str()) {
            Some("workspace.toml") => ("Cargo.toml", workspace(&fs::read_to_string(&file)?)),
            Some("manifest.toml") => ("Cargo.toml", fs::read(&file)?),
            Some(name) => (name, fs::read(&file)?),
            None => panic!("`{}` is not UTF-8", file.display()),
        };
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path.with_file_name(name), &*bytes)?;
    }
    let packed = archive.into_inner()?.finish()?;
    // The last eight bytes are a checksum of the content and the content's size (RFC 1952, 2.3.1).
    let [a, b, c, d, ..] = packed[packed.len() - 8..] else {
        unreachable!("a gzip file has a trailer")
    };
    let checksum = u32::from_le_bytes([a, b, c, d]);
    let version = env::var("CARGO_PKG_VERSION").expect("Cargo sets this variable");
    println!("cargo::rustc-env=MODEL_KERNEL={version}-{checksum:08x}");
    fs::write(Path::new(&directory).join("model-kernel.tar.gz"), packed)
}

/// Lists every file below a folder, sorted. Links are followed.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut entries = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Returns the workspace's manifest with the packed crates as its members.
fn workspace(manifest: &str) -> Vec<u8> {
    let (members, others): (Vec<_>, Vec<_>) = manifest
        .lines()
        .partition(|line| line.starts_with("members = ") || line.starts_with("default-members = "));
    assert_eq!(members.len(), 2, "the workspace has two lines of members");
    let lines = others.into_iter().map(|line| match line {
        "[workspace]" => format!("{line}\n{MEMBERS}\n"),
        line => format!("{line}\n"),
    });
    lines.collect::<String>().into_bytes()
}
