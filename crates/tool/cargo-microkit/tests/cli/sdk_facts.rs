//! Tests that the facts in an SDK's files decide whether the SDK is accepted. A crash of the SDK's
//! tool is reported differently from an error in a system file.

use std::fs;
use std::path::Path;

use crate::bench::{Bench, VERSION, check, elf, text};

#[test]
fn an_untested_version_that_fits_is_used_with_a_remark() {
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
    let both = ["`BASE_ENDPOINT_CAP` to 80", "requires 74"];
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
        &["`NUM_PRIORITIES` to 128", "256"],
    );
    change(
        "include/sel4/shared_types.pbf",
        "length 7",
        "length 8",
        &["`length` to 8"],
    );
    change(
        "include/sel4/constants.h",
        "120",
        "60",
        &["`seL4_MsgMaxLength` to 60"],
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
fn boards_for_other_architectures_are_stored_but_not_used() {
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
fn an_sdk_whose_tool_does_not_run_is_refused() {
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
    refused(&["does not work on this machine", "a different program"]);
    bench.script("sdk/bin/microkit", "#!/bin/sh\nkill -9 $$\n");
    refused(&["does not work on this machine", "signal: 9"]);
    let not_executable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&tool, not_executable).expect("its mode");
    refused(&["is not executable"]);
}

#[test]
fn a_failure_of_the_tool_is_not_reported_as_an_error_in_the_system_file() {
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
        !said.contains("correct `") && !said.contains("rust_begin_unwind"),
        "{said}"
    );
    let parts = ["the tool of the Microkit SDK failed", "signal: 11"];
    build("kill -SEGV $$", &parts);
    build("exit 1", &["the tool of the Microkit SDK failed"]);
    build("exit 0", &["made no image"]);
}

#[test]
fn the_tool_gets_its_own_sdk_for_any_value_of_the_variable() {
    let bench = Bench::new();
    bench.system("hello");
    let sdk = bench.sdk(VERSION);
    bench.script(
        "sdk/bin/microkit",
        "#!/bin/sh\necho \"in <$MICROKIT_SDK>\" >&2\nexit 1\n",
    );
    for variable in ["", "elsewhere"] {
        let mut command = bench.microkit(&["build", "hello.system", "--sdk"]);
        command.arg(&sdk).env("MICROKIT_SDK", variable);
        let folder = sdk.canonicalize().expect("it is there");
        check(command, false, &[&format!("in <{}>", folder.display())]);
    }
}

#[test]
fn a_program_without_symbols_or_runtime_is_refused_on_both_kernels() {
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
