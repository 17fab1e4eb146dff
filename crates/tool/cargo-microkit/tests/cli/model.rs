//! Tests that the user's settings do not affect the build of the model kernel.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bench::{Bench, check, system_text};

/// Returns a program for the PDs' target, with the symbols that the packer writes.
fn source() -> String {
    let symbols = microkit_abi::symbols::ALL
        .map(|name| format!("#[used] #[unsafe(no_mangle)] static {name}: [u64; 8] = [1; 8];\n"));
    let program = "#![no_std]\n#![no_main]\n#![allow(non_upper_case_globals)]\n\
        #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n\
        #[unsafe(no_mangle)] extern \"C\" fn _start() -> ! { loop {} }\n";
    program.to_owned() + &symbols.concat()
}

/// User settings that break every build that reads these settings.
const SETTINGS: &str = r#"
paths = ["/nonexistent"]
[build]
rustc-wrapper = "/nonexistent/wrapper"
rustc-workspace-wrapper = "/nonexistent/wrapper"
rustflags = ["-Ctarget-cpu=nonsense"]
target = "nonsense"
target-dir = "/nonexistent/target"
[env]
RUSTC_BOOTSTRAP = "-1"
[profile.release]
panic = "nonsense"
strip = true
[profile.release.package."*"]
opt-level = 0
[target.aarch64-unknown-none]
linker = "/nonexistent/linker"
rustflags = ["-Ctarget-cpu=nonsense"]
[target."cfg(all())"]
rustflags = ["-Ctarget-cpu=nonsense"]
linker = "/nonexistent/linker"
"#;

/// Compiles a program to the file `pd.elf`, outside any project.
fn program(bench: &Bench) {
    let source = bench.file("pd.rs", source());
    let status = Command::new("rustc")
        .args(["--edition", "2024", "--target", "aarch64-unknown-none"])
        .args(["-Cpanic=abort", "-o"])
        .args([bench.path("pd.elf"), source])
        .status();
    assert!(status.expect("there is a rustc").success());
}

fn settings(bench: &Bench) {
    bench.file("cargo/config.toml", SETTINGS);
    bench.file(".cargo/config.toml", SETTINGS);
    bench.file(
        "rust-toolchain.toml",
        "[toolchain]\nchannel = \"nonsense\"\n",
    );
}

/// Returns the kernels in the cache with their modification times.
fn kernels(home: &Path) -> Vec<(String, std::time::SystemTime)> {
    let folder = home.join("model-kernel");
    let entries = fs::read_dir(folder).expect("it was made").flatten();
    let kernels = entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "elf"));
    let kernels = kernels.map(|entry| {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let name = entry.file_name().into_string().expect("UTF-8");
        (name, modified.expect("it has a time"))
    });
    kernels.collect()
}

#[test]
fn the_model_kernel_is_built_once_and_without_the_users_settings() {
    let bench = Bench::new();
    program(&bench);
    settings(&bench);
    let build = |name: &str| {
        bench.file(&format!("{name}.system"), system_text("pd", "pd.elf"));
        let file = format!("{name}.system");
        let mut command = bench.microkit(&["build", &file, "--kernel", "model"]);
        command
            .env("CARGO_HOME", bench.path("cargo"))
            .env("CARGO_BUILD_RUSTFLAGS", "-Ctarget-cpu=nonsense")
            .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-cpu=nonsense")
            .env("CARGO_INCREMENTAL", "nonsense")
            .env("CARGO_PROFILE_RELEASE_STRIP", "true")
            .env("CARGO_TARGET_AARCH64_UNKNOWN_NONE_LINKER", "/nonexistent")
            .env("CARGO_TARGET_DIR", bench.path("target of ours"))
            .env("RUSTC", "/nonexistent")
            .env("RUSTC_WRAPPER", "/nonexistent")
            .env("RUSTFLAGS", "-Ctarget-cpu=nonsense")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.spawn().expect("it starts")
    };
    // Two concurrent builds: the second process waits for the first.
    for child in [build("one"), build("two")] {
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
    let built = kernels(&bench.path("home"));
    assert_eq!(built.len(), 1, "{built:?}");
    // Changed or removed settings do not cause another build.
    let mut plain = bench.microkit(&["build", "one.system", "--kernel", "model"]);
    fs::remove_file(bench.path(".cargo/config.toml")).expect("the settings");
    fs::remove_file(bench.path("rust-toolchain.toml")).expect("the toolchain");
    assert!(plain.output().expect("it runs").status.success());
    assert_eq!(kernels(&bench.path("home")), built);
}

#[test]
fn an_invalid_configuration_of_cargo_is_an_error_that_names_it() {
    let bench = Bench::new();
    program(&bench);
    let config = bench.file("cargo/config.toml", "[http\n");
    bench.file("one.system", system_text("pd", "pd.elf"));
    let mut command = bench.microkit(&["build", "one.system", "--kernel", "model"]);
    command.env("CARGO_HOME", bench.path("cargo"));
    let path = config.display().to_string();
    crate::bench::check(command, false, &[&path, "not a valid Cargo configuration"]);
}

#[test]
fn the_version_names_the_program_and_its_model_kernel() {
    let program = format!("program: {}", env!("CARGO_BIN_EXE_cargo-microkit"));
    let parts = [&*program, "model kernel: ", "needs: Rust"];
    check(Bench::new().microkit(&["--version"]), true, &parts);
}
