//! `sdk` and `doctor`: what is kept stays whole, whatever is to be added.

use std::fs;
use std::path::Path;

use crate::bench::{Bench, VERSION, check, text};
use flate2::Compression;
use flate2::write::GzEncoder;

/// A tarball of the directory `sdk`, under the top directory `top`.
fn tarball(sdk: &Path, top: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    tar.append_dir_all(top, sdk).expect("the SDK");
    tar.into_inner()
        .expect("a tarball")
        .finish()
        .expect("a tarball")
}

#[test]
fn what_is_added_is_listed_found_and_removed() {
    let bench = Bench::new();
    bench.system("hello");
    let sdk = bench.sdk(VERSION);
    let kept = bench
        .path("home/sdk")
        .join(format!("microkit-sdk-{VERSION}"));
    let kept = kept.to_str().expect("UTF-8");

    check(
        bench.microkit(&["sdk", "list"]),
        true,
        &["no Microkit SDK is kept"],
    );
    assert_eq!(
        check(bench.microkit(&["sdk", "add", "sdk"]), true, &[]).trim_end(),
        kept
    );
    bench.file(
        "microkit-sdk-linux-x86-64.tar.gz",
        tarball(&sdk, "any-name"),
    );
    for name in ["any-name", "."] {
        let file = format!("{}.tar.gz", name.replace('.', "none"));
        bench.file(&file, tarball(&sdk, name));
        check(bench.microkit(&["sdk", "add", &file]), true, &[kept]);
    }
    fs::remove_dir_all(&sdk).expect("the original");
    check(
        bench.microkit(&["sdk", "list"]),
        true,
        &[VERSION, kept, "`qemu_virt_aarch64`"],
    );
    check(bench.microkit(&["build", "hello.system"]), true, &[]);
    let names: Vec<_> = fs::read_dir(bench.path("home/sdk"))
        .expect("the home")
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");

    check(
        bench.microkit(&["sdk", "remove", "9.9.9"]),
        false,
        &["9.9.9", VERSION],
    );
    check(bench.microkit(&["sdk", "remove"]), true, &[VERSION]);
    check(
        bench.microkit(&["sdk", "remove"]),
        false,
        &[VERSION, "there are none"],
    );
}

#[test]
fn what_is_no_sdk_changes_nothing() {
    let bench = Bench::new();
    let sdk = bench.sdk(VERSION);
    check(bench.microkit(&["sdk", "add", "sdk"]), true, &[]);
    bench.file(
        &format!("home/sdk/microkit-sdk-{VERSION}/mine"),
        "still here",
    );
    let add = |from: &str, parts: &[&str]| {
        check(bench.microkit(&["sdk", "add", from]), false, parts);
        let mine = bench.path(&format!("home/sdk/microkit-sdk-{VERSION}/mine"));
        assert_eq!(text(&mine), "still here", "after {from}");
        assert_eq!(
            fs::read_dir(bench.path("home/sdk"))
                .expect("the home")
                .count(),
            1
        );
    };

    add("nowhere", &["nowhere"]);
    bench.file("garbage.tar.gz", "not a tarball");
    add(
        "garbage.tar.gz",
        &["garbage.tar.gz", "neither a directory nor a .tar.gz"],
    );
    let whole = tarball(&sdk, "sdk");
    for length in [3, whole.len() / 2, whole.len() - 1] {
        bench.file("short.tar.gz", &whole[..length]);
        add("short.tar.gz", &["short.tar.gz", "cut short or damaged"]);
    }

    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..12].copy_from_slice(b"../../escape");
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(0);
    header.set_cksum();
    tar.append(&header, std::io::empty()).expect("the entry");
    bench.file(
        "evil.tar.gz",
        tar.into_inner().expect("tar").finish().expect("gzip"),
    );
    add("evil.tar.gz", &["evil.tar.gz", "../../escape"]);
    assert!(!bench.path("home/escape").exists() && !bench.path("escape").exists());

    add(".", &["into itself"]);
    bench.file("empty/x", "");
    add("empty", &["empty", "VERSION"]);
    bench.sdk("1.4.1");
    bench.file("old.tar.gz", tarball(&sdk, "sdk"));
    add("old.tar.gz", &["`old.tar.gz`", "1.4.1", VERSION]);
    add("sdk", &["`sdk`", "1.4.1", VERSION]);
}

#[test]
fn doctor_fails_only_for_what_is_missing() {
    let bench = Bench::new();
    let sdk = bench.sdk(VERSION);
    let qemu = bench.qemu("echo QEMU emulator version 1.2.3");
    let doctor = |has_qemu, is_success, parts: &[&str]| {
        let mut command = bench.microkit(&["doctor", "--qemu"]);
        command.arg(if has_qemu {
            qemu.as_path()
        } else {
            Path::new("no-qemu")
        });
        command.arg("--sdk").arg(&sdk);
        check(command, is_success, parts);
    };
    let parts = [
        "ok       QEMU: QEMU emulator version 1.2.3",
        "ok       SDK: Microkit",
        VERSION,
    ];
    doctor(true, true, &parts);
    doctor(
        false,
        false,
        &[
            "missing  QEMU: ",
            "no-qemu",
            "sudo apt-get install qemu-system-arm",
        ],
    );
    // Without an SDK there is the model kernel.
    let mut command = bench.microkit(&["doctor", "--qemu"]);
    command.arg(&qemu);
    let parts = [
        "ok       SDK: none",
        "model kernel",
        "cargo microkit sdk add",
    ];
    check(command, true, &parts);
}
