//! `.qemu` files: additional QEMU arguments and disks for one system.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{Result, miette};
use tempfile::TempPath;

use crate::files;
use crate::qemu::paths::{based, without_commas};
use crate::system::NamedSystem;

/// The prefix of lines that define a disk.
const DISK: &str = "disk:";

/// The prefix of lines that define a disk from a file. The guest's writes change the file.
const DISK_IN_PLACE: &str = "disk-in-place:";

/// The unit of a disk's size.
const SECTOR_BYTES: u64 = 512;

/// The maximum size of a disk. This size is above the needs of tests, and within the limits of file
/// systems.
const MOST_BYTES: u64 = 1 << 40;

/// The first bytes of a disk in QEMU's own format, qcow2.
const QCOW2: &[u8; 4] = b"QFI\xfb";

/// The content of a `.qemu` file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Devices {
    arguments: Vec<OsString>,
    disks: Vec<Disk>,
}

/// A disk of the guest.
#[derive(Debug, PartialEq, Eq)]
enum Disk {
    /// A disk of zeros, with this size in bytes.
    Zeros(u64),
    /// A disk with the content of a file. If `is_in_place`, the guest's writes change the file.
    /// Otherwise, the writes are lost when the guest ends.
    File { path: PathBuf, is_in_place: bool },
}

/// The temporary files of a guest's disks. The files are deleted when this value is dropped.
#[derive(Debug)]
#[must_use = "the disks are deleted when this is dropped"]
pub(crate) struct Disks {
    _files: Vec<TempPath>,
}

impl Devices {
    /// Reads the devices of a system. Returns no devices if the system has no `.qemu` file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read or parsed, or if a disk's file does not exist.
    pub(crate) fn read(system: &NamedSystem) -> Result<Self> {
        let file = file(system);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(files::cannot("read", &file, &e)),
        };
        let directory = std::path::absolute(system.directory())
            .map_err(|e| files::cannot("find", system.directory(), &e))?;
        Self::parse(&text, &directory).map_err(|(number, error)| {
            miette!(
                help = "write `disk: SIZE` (such as `disk: 64K`), `disk: FILE`, \
                        `disk-in-place: FILE`, arguments for QEMU that begin with `-`, or a \
                        comment that begins with `#`; paths are relative to this file's folder, \
                        and a path with spaces is quoted as in a shell",
                "`{}`, line {number}: {error}",
                file.display()
            )
        })
    }

    /// Parses the content of a file. An error holds the number of the first wrong line, and the
    /// reason.
    fn parse(text: &str, directory: &Path) -> Result<Self, (usize, String)> {
        let mut devices = Self::default();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            devices
                .add_line(line, directory)
                .map_err(|error| (number, error))?;
        }
        Ok(devices)
    }

    fn add_line(&mut self, line: &str, directory: &Path) -> Result<(), String> {
        let words = |text: &str| {
            shlex::split(text)
                .ok_or_else(|| format!("a quote or a backslash is incomplete in `{text}`"))
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
                        "a disk has one size or one file, not `{}`",
                        disk.trim()
                    ));
                }
            });
            return Ok(());
        }
        let words = words(line)?;
        if words.first().is_some_and(|word| !word.starts_with('-')) {
            return Err(format!("this is neither a disk nor arguments: `{line}`"));
        }
        for (index, word) in words.iter().enumerate() {
            let before = index.checked_sub(1).map(|index| words[index].as_str());
            self.arguments.push(based(before, word, directory));
        }
        Ok(())
    }

    /// Creates the disks, and adds all devices to the command that starts QEMU.
    ///
    /// # Errors
    ///
    /// Fails if a disk cannot be created.
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
                    // With `snapshot=on`, QEMU writes to a temporary file instead of `path`.
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
                    "`{word}` is not the size of a disk (a number above 0 with K, M or G, or a \
                     multiple of {SECTOR_BYTES}), and no file has this name"
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

fn file(system: &NamedSystem) -> PathBuf {
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

/// Creates a file of zeros.
fn zeros(bytes: u64) -> io::Result<TempPath> {
    let file = tempfile::Builder::new()
        .prefix("cargo-microkit-disk-")
        .tempfile()?;
    file.as_file().set_len(bytes)?;
    Ok(file.into_temp_path())
}

/// Detects the format of a disk's file. If QEMU detected the format, the guest could change the
/// result by writing to the beginning of the disk.
fn format(file: &Path) -> io::Result<&'static str> {
    let mut start = Vec::new();
    File::open(file)?
        .take(QCOW2.len() as u64)
        .read_to_end(&mut start)?;
    Ok(if start == QCOW2 { "qcow2" } else { "raw" })
}

/// Returns the value of QEMU's `-drive` for a disk's file.
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
    fn lines_are_disks_arguments_or_comments() {
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
            let (number, error) = Devices::parse(text, "/s".as_ref()).expect_err(text);
            assert!(
                number == line && error.contains(part),
                "{text}: {number}: {error}"
            );
        };
        wrong("device x", 1, "neither a disk nor arguments: `device x`");
        wrong(
            "-s\n-append 'a b",
            2,
            "a quote or a backslash is incomplete",
        );
        wrong("\n\n-name a\\", 3, "a quote or a backslash is incomplete");
        wrong("disk: \"a", 1, "a quote or a backslash is incomplete");
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
        let devices = Devices::parse(text, directory).expect("valid lines");
        let mut command = Command::new("qemu");
        let disks = devices.add_to(&mut command).expect("space for the disks");
        let arguments = command.get_args().map(OsStr::to_string_lossy);
        (arguments.map(String::from).collect(), disks)
    }

    #[test]
    fn each_guest_has_new_disks_which_are_deleted_at_its_end() {
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
    fn only_a_disk_in_place_writes_to_its_file() {
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
