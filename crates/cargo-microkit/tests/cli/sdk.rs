//! `sdk` and `doctor`: what is kept stays whole, whatever is to be added.

use std::fs;
use std::path::Path;

use crate::bench::{Bench, VERSION, check, elf, text};
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
        bench.microkit(&["sdk", "remove", VERSION]),
        false,
        &[VERSION, "there are none"],
    );
    check(
        bench.microkit(&["sdk", "remove"]),
        false,
        &["there are none"],
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
fn an_sdk_of_any_version_that_has_the_facts_is_taken_with_a_note() {
    let bench = Bench::new();
    bench.system("hello");
    let build = |version: &str, parts: &[&str]| {
        let mut command = bench.microkit(&["build", "hello.system", "--sdk"]);
        command.arg(bench.sdk(version));
        let image = check(command, true, parts);
        let image = text(Path::new(image.trim_end()));
        assert!(image.starts_with("image of"), "{image}");
    };
    for version in ["2.3.1", "2.4.0-dev", "3.0.0", "main"] {
        build(version, &[version, "not been tested", VERSION]);
    }
    let mut command = bench.microkit(&["build", "hello.system", "--sdk"]);
    command.arg(bench.sdk(VERSION));
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !said.contains("tested"),
        "{said}"
    );
}

#[test]
fn an_error_names_each_fact_that_differs() {
    let bench = Bench::new();
    bench.system("hello");
    let sdk = bench.sdk("2.9.0");
    let debug = sdk.join("board/qemu_virt_aarch64/debug");
    let refused = |parts: &[&str]| {
        let parts = [&["2.9.0", "qemu_virt_aarch64", "debug"], parts].concat();
        for command in [
            &["build", "hello.system"][..],
            &["run", "hello.system"],
            &["check", "hello.system", "--kernel", "sel4"],
            &["doctor"],
            &["sdk", "add"],
        ] {
            let mut microkit = bench.microkit(command);
            if command[0] != "sdk" {
                microkit.arg("--sdk");
            }
            microkit.arg(&sdk);
            check(microkit, false, &parts);
        }
        assert!(!bench.path("home/sdk/microkit-sdk-2.9.0").exists());
    };
    let change = |file: &str, from: &str, to: &str, parts: &[&str]| {
        let before = text(&debug.join(file));
        assert!(before.contains(from), "{file}: {before}");
        fs::write(debug.join(file), before.replace(from, to)).expect("the file");
        refused(&[&[file], parts].concat());
        fs::write(debug.join(file), before).expect("the file");
    };
    let header = "include/microkit.h";
    let both = ["`BASE_ENDPOINT_CAP` is 80", "needs 74"];
    change(
        header,
        "BASE_ENDPOINT_CAP 74",
        "BASE_ENDPOINT_CAP 80",
        &both,
    );
    change(
        header,
        "#define BASE_TCB_CAP",
        "#define BASE_TCBS",
        &["BASE_TCB_CAP", "202"],
    );
    let configuration = "include/kernel/gen_config.json";
    let mcs = ["`KERNEL_MCS` off"];
    change(
        configuration,
        "\"KERNEL_MCS\": true",
        "\"KERNEL_MCS\": false",
        &mcs,
    );
    change(
        configuration,
        "\"256\"",
        "\"128\"",
        &["`NUM_PRIORITIES` is 128", "256"],
    );
    change(
        "include/sel4/shared_types.pbf",
        "length 7",
        "length 8",
        &["`length` is 8"],
    );
    change(
        "include/sel4/constants.h",
        "120",
        "60",
        &["`seL4_MsgMaxLength` is 60"],
    );
    change(
        "include/api/syscall.xml",
        "\"NBWait\"",
        "\"NBWaits\"",
        &["system call `NBWait`"],
    );
    let labels = "invocations_all.json";
    change(
        labels,
        "\"IRQAckIRQ\"",
        "\"IRQAck\"",
        &["invocation `IRQAckIRQ`"],
    );
    let faults = "include/sel4/sel4_arch/types.pbf";
    change(
        faults,
        "tag VMFault",
        "tag MemoryFault",
        &["fault `VMFault`"],
    );
    let addresses = "address_space_constants.json";
    change(
        addresses,
        "vspace_user_top",
        "user_top",
        &["`vspace_user_top`"],
    );
    change(
        "lib/libmicrokit.a",
        "microkit_pps",
        "microkit_ppc",
        &["symbol `microkit_pps`"],
    );
    let board = "platform_gen.json";
    change(board, "memory", "ram", &["cannot be read"]);
    fs::remove_file(debug.join(header)).expect("the file");
    refused(&[header, "cannot be read"]);
}

#[test]
fn boards_of_other_machines_are_kept_and_not_built_for() {
    let bench = Bench::new();
    bench.system("hello");
    let sdk = bench.sdk("2.3.1");
    let other = "sdk/board/qemu_virt_riscv64/debug";
    let configuration = "{\"ARCH_AARCH64\": false, \"KERNEL_MCS\": true}";
    bench.file(
        &format!("{other}/include/kernel/gen_config.json"),
        configuration,
    );
    check(bench.microkit(&["sdk", "add", "sdk"]), true, &[]);
    check(
        bench.microkit(&["sdk", "list"]),
        true,
        &["`qemu_virt_riscv64`"],
    );
    let mut command = bench.microkit(&["build", "hello.system", "--sdk"]);
    command.arg(sdk).args(["--board", "qemu_virt_riscv64"]);
    check(command, false, &["`qemu_virt_riscv64`", "not for AArch64"]);
}

#[test]
fn the_tool_is_run_before_an_sdk_is_said_to_be_good() {
    let bench = Bench::new();
    bench.system("hello");
    let sdk = bench.sdk(VERSION);
    let tool = bench.path("sdk/bin/microkit");
    let refused = |parts: &[&str]| {
        for command in [&["doctor", "--sdk"][..], &["sdk", "add"]] {
            let mut microkit = bench.microkit(command);
            microkit.arg(&sdk);
            check(microkit, false, parts);
        }
        assert!(
            !bench
                .path("home/sdk")
                .join(format!("microkit-sdk-{VERSION}"))
                .exists()
        );
    };
    let mut foreign = elf(None);
    for (machine, name) in [
        (183_u16, "aarch64"),
        (62, "x86_64"),
        (243, "another machine"),
    ] {
        if name != std::env::consts::ARCH {
            foreign[18..20].copy_from_slice(&machine.to_le_bytes());
            fs::write(&tool, &foreign).expect("the tool");
            refused(&["bin/microkit", name, std::env::consts::ARCH]);
        }
    }
    fs::write(&tool, "\u{cf}").expect("the tool");
    refused(&["bin/microkit", "cannot be started"]);
    bench.script(
        "sdk/bin/microkit",
        "#!/bin/sh\necho no such library >&2\nexit 127\n",
    );
    refused(&["does not work on this machine", "no such library"]);
    bench.script("sdk/bin/microkit", "#!/bin/sh\necho hello\n");
    refused(&["does not work on this machine", "another program"]);
    bench.script("sdk/bin/microkit", "#!/bin/sh\nkill -9 $$\n");
    refused(&["does not work on this machine", "signal: 9"]);
    let not_executable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&tool, not_executable).expect("its mode");
    refused(&["may not be executed"]);
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

    let parts = ["`sdk/board`", "../boards", "not there"];
    check(bench.microkit(&["sdk", "add", "sdk"]), false, &parts);
    fs::remove_file(sdk.join("board")).expect("the link");
    fs::create_dir_all(sdk.join("board/b/debug")).expect("a board");
    symlink("..", sdk.join("bin/up")).expect("a link");
    check(
        bench.microkit(&["sdk", "add", "sdk"]),
        false,
        &["sdk/bin/up", "folder that it is in"],
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
fn several_sdks_are_kept_and_one_is_named_by_its_version() {
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
        .filter(|line| line.contains("taken"))
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
        &["say which", "3 are kept"],
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
fn a_failure_of_the_tool_is_not_said_to_be_a_mistake_in_the_system_file() {
    let bench = Bench::new();
    bench.system("hello");
    let sdk = bench.sdk(VERSION);
    let build = |script: &str, parts: &[&str]| {
        bench.script("sdk/bin/microkit", &format!("#!/bin/sh\n{script}\n"));
        let mut command = bench.microkit(&["build", "hello.system", "--sdk"]);
        command.arg(&sdk);
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{said}");
        for part in parts {
            assert!(said.contains(part), "no `{part}` in {said}");
        }
        said
    };
    let panic = "echo \"thread 'main' (7) panicked at tool/src/loader.rs:299:17:\" >&2\n\
        echo 'Overlapping regions: [70000000..7000d010) overlaps' >&2\n\
        printf 'stack backtrace:\\n   0: rust_begin_unwind\\n' >&2\nexit 101";
    let parts = [
        "the tool of the Microkit SDK failed",
        "Overlapping regions",
        "loader.rs:299",
    ];
    let said = build(panic, &parts);
    assert!(
        !said.contains("change `") && !said.contains("rust_begin_unwind"),
        "{said}"
    );
    let parts = ["the tool of the Microkit SDK failed", "signal: 11"];
    build("kill -SEGV $$", &parts);
    build("exit 1", &["the tool of the Microkit SDK failed"]);
    build("exit 0", &["without an image"]);
}

#[test]
fn a_program_that_is_stripped_or_without_a_runtime_is_named_on_both_kernels() {
    let bench = Bench::new();
    bench.system("hello");
    let sdk = bench.sdk(VERSION);
    let whole = elf(None);
    let refused = |program: Vec<u8>, what: &str| {
        bench.file("hello.elf", program);
        for kernel in ["sel4", "model"] {
            let mut command = bench.microkit(&["build", "hello.system", "--kernel", kernel]);
            command.arg("--sdk").arg(&sdk);
            check(
                command,
                false,
                &["`hello.elf`, the program of `hello`", what],
            );
        }
    };
    let mut stripped = whole.clone();
    stripped[40..48].fill(0);
    stripped[60..64].fill(0);
    refused(stripped, "has no symbol table");
    let replaced = |from: &str, to: &str| {
        let mut program = whole.clone();
        let places: Vec<_> = (0..program.len() - from.len())
            .filter(|&place| &program[place..place + from.len()] == from.as_bytes())
            .collect();
        for place in places {
            program[place..place + to.len()].copy_from_slice(to.as_bytes());
        }
        program
    };
    refused(
        replaced("microkit_", "Microkit_"),
        "no symbol of a Microkit runtime",
    );
    refused(
        replaced("microkit_pps", "Microkit_pps"),
        "no symbol `microkit_pps`",
    );
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
    // A variable is the default of the other commands.
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
