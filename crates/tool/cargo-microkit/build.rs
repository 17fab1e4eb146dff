//! Packs the source of the model kernel and the templates of packages into the tool, so that an
//! installed tool does not need a clone.
//!
//! The folder `kernel` holds symbolic links to the sources of the kernel's crates, and the folder
//! `templates` holds symbolic links to the examples. `cargo package` follows these links. The
//! manifests in these folders are named `manifest.toml`, because `cargo package` leaves out folders
//! that hold a `Cargo.toml`. A name `.x` is written `dot-x`, so that Git and editors do not apply
//! these files to this repository.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The folder of the kernel's links.
const KERNEL: &str = "kernel";

/// The folder of the templates.
const TEMPLATES: &str = "templates";

/// The members of the packed workspace.
const MEMBERS: &str = r#"members = ["crates/microkit-abi", "crates/kernel/*"]"#;

fn main() -> io::Result<()> {
    let kernel = pack(KERNEL)?;
    // The last eight bytes are a checksum of the content and the content's size (RFC 1952, 2.3.1).
    let [a, b, c, d, ..] = kernel[kernel.len() - 8..] else {
        unreachable!("a gzip file has a trailer")
    };
    let checksum = u32::from_le_bytes([a, b, c, d]);
    let version = env::var("CARGO_PKG_VERSION").expect("Cargo sets this variable");
    println!("cargo::rustc-env=MODEL_KERNEL={version}-{checksum:08x}");
    let directory = env::var("OUT_DIR").expect("Cargo sets this variable");
    let directory = Path::new(&directory);
    fs::write(directory.join("model-kernel.tar.gz"), kernel)?;
    fs::write(directory.join("templates.tar.gz"), pack(TEMPLATES)?)
}

/// Packs every file below a folder.
fn pack(folder: &str) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for file in files(Path::new(folder))? {
        println!("cargo::rerun-if-changed={}", file.display());
        let path = file
            .strip_prefix(folder)
            .expect("the file is below the folder");
        let bytes = match path.ends_with(WORKSPACE) {
            true => workspace(&fs::read_to_string(&file)?),
            false => fs::read(&file)?,
        };
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let path: PathBuf = path.iter().map(packed_name).collect();
        archive.append_data(&mut header, path, &*bytes)?;
    }
    archive.into_inner()?.finish()
}

/// The name of the workspace's manifest in the folder of links.
const WORKSPACE: &str = "workspace.toml";

/// Returns the name in the archive of a file or folder.
fn packed_name(name: &OsStr) -> OsString {
    match name.to_str().expect("names are UTF-8") {
        WORKSPACE | "manifest.toml" => "Cargo.toml".into(),
        name => match name.strip_prefix("dot-") {
            Some(rest) => format!(".{rest}").into(),
            None => name.into(),
        },
    }
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
