//! Tests `sdk` and `doctor`: a failed `sdk add` never leaves an incomplete or changed SDK.

use std::fs;
use std::path::Path;

use crate::bench::{Bench, VERSION, check, text};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Makes a tarball of the directory `sdk`, with the top directory `top`.
fn tarball(sdk: &Path, top: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    tar.append_dir_all(top, sdk).expect("the SDK");
    tar.into_inner()
        .expect("a tarball")
        .finish()
        .expect("a tarball")
}

#[test]
fn an_sdk_is_added_listed_found_and_removed() {
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
        &["no Microkit SDK is stored"],
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
        bench.microkit(&["sdk", "remove", VERSION]),
        false,
        &[VERSION, "no SDK is stored"],
    );
    check(
        bench.microkit(&["sdk", "remove"]),
        false,
        &["no SDK is stored"],
    );
}

#[test]
fn an_invalid_sdk_changes_nothing() {
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
        add("short.tar.gz", &["short.tar.gz", "truncated or damaged"]);
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
    bench.sdk("../elsewhere");
    add("sdk", &["`sdk`", "\"../elsewhere\""]);
    bench.sdk("1.4.1");
    bench.file("sdk/board/rpi4b_1gb/debug/include/microkit.h", "");
    bench.file("old.tar.gz", tarball(&sdk, "sdk"));
    let parts = ["1.4.1", "`rpi4b_1gb`", "BASE_ENDPOINT_CAP"];
    add("old.tar.gz", &[&parts[..], &["`old.tar.gz`"]].concat());
    add("sdk", &[&parts[..], &["`sdk`"]].concat());
}

#[test]
fn links_in_an_sdk_are_followed_but_not_out_of_a_tarball() {
    use std::os::unix::fs::symlink;

    let bench = Bench::new();
    bench.system("hello");
    let sdk = bench.sdk(VERSION);
    fs::rename(sdk.join("board"), bench.path("boards")).expect("the boards");
    symlink("../boards", sdk.join("board")).expect("a link");
    fs::rename(sdk.join("VERSION"), bench.path("version")).expect("the version");
    symlink(bench.path("version"), sdk.join("VERSION")).expect("a link");
    symlink(&sdk, bench.path("link")).expect("a link");
    for from in ["sdk", "link"] {
        check(
            bench.microkit(&["build", "hello.system", "--sdk", &format!("./{from}")]),
            true,
            &[],
        );
        check(bench.microkit(&["sdk", "add", from]), true, &[]);
    }
    fs::remove_dir_all(bench.path("boards")).expect("the boards");
    check(bench.microkit(&["build", "hello.system"]), true, &[]);

    let parts = ["`sdk/board`", "../boards", "does not exist"];
    check(bench.microkit(&["sdk", "add", "sdk"]), false, &parts);
    fs::remove_file(sdk.join("board")).expect("the link");
    fs::create_dir_all(sdk.join("board/b/debug")).expect("a board");
    symlink("..", sdk.join("bin/up")).expect("a link");
    check(
        bench.microkit(&["sdk", "add", "sdk"]),
        false,
        &["sdk/bin/up", "folder that contains it"],
    );

    let whole = bench
        .path("home/sdk")
        .join(format!("microkit-sdk-{VERSION}"));
    let packed = |link: &str| {
        let place = whole.join("board/linked");
        symlink(link, &place).expect("a link");
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        tar.follow_symlinks(false);
        tar.append_dir_all("sdk", &whole).expect("the SDK");
        let bytes = tar.into_inner().expect("tar").finish().expect("gzip");
        bench.file("linked.tar.gz", bytes);
        fs::remove_file(place).expect("the link");
        bench.microkit(&["sdk", "add", "linked.tar.gz"])
    };
    check(packed("rpi4b_1gb"), true, &[]);
    check(
        bench.microkit(&["sdk", "list"]),
        true,
        &["`linked`", "`rpi4b_1gb`"],
    );
    fs::remove_file(whole.join("board/linked")).expect("the link");
    for link in ["../../../../..", "/etc", "nothing"] {
        check(
            packed(link),
            false,
            &["linked.tar.gz", "board/linked", "leads out"],
        );
    }
}

#[test]
fn several_sdks_are_stored_and_a_version_names_one() {
    let bench = Bench::new();
    bench.system("hello");
    for version in ["2.3.1", VERSION, "2.4.0-dev"] {
        bench.sdk(version);
        check(bench.microkit(&["sdk", "add", "sdk"]), true, &[version]);
    }
    let kept = bench.path("home/sdk");
    let kept = kept.to_str().expect("UTF-8");
    let listed = check(
        bench.microkit(&["sdk", "list"]),
        true,
        &["2.3.1", "2.4.0-dev"],
    );
    let marked: Vec<_> = listed
        .lines()
        .filter(|line| line.contains("(default)"))
        .collect();
    assert!(
        matches!(marked[..], [line] if line.starts_with(VERSION)),
        "{listed}"
    );

    let doctor = |sdk: &[&str], version: &str| {
        let mut command = bench.microkit(&["doctor", "--qemu"]);
        command.arg(bench.qemu("echo QEMU")).args(sdk);
        check(
            command,
            true,
            &[
                &format!("Microkit {version}"),
                &format!("{kept}/microkit-sdk-{version}"),
            ],
        );
    };
    doctor(&[], VERSION);
    doctor(&["--sdk", "2.3.1"], "2.3.1");
    doctor(&["--sdk", "2.4.0-dev"], "2.4.0-dev");
    let mut command = bench.microkit(&["doctor", "--qemu"]);
    command
        .arg(bench.qemu("echo QEMU"))
        .env("MICROKIT_SDK", "2.3.1");
    check(command, true, &["Microkit 2.3.1", "MICROKIT_SDK"]);
    let image = |version: &str| {
        let command = bench.microkit(&["build", "hello.system", "--sdk", version]);
        check(command, true, &[])
    };
    assert_ne!(image("2.3.1"), image("2.4.0-dev"));

    check(
        bench.microkit(&["build", "hello.system", "--sdk", "2.3.11"]),
        false,
        &["`2.3.11`", "did you mean `2.3.1`"],
    );
    check(
        bench.microkit(&["sdk", "remove"]),
        false,
        &["to remove", "3 are stored"],
    );
    check(
        bench.microkit(&["sdk", "remove", VERSION]),
        true,
        &[VERSION],
    );
    doctor(&[], "2.4.0-dev");

    fs::rename(bench.path("sdk"), bench.path("2.3.1")).expect("a folder");
    let mut command = bench.microkit(&["build", "hello.system", "--sdk", "2.3.1"]);
    check(command, false, &[kept, "a folder here", "`./2.3.1`"]);
    command = bench.microkit(&["build", "hello.system", "--sdk", "./2.3.1"]);
    check(command, true, &[]);
}

#[test]
fn doctor_fails_only_if_something_is_missing() {
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
    // `doctor` checks these variables, because other commands use these variables as defaults.
    for (variable, value) in [
        ("MICROKIT_BOARD", "qemu_virt"),
        ("MICROKIT_CONFIG", "debgu"),
    ] {
        let mut command = bench.microkit(&["doctor", "--qemu"]);
        command
            .arg(&qemu)
            .arg("--sdk")
            .arg(&sdk)
            .env(variable, value);
        check(command, false, &["missing  SDK: ", value, "did you mean"]);
    }
    // Without an SDK, `doctor` reports the model kernel.
    let mut command = bench.microkit(&["doctor", "--qemu"]);
    command.arg(&qemu);
    let parts = [
        "ok       SDK: none",
        "model kernel",
        "cargo microkit sdk add",
    ];
    check(command, true, &parts);
}
