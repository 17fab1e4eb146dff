//! `.qemu` files: the arguments of QEMU that one system needs, and its disks.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{Result, miette};
use tempfile::TempPath;

use crate::files;
use crate::qemu::paths::{based, without_commas};
use crate::system::System;

/// How lines begin that make a disk.
const DISK: &str = "disk:";

/// How lines begin that make a disk of a file, which keeps what is written.
const DISK_IN_PLACE: &str = "disk-in-place:";

/// What a disk's size is a multiple of.
const SECTOR_BYTES: u64 = 512;

/// More than a test needs, and not more than a file can have.
const MOST_BYTES: u64 = 1 << 40;

/// How a file begins that is a disk in QEMU's own format.
const QCOW2: &[u8; 4] = b"QFI\xfb";

/// What a `.qemu` file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Devices {
    arguments: Vec<OsString>,
    disks: Vec<Disk>,
}

/// A disk of the guest.
#[derive(Debug, PartialEq, Eq)]
enum Disk {
    /// Zeros, so many bytes.
    Zeros(u64),
    /// What is in a file. What the guest writes is lost with it, or goes into the file.
    File { path: PathBuf, is_in_place: bool },
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
    /// **Errors:** the file cannot be read, or has lines that mean nothing, or a disk of it is not
    /// there.
    pub(crate) fn of(system: &System) -> Result<Self> {
        let file = file(system);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(files::cannot("read", &file, &e)),
        };
        let directory = std::path::absolute(system.directory())
            .map_err(|e| files::cannot("find", system.directory(), &e))?;
        Self::parse(&text, &directory).map_err(|(number, fault)| {
            miette!(
                help = "each line is `disk: SIZE`, as `disk: 64K`, or `disk: FILE`, or \
                        `disk-in-place: FILE`, or arguments of QEMU that begin with `-`, or begins \
                        with `#`; a path is relative to this file, and one with blanks is quoted as \
                        in a shell",
                "`{}`, line {number}: {fault}",
                file.display()
            )
        })
    }

    /// **Errors:** the number of the first line that is wrong, and why it is.
    fn parse(text: &str, directory: &Path) -> Result<Self, (usize, String)> {
        let mut devices = Self::default();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            devices
                .add_line(line, directory)
                .map_err(|fault| (number, fault))?;
        }
        Ok(devices)
    }

    fn add_line(&mut self, line: &str, directory: &Path) -> Result<(), String> {
        let words = |text: &str| {
            shlex::split(text)
                .ok_or_else(|| format!("a quote or a backslash is not complete in `{text}`"))
        };
        let is_in_place = line.starts_with(DISK_IN_PLACE);
        if let Some(disk) = line
            .strip_prefix(DISK)
            .or_else(|| line.strip_prefix(DISK_IN_PLACE))
        {
            self.disks.push(match &words(disk)?[..] {
                [word] => Disk::parse(word, is_in_place, directory)?,
                _ => {
                    return Err(format!(
                        "a disk is one size or one file, not `{}`",
                        disk.trim()
                    ));
                }
            });
            return Ok(());
        }
        let words = words(line)?;
        if words.first().is_some_and(|word| !word.starts_with('-')) {
            return Err(format!("neither a disk nor arguments: `{line}`"));
        }
        for (index, word) in words.iter().enumerate() {
            let before = index.checked_sub(1).map(|index| words[index].as_str());
            self.arguments.push(based(before, word, directory));
        }
        Ok(())
    }

    /// Makes the disks, and adds all to the command that starts QEMU.
    ///
    /// **Errors:** a disk cannot be made.
    pub(crate) fn add_to(&self, command: &mut Command) -> Result<Disks> {
        let mut files = Vec::new();
        for (index, disk) in self.disks.iter().enumerate() {
            let option = match disk {
                Disk::Zeros(bytes) => {
                    let file = zeros(*bytes).map_err(|e| {
                        let directory = std::env::temp_dir();
                        files::cannot("make a disk's file in", &directory, &e)
                    })?;
                    let option = drive(index, "format=raw", &file);
                    files.push(file);
                    option
                }
                Disk::File { path, is_in_place } => {
                    let format = format(path).map_err(|e| files::cannot("read", path, &e))?;
                    // QEMU writes to a file of its own, which is gone when it ends.
                    let snapshot = if *is_in_place { "" } else { ",snapshot=on" };
                    drive(index, &format!("format={format}{snapshot}"), path)
                }
            };
            command.arg("-drive").arg(option);
        }
        command.args(&self.arguments);
        Ok(Disks { _files: files })
    }
}

impl Disk {
    fn parse(word: &str, is_in_place: bool, directory: &Path) -> Result<Self, String> {
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        let path = directory.join(word);
        if is_number && !is_in_place && !path.exists() {
            return size_bytes(word).map(Self::Zeros).ok_or_else(|| {
                format!(
                    "`{word}` is not the size of a disk, which is a number above 0, with K, M or G, \
                     or a multiple of {SECTOR_BYTES}; nor is there a file of this name"
                )
            });
        }
        let opened = match path.is_dir() {
            true => Err(io::Error::other("it is a directory")),
            false => OpenOptions::new().read(true).write(is_in_place).open(&path),
        };
        match opened {
            Ok(_) => Ok(Self::File { path, is_in_place }),
            Err(e) => {
                let what = if is_in_place {
                    "read and written"
                } else {
                    "read"
                };
                Err(format!(
                    "the disk `{}` cannot be {what}: {e}",
                    path.display()
                ))
            }
        }
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
fn zeros(bytes: u64) -> io::Result<TempPath> {
    let file = tempfile::Builder::new()
        .prefix("cargo-microkit-disk-")
        .tempfile()?;
    file.as_file().set_len(bytes)?;
    Ok(file.into_temp_path())
}

/// The format of a disk's file. QEMU would guess it too, but then the guest could change the guess
/// by what it writes at the disk's beginning.
fn format(file: &Path) -> io::Result<&'static str> {
    let mut start = Vec::new();
    File::open(file)?
        .take(QCOW2.len() as u64)
        .read_to_end(&mut start)?;
    Ok(if start == QCOW2 { "qcow2" } else { "raw" })
}

/// The option for a disk's file.
fn drive(index: usize, how: &str, file: &Path) -> OsString {
    let mut option = OsString::from(format!("if=none,id=disk{index},{how},file="));
    option.push(without_commas(file));
    option
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn lines_are_disks_arguments_or_remarks() {
        let check = |text: &str, arguments: &[&str], disks_bytes: &[u64]| {
            let expect = Devices {
                arguments: arguments.iter().map(OsString::from).collect(),
                disks: disks_bytes
                    .iter()
                    .map(|bytes| Disk::Zeros(*bytes))
                    .collect(),
            };
            assert_eq!(Devices::parse(text, "/s".as_ref()), Ok(expect), "{text}");
        };
        check("", &[], &[]);
        check(
            "# A disk.\n\n disk: 64K\n-device virtio-blk-device,drive=disk0  -s\n",
            &["-device", "virtio-blk-device,drive=disk0", "-s"],
            &[64 << 10],
        );
        check(
            "disk:1M\r\ndisk: 2G # Large.\r\ndisk: 512",
            &[],
            &[1 << 20, 2 << 30, 512],
        );
        check(
            "-append \"a 'b'  c\" -drive 'file=my disk,,x.img' -name it\\ is",
            &[
                "-append",
                "a 'b'  c",
                "-drive",
                "file=/s/my disk,,x.img",
                "-name",
                "it is",
            ],
            &[],
        );
        let wrong = |text: &str, line: usize, part: &str| {
            let (number, fault) = Devices::parse(text, "/s".as_ref()).expect_err(text);
            assert!(
                number == line && fault.contains(part),
                "{text}: {number}: {fault}"
            );
        };
        wrong("device x", 1, "neither a disk nor arguments: `device x`");
        wrong(
            "-s\n-append 'a b",
            2,
            "a quote or a backslash is not complete",
        );
        wrong("\n\n-name a\\", 3, "a quote or a backslash is not complete");
        wrong("disk: \"a", 1, "a quote or a backslash is not complete");
        wrong("disk:", 1, "one size or one file");
        wrong("disk: 4K 8K", 1, "one size or one file");
        wrong("disk: K", 1, "the disk `/s/K` cannot be read");
        wrong(
            "disk-in-place: 64K",
            1,
            "the disk `/s/64K` cannot be read and written",
        );
        for size in ["0", "1000", "1T", "0x10K", "99999999999999999999G"] {
            wrong(&format!("-s\ndisk: {size}"), 2, "is not the size of a disk");
        }
    }

    fn arguments(text: &str, directory: &Path) -> (Vec<String>, Disks) {
        let devices = Devices::parse(text, directory).expect("it is sound");
        let mut command = Command::new("qemu");
        let disks = devices.add_to(&mut command).expect("there is room");
        let arguments = command.get_args().map(OsStr::to_string_lossy);
        (arguments.map(String::from).collect(), disks)
    }

    #[test]
    fn each_guest_has_fresh_disks_and_leaves_none() {
        let (arguments, disks) = arguments("disk: 1K\n-device x\ndisk: 2K", "/s".as_ref());
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

    #[test]
    fn a_disk_of_a_file_keeps_what_is_written_only_if_asked_to() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let directory = directory.path();
        std::fs::write(directory.join("my disk, 1.img"), "x").expect("the file");
        std::fs::write(directory.join("a.qcow2"), b"QFI\xfb\0\0\0\x03").expect("the file");
        let text = "disk: 'my disk, 1.img'\ndisk-in-place: my\\ disk,\\ 1.img\ndisk: a.qcow2";
        let (arguments, _disks) = arguments(text, directory);
        let path = |name: &str| directory.join(name).display().to_string();
        let drives: Vec<_> = arguments
            .into_iter()
            .filter(|word| word != "-drive")
            .collect();
        assert_eq!(
            drives,
            [
                format!(
                    "if=none,id=disk0,format=raw,snapshot=on,file={}",
                    path("my disk,, 1.img")
                ),
                format!(
                    "if=none,id=disk1,format=raw,file={}",
                    path("my disk,, 1.img")
                ),
                format!(
                    "if=none,id=disk2,format=qcow2,snapshot=on,file={}",
                    path("a.qcow2")
                ),
            ]
        );
        Devices::parse("disk: .", directory).expect_err("a directory");
    }
}
