//! `.qemu` files: what QEMU is told for a system besides what every system needs, and fresh disks.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{Result, miette};
use tempfile::TempPath;

use crate::files;
use crate::system::System;

/// How lines begin that make a disk.
const DISK: &str = "disk:";

/// What a disk's size is a multiple of.
const SECTOR_BYTES: u64 = 512;

/// More than a test needs, and not more than a file can have.
const MOST_BYTES: u64 = 1 << 40;

/// What a `.qemu` file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Devices {
    arguments: Vec<String>,
    disks_bytes: Vec<u64>,
}

/// The files of the disks that a guest has; they are deleted when this is dropped.
#[derive(Debug)]
#[must_use = "the disks are deleted when this is dropped"]
pub(crate) struct Disks {
    _files: Vec<TempPath>,
}

impl Devices {
    /// Those of a system: none if there is no `.qemu` file beside it.
    ///
    /// **Errors:** the file cannot be read, or has lines that mean nothing.
    pub(crate) fn of(system: &System) -> Result<Self> {
        let file = file(system);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(files::cannot("read", &file, &e)),
        };
        Self::parse(&text).map_err(|fault| {
            miette!(
                help = "each line is `disk: SIZE`, as `disk: 64K`, or arguments of QEMU that begin \
                        with `-`, or begins with `#`",
                "the file `{}` {fault}",
                file.display()
            )
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut devices = Self::default();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if let Some(size) = line.strip_prefix(DISK) {
                let bytes = size_bytes(size.trim()).ok_or_else(|| {
                    format!(
                        "has in line {number} no size of a disk: a number above 0, with K, M or G, \
                         or a multiple of {SECTOR_BYTES}"
                    )
                })?;
                devices.disks_bytes.push(bytes);
            } else if line.starts_with('-') {
                let words = line.split_whitespace().map(str::to_owned);
                devices.arguments.extend(words);
            } else if !line.is_empty() && !line.starts_with('#') {
                return Err(format!(
                    "has in line {number} neither a disk nor arguments: `{line}`"
                ));
            }
        }
        Ok(devices)
    }

    /// Makes the disks, and adds all to the command that starts QEMU.
    ///
    /// **Errors:** a disk cannot be made.
    pub(crate) fn add_to(&self, command: &mut Command) -> Result<Disks> {
        let mut files = Vec::new();
        for (index, &bytes) in self.disks_bytes.iter().enumerate() {
            let file = disk(bytes).map_err(|e| {
                let directory = std::env::temp_dir();
                files::cannot("make a disk's file in", &directory, &e)
            })?;
            command.arg("-drive").arg(drive(index, &file));
            files.push(file);
        }
        command.args(&self.arguments);
        Ok(Disks { _files: files })
    }
}

fn file(system: &System) -> PathBuf {
    let name = format!("{}.qemu", system.name);
    system.path.with_file_name(name)
}

fn size_bytes(text: &str) -> Option<u64> {
    let units = [("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))
        .unwrap_or((text, 1));
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let bytes = number.parse::<u64>().ok().filter(|_| is_number)?;
    let bytes = bytes.checked_mul(unit)?;
    (1..=MOST_BYTES).contains(&bytes).then_some(bytes)?;
    bytes.is_multiple_of(SECTOR_BYTES).then_some(bytes)
}

/// A file of zeros.
fn disk(bytes: u64) -> io::Result<TempPath> {
    let file = tempfile::Builder::new()
        .prefix("cargo-microkit-disk-")
        .tempfile()?;
    file.as_file().set_len(bytes)?;
    Ok(file.into_temp_path())
}

/// The option for a disk's file; in QEMU's options a comma is written twice.
fn drive(index: usize, file: &Path) -> OsString {
    let mut option = OsString::from(format!("if=none,id=disk{index},format=raw,file="));
    option.push(without_commas(file));
    option
}

/// A path as QEMU's options have it: every comma is written twice.
pub(super) fn without_commas(path: &Path) -> OsString {
    let mut doubled = OsString::new();
    let parts = path.as_os_str().as_encoded_bytes().split(|b| *b == b',');
    for (i, part) in parts.enumerate() {
        if i > 0 {
            doubled.push(",,");
        }
        doubled.push(std::os::unix::ffi::OsStrExt::from_bytes(part) as &OsStr);
    }
    doubled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_disks_arguments_or_remarks() {
        let check = |text: &str, arguments: &[&str], disks_bytes: &[u64]| {
            let expect = Devices {
                arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
                disks_bytes: disks_bytes.to_vec(),
            };
            assert_eq!(Devices::parse(text), Ok(expect), "{text}");
        };
        check("", &[], &[]);
        check(
            "# A disk.\n\n disk: 64K\n-device virtio-blk-device,drive=disk0  -s\n",
            &["-device", "virtio-blk-device,drive=disk0", "-s"],
            &[64 << 10],
        );
        check(
            "disk:1M\r\ndisk: 2G\r\ndisk: 512",
            &[],
            &[1 << 20, 2 << 30, 512],
        );
        let wrong = |text: &str, part: &str| {
            let fault = Devices::parse(text).expect_err(text);
            assert!(fault.contains(part), "{text}: {fault}");
        };
        wrong(
            "device x",
            "has in line 1 neither a disk nor arguments: `device x`",
        );
        for size in [
            "",
            "0",
            "K",
            "1000",
            "+1K",
            "-1K",
            "1T",
            "0x10K",
            "99999999999999999999G",
        ] {
            wrong(&format!("-s\ndisk: {size}"), "has in line 2 no size");
        }
    }

    #[test]
    fn each_guest_has_fresh_disks_and_leaves_none() {
        let devices = Devices::parse("disk: 1K\n-device x\ndisk: 2K").expect("it is sound");
        let mut command = Command::new("qemu");
        let disks = devices.add_to(&mut command).expect("there is room");
        let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        assert_eq!(arguments[4..], ["-device", "x"]);
        let paths: Vec<PathBuf> = [(1, "disk0"), (3, "disk1")]
            .into_iter()
            .map(|(place, id)| {
                assert_eq!(arguments[place - 1], "-drive");
                let start = format!("if=none,id={id},format=raw,file=");
                arguments[place]
                    .strip_prefix(&start)
                    .expect("a drive")
                    .into()
            })
            .collect();
        for (path, bytes) in paths.iter().zip([1024, 2048]) {
            assert_eq!(std::fs::read(path).expect("the disk"), vec![0; bytes]);
        }
        drop(disks);
        assert!(paths.iter().all(|path| !path.exists()), "{paths:?}");
    }
}
