//! Packs the source of the model kernel, so that an installed tool has it without its clone.
//!
//! `kernel` holds links to the crates that the kernel is made of, which `cargo package` follows.
//! The manifests have other names there: Cargo leaves out folders with a `Cargo.toml`.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Where the links are.
const SOURCE: &str = "kernel";

/// The members of the packed workspace.
const MEMBERS: &str = r#"members = ["crates/microkit-abi", "crates/kernel/*"]"#;

fn main() -> io::Result<()> {
    let directory = env::var("OUT_DIR").expect("Cargo sets it");
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for file in files(Path::new(SOURCE))? {
        println!("cargo::rerun-if-changed={}", file.display());
        let path = file.strip_prefix(SOURCE).expect("it is below");
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
    // The last eight bytes are a checksum of the content, and its size (RFC 1952, 2.3.1).
    let [a, b, c, d, ..] = packed[packed.len() - 8..] else {
        unreachable!("a gzip file has a trailer")
    };
    let checksum = u32::from_le_bytes([a, b, c, d]);
    let version = env::var("CARGO_PKG_VERSION").expect("Cargo sets it");
    println!("cargo::rustc-env=MODEL_KERNEL={version}-{checksum:08x}");
    fs::write(Path::new(&directory).join("model-kernel.tar.gz"), packed)
}

/// Every file below a folder, sorted. Links are followed.
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

/// The workspace's manifest, with the packed crates as its members.
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
