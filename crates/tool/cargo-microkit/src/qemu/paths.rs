//! Rewrites paths in QEMU's arguments. QEMU resolves paths relative to the current folder, but the
//! paths in a `.qemu` file are relative to the folder of that file.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Options whose whole argument is a path.
const PATH_OPTIONS: [&str; 18] = [
    "-D",
    "-L",
    "-bios",
    "-cdrom",
    "-dtb",
    "-hda",
    "-hdb",
    "-hdc",
    "-hdd",
    "-initrd",
    "-kernel",
    "-mem-path",
    "-mtdblock",
    "-pflash",
    "-pidfile",
    "-plugin",
    "-readconfig",
    "-sd",
];

/// Keys of `KEY=VALUE` whose value is a path. For a key with dots, only the last part is compared.
const PATH_KEYS: [&str; 7] = [
    "dir", "file", "filename", "logfile", "mem-path", "path", "romfile",
];

/// The prefixes of character devices. A path follows each prefix.
const PATH_PREFIXES: [&str; 3] = ["file:", "pipe:", "unix:"];

/// Returns an argument of a `.qemu` file with its relative paths resolved against `directory`.
/// `before` is the preceding argument.
pub(super) fn based(before: Option<&str>, word: &str, directory: &Path) -> OsString {
    if word.starts_with('-') {
        return word.into();
    }
    let is_key = |part: &str| {
        let key = part.split_once('=').map_or("", |(key, _)| key);
        PATH_KEYS.contains(&key.rsplit('.').next().unwrap_or_default())
    };
    let takes_path = before.is_some_and(|before| PATH_OPTIONS.contains(&before));
    if takes_path && !is_key(word) {
        return match is_relative(word) {
            true => directory.join(word).into_os_string(),
            false => word.into(),
        };
    }
    let mut all = OsString::new();
    for (index, part) in parts(word).enumerate() {
        if index > 0 {
            all.push(",");
        }
        let start = match part.split_once('=') {
            Some((key, _)) if is_key(part) => key.len() + 1,
            Some(_) => part.len(),
            None => {
                let prefix = PATH_PREFIXES
                    .iter()
                    .find(|prefix| part.starts_with(**prefix));
                prefix.map_or(part.len(), |prefix| prefix.len())
            }
        };
        let (head, path) = part.split_at(start);
        all.push(head);
        if is_relative(path) {
            all.push(without_commas(&directory.join(path.replace(",,", ","))));
        } else {
            all.push(path);
        }
    }
    all
}

/// Splits an option's value at its commas. A doubled comma does not split.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(word);
    std::iter::from_fn(move || {
        let word = rest?;
        let bytes = word.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match (bytes[at], bytes.get(at + 1)) {
                (b',', Some(b',')) => at += 2,
                (b',', _) => {
                    rest = Some(&word[at + 1..]);
                    return Some(&word[..at]);
                }
                _ => at += 1,
            }
        }
        rest = None;
        Some(word)
    })
}

/// Returns whether a path is relative. Absolute paths and QEMU's `PROTOCOL:…` are not relative.
fn is_relative(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    !path.is_empty() && !path.starts_with('/') && !first.contains(':')
}

/// Returns a path for QEMU's options, with every comma doubled.
pub(super) fn without_commas(path: &Path) -> OsString {
    let mut doubled = OsString::new();
    let parts = path.as_os_str().as_encoded_bytes().split(|b| *b == b',');
    for (i, part) in parts.enumerate() {
        if i > 0 {
            doubled.push(",,");
        }
        doubled.push(OsStr::from_bytes(part));
    }
    doubled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_based_on_the_folder() {
        let check = |before, word: &str, expect: &str| {
            assert_eq!(based(before, word, "/s".as_ref()), expect, "{word}");
        };
        let drive = Some("-drive");
        check(drive, "file=a.img,if=none", "file=/s/a.img,if=none");
        check(drive, "if=none,file=../a.img", "if=none,file=/s/../a.img");
        check(drive, "file=/a.img,id=file", "file=/a.img,id=file");
        check(drive, "file=a,,b.img,id=x", "file=/s/a,,b.img,id=x");
        check(
            drive,
            "file=nbd:localhost:10809",
            "file=nbd:localhost:10809",
        );
        check(drive, "file=my disk.img", "file=/s/my disk.img");
        check(
            drive,
            "driver=raw,file.filename=a",
            "driver=raw,file.filename=/s/a",
        );
        check(drive, "profile=a", "profile=a");
        check(Some("-kernel"), "vmlinux", "/s/vmlinux");
        check(Some("-kernel"), "/vmlinux", "/vmlinux");
        check(Some("-plugin"), "file=a.so,x=y", "file=/s/a.so,x=y");
        check(
            Some("-serial"),
            "unix:sock,server=on",
            "unix:/s/sock,server=on",
        );
        check(Some("-serial"), "tcp:localhost:1", "tcp:localhost:1");
        check(
            Some("-device"),
            "virtio-blk-device,drive=disk0",
            "virtio-blk-device,drive=disk0",
        );
        check(None, "-s", "-s");
        check(drive, "file=", "file=");
        check(drive, ",", ",");
    }

    #[test]
    fn commas_in_the_folder_are_doubled() {
        let word = based(Some("-drive"), "file=b", "/a,c".as_ref());
        assert_eq!(word, "file=/a,,c/b");
    }
}
