//! Tests the outputs and errors of `build`.

use std::fs;

use crate::bench::{Bench, PROGRAM, VERSION, check, elf, system_text, text};

#[test]
fn the_image_and_the_report_are_written_to_the_given_paths() {
    let bench = Bench::new();
    bench.system("hello");
    let sdk = bench.sdk(VERSION);
    let mut command = bench.microkit(&["build", "hello.system"]);
    command.env("MICROKIT_SDK", &sdk);
    let image = check(command, true, &[]);
    assert_eq!(text(image.trim_end().as_ref()), "image of hello.system\n\0");

    // The arguments include `microkit`, as from Cargo, and all output paths.
    let mut command = bench.microkit(&["microkit", "build", "./hello.system", "-o", "a.img"]);
    command.args(["--report", "r.txt", "--sdk"]).arg(&sdk);
    assert_eq!(check(command, true, &[]), "a.img\n");
    assert_eq!(text(&bench.path("a.img")), "image of ./hello.system\n\0");
    assert_eq!(text(&bench.path("r.txt")), "report\n");
}

#[test]
fn without_an_sdk_the_help_says_how_to_get_one() {
    let bench = Bench::new();
    bench.system("hello");
    let parts = [VERSION, "MICROKIT_SDK is not set", "cargo microkit sdk add"];
    check(bench.microkit(&["build", "hello.system"]), false, &parts);
}

#[test]
fn the_model_kernel_is_for_one_board_and_configuration() {
    let bench = Bench::new();
    bench.system("hello");
    let build = |options: &[&str]| {
        let arguments = [&["build", "hello.system", "--kernel", "model"], options].concat();
        let parts = ["the model kernel is for", "cargo microkit sdk add"];
        check(bench.microkit(&arguments), false, &parts);
    };
    build(&["--config", "release"]);
    build(&["--board", "rpi4b_1gb"]);
}

#[test]
fn a_system_that_the_model_kernel_cannot_run_is_refused_with_its_line() {
    let bench = Bench::new();
    let text = "<system>\n<protection_domain name=\"pd\" smc=\"true\">\n\
                <program_image path=\"pd.elf\" />\n</protection_domain>\n</system>\n";
    bench.file("smc.system", text);
    bench.file("pd.elf", elf(None));
    let parts = ["SMC", "pd", "smc.system:2"];
    check(
        bench.microkit(&["build", "smc.system", "--kernel", "model"]),
        false,
        &parts,
    );
}

#[test]
fn every_error_in_a_system_file_is_reported_at_once_for_the_model_kernel() {
    let bench = Bench::new();
    let text = "<system>\n<protection_domain name=\"a\" priority=\"255\">\n\
                <program_image path=\"a.elf\" />\n</protection_domain>\n\
                <memory_region name=\"m\" size=\"12\" />\n</system>\n";
    bench.file("bad.system", text);
    bench.file("a.elf", elf(None));
    let parts = ["2 errors", "priority", "bad.system:2", "bad.system:5"];
    check(
        bench.microkit(&["build", "bad.system", "--kernel", "model"]),
        false,
        &parts,
    );
}

#[test]
fn an_sdk_that_is_named_must_be_usable() {
    let bench = Bench::new();
    bench.system("hello");
    let build = |sdk: &str, options: &[&str], parts: &[&str]| {
        let mut command = bench.microkit(&["build", "hello.system", "--sdk", sdk]);
        command.args(options);
        check(command, false, parts);
    };
    build(
        "nowhere",
        &[],
        &["`nowhere` (from --sdk)", "no SDK is stored", "sdk add"],
    );
    build("./nowhere", &[], &["nowhere", "from --sdk", "VERSION"]);
    bench.sdk(VERSION);
    build(
        "sdk",
        &["--board", "qemu_virt_arm64"],
        &["`qemu_virt_arm64`", "`qemu_virt_aarch64`"],
    );
    build(
        "sdk",
        &["--config", "relaese"],
        &["`relaese`", "`release`", "`debug`"],
    );
    fs::remove_file(bench.path("sdk/bin/microkit")).expect("the tool");
    build("sdk", &[], &["bin/microkit"]);
}

#[test]
fn a_missing_or_invalid_system_is_an_error_that_names_it() {
    let bench = Bench::new();
    let sdk = bench.sdk(VERSION);
    bench.file("Cargo.toml", "[package]\nname = \"x\"\n");
    bench.file("src/main.rs", "");
    bench.file("microkit-systems/ping-pong.system", "<system>\n</system_>");
    bench.file("microkit-systems/hello.system", "<system/>");
    let build = |system: &str, parts: &[&str]| {
        let mut command = bench.microkit(&["build", system, "--sdk"]);
        command.arg(&sdk);
        check(command, false, parts);
    };
    build(
        "pingpong",
        &["`pingpong`", "did you mean `ping-pong`", "`hello`"],
    );
    build("no/such.system", &["no/such.system"]);
    build(
        "ping-pong",
        &["ping-pong.system", "the XML cannot be read", ":2:"],
    );
    build("src", &["`src`"]);
}

#[test]
fn a_missing_program_is_an_error_that_names_its_pd() {
    let bench = Bench::new();
    let sdk = bench.sdk(VERSION);
    bench.file("s.system", system_text("pinger", "ping.elf"));
    let build = |options: &[&str], is_success, parts: &[&str]| {
        let mut command = bench.microkit(&["build", "s.system", "--sdk"]);
        command.arg(&sdk).args(options);
        check(command, is_success, parts);
    };
    let parts = [
        "`ping.elf`",
        "PD `pinger`",
        "/elsewhere`",
        "--search-path",
        "cargo new ping",
    ];
    fs::create_dir(bench.path("elsewhere")).expect("the folder");
    build(&["--search-path", "elsewhere"], false, &parts);
    bench.file("elsewhere/ping.elf", elf(None));
    build(&["--search-path", "elsewhere"], true, &[]);
}

#[test]
fn the_tools_message_is_shown_and_the_old_image_is_unchanged() {
    let bench = Bench::new();
    let sdk = bench.sdk(VERSION);
    bench.system("hello");
    let build = |is_success, parts: &[&str]| {
        let mut command = bench.microkit(&["build", "hello.system", "-o", "hello.img", "--sdk"]);
        command.arg(&sdk);
        check(command, is_success, parts);
    };
    build(true, &[]);
    let before = text(&bench.path("hello.img"));
    bench.file(
        "hello.system",
        format!("<!-- refuse-me -->{}", system_text("hello", "hello.elf")),
    );
    let message = "Error: duplicate protection domain name 'ping'.";
    build(
        false,
        &[
            "Microkit refused",
            "`hello.system`",
            message,
            "Second line of the message.",
        ],
    );
    assert_eq!(text(&bench.path("hello.img")), before);
}

#[test]
fn a_program_for_another_kernel_or_none_is_refused() {
    let bench = Bench::new();
    let sdk = bench.sdk(VERSION);
    bench.system("hello");
    let build = |program: &[u8], is_success, parts: &[&str]| {
        bench.file("hello.elf", program);
        let mut command = bench.microkit(&["build", "hello.system", "--sdk"]);
        command.arg(&sdk);
        check(command, is_success, parts);
    };
    build(&elf(Some("qemu_virt_aarch64/debug")), true, &[]);
    let marks = [
        "hello.elf",
        "`qemu_virt_aarch64/release`",
        "`qemu_virt_aarch64/debug`",
    ];
    build(&elf(Some("qemu_virt_aarch64/release")), false, &marks);
    build(b"#!/bin/sh", false, &["hello.elf", "not an ELF file"]);
    let whole = elf(None);
    build(
        &whole[..whole.len() - 1],
        false,
        &["hello.elf", "truncated or damaged"],
    );
}

#[test]
fn programs_that_are_binaries_are_built_by_cargo() {
    let bench = Bench::new();
    let sdk = bench.sdk(VERSION);
    bench.file(
        "Cargo.toml",
        "[workspace]\nmembers = [\"p/*\"]\nresolver = \"3\"\n",
    );
    for (package, bin) in [("one", "ping"), ("two", "pong")] {
        let manifest = format!("[package]\nname = \"{package}\"\nedition = \"2024\"\n");
        bench.file(&format!("p/{package}/Cargo.toml"), manifest);
        bench.file(&format!("p/{package}/src/bin/{bin}.rs"), PROGRAM);
    }
    let pds = [("a", "ping.elf"), ("b", "sub/pong.elf")].map(|(name, path)| {
        format!(
            "<protection_domain name=\"{name}\"><program_image path=\"{path}\" /></protection_domain>"
        )
    });
    let system = format!("<system>{}</system>", pds.concat());
    bench.file("microkit-systems/pp.system", system);
    let build = |is_success, parts: &[&str]| {
        let mut command = bench.microkit(&["build", "pp", "--config", "release", "--release"]);
        command.args(["--no-install", "--sdk"]).arg(&sdk);
        check(command, is_success, parts)
    };
    let image = build(true, &[]);
    let directory = bench.path("target/microkit/qemu_virt_aarch64-release/systems/pp-sel4-release");
    assert_eq!(
        fs::canonicalize(image.trim_end()).ok(),
        directory.join("pp.img").canonicalize().ok()
    );
    for program in ["ping.elf", "sub/pong.elf"] {
        let program = fs::read(directory.join(program)).expect("the program");
        assert!(program.starts_with(b"\x7fELF"));
    }

    // Cargo's errors are shown, and the old image is unchanged.
    bench.file(
        "p/two/src/bin/pong.rs",
        "#![no_std] fn main() { not_there() }",
    );
    build(
        false,
        &[
            "cannot find function `not_there`",
            "could not build the binary `pong`",
        ],
    );
    assert!(directory.join("pp.img").is_file());

    bench.file("p/two/src/bin/ping.rs", PROGRAM);
    build(false, &["binary `ping`", "`one`", "`two`"]);
    fs::remove_file(bench.path("p/two/src/bin/ping.rs")).expect("the second of the name");
    bench.file("microkit-systems/pp.system", system_text("a", "pingg.elf"));
    build(
        false,
        &["`pingg.elf`", "PD `a`", "did you mean the binary `ping`"],
    );
}
