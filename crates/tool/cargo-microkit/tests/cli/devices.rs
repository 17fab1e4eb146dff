//! Tests `.qemu` files: the arguments for QEMU, and errors in the files.

use std::fs;

use crate::bench::{BOOT, Bench, check};

/// A fake QEMU that prints its arguments as lines of the system.
const SHOWS_ARGUMENTS: &str = "for word in \"$@\"; do echo \"<$word>\"; done; exec sleep 100";

#[test]
fn a_system_has_the_devices_of_its_file() {
    let bench = Bench::new();
    bench.system("hello");
    bench.file(
        "hello.expected",
        "re:.*if=none,id=disk0,format=raw,file=.* -device x,drive=disk0\n",
    );
    bench.file("hello.qemu", "# One.\ndisk: 4K\n-device x,drive=disk0\n");
    let qemu = format!("{BOOT}echo \"$@\"; exec sleep 100");
    let arguments = ["test", "hello.system", "--timeout", "4"];
    check(bench.with_qemu(&arguments, &qemu), true, &[]);
    let until = ["--until", "drive=disk0$", "--timeout", "4"];
    let arguments = [&["run", "hello.system"][..], &until].concat();
    check(bench.with_qemu(&arguments, &qemu), true, &[]);
}

#[test]
fn arguments_may_be_quoted_and_paths_are_relative_to_the_file() {
    let bench = Bench::new();
    bench.system("hello");
    for file in ["hello.system", "hello.elf"] {
        let place = bench.file(&format!("my systems/{file}"), "");
        fs::copy(bench.path(file), place).expect("a copy");
    }
    bench.file("my systems/disk.img", "x");
    bench.file(
        "my systems/hello.qemu",
        "disk: disk.img\ndisk-in-place: \"disk.img\"\n\
         -drive 'file=a b.img,if=none' -kernel vmlinux\n-append \"x  'y'\"\n",
    );
    let qemu = format!("{BOOT}{SHOWS_ARGUMENTS}");
    let arguments = ["run", "my systems/hello.system", "--until", "LAST>$"];
    let mut command = bench.with_qemu(&arguments, &qemu);
    // Arguments on the command line are unchanged: QEMU runs in the user's current folder.
    command.args(["--timeout", "4", "--", "-D", "here.log", "-name", "LAST"]);
    let log = check(command, true, &[]);
    let beside = bench.path("my systems");
    let beside = beside.display();
    for word in [
        &format!("<if=none,id=disk0,format=raw,snapshot=on,file={beside}/disk.img>"),
        &format!("<if=none,id=disk1,format=raw,file={beside}/disk.img>"),
        &format!("<file={beside}/a b.img,if=none>"),
        &format!("<{beside}/vmlinux>"),
        "<x  'y'>",
        "<here.log>",
    ] {
        assert!(log.lines().any(|line| line == word), "no {word} in:\n{log}");
    }
}

#[test]
fn an_error_in_the_file_is_reported_with_its_line() {
    let bench = Bench::new();
    bench.system("hello");
    bench.file("hello.expected", "x\n");
    let is_reported = |text: &str, parts: &[&str]| {
        bench.file("hello.qemu", text);
        for command in ["test", "run"] {
            check(
                bench.with_qemu(&[command, "hello.system"], BOOT),
                false,
                parts,
            );
        }
    };
    is_reported(
        "# One.\ndisk: some.img\n",
        &[
            "hello.qemu`, line 2",
            "some.img` cannot be read",
            "`disk: 64K`",
        ],
    );
    is_reported("disk: 1000\n", &["line 1", "not the size of a disk"]);
    is_reported("\n-append 'x\n", &["line 2", "a quote"]);
    is_reported("virtio\n", &["line 1", "neither a disk nor arguments"]);
}

#[test]
fn an_error_in_the_file_is_reported_before_the_build() {
    let bench = Bench::new();
    bench.system("hello");
    bench.file("hello.expected", "x\n");
    bench.file("hello.qemu", "disk: 1000\n");
    fs::remove_file(bench.path("hello.elf")).expect("the program");
    for command in ["test", "run"] {
        let command = bench.with_qemu(&[command, "hello.system"], BOOT);
        check(command, false, &["hello.qemu`, line 1"]);
    }
}
