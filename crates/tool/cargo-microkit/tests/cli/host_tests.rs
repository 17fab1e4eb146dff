//! Tests that host tests run on the host, for any target in the project's configuration.

use std::process::Command;

use crate::bench::{Bench, check};

impl Bench {
    /// Makes a package with a test that passes only on the host, and a system with its program.
    fn package_with_host_test(&self) {
        let manifest = "[package]\nname = \"blinker\"\nedition = \"2024\"\n\n\
                        [dev-dependencies]\nmicrokit-test = { path = \"microkit-test\" }\n\n[workspace]\n";
        self.file("Cargo.toml", manifest);
        let helper = "[package]\nname = \"microkit-test\"\nedition = \"2024\"\n";
        self.file("microkit-test/Cargo.toml", helper);
        self.file("microkit-test/src/lib.rs", "");
        self.file("blinker.expected", "x\n");
        self.system("blinker");
        let program = "#![cfg_attr(not(test), no_std)]\n#![cfg_attr(not(test), no_main)]\n\
                       #[cfg(not(test))] #[panic_handler]\n\
                       fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n\
                       #[test] fn it_is_a_host() { std::fs::metadata(\".\").unwrap(); }\n";
        self.file("src/main.rs", program);
    }
}

#[track_caller]
fn passes(bench: &Bench, change: impl FnOnce(&mut Command)) {
    let mut command = bench.microkit(&["test", "blinker.system"]);
    change(&mut command);
    check(command, true, &["ok   blinker (host)"]);
}

#[test]
fn a_target_in_the_configuration_does_not_affect_host_tests() {
    let bench = Bench::new();
    bench.package_with_host_test();
    passes(&bench, |_| {});
    bench.file(
        ".cargo/config.toml",
        "[build]\ntarget = \"aarch64-unknown-none\"\n",
    );
    passes(&bench, |_| {});
    bench.file(
        ".cargo/config.toml",
        "build.target = [\"aarch64-unknown-none\", \"aarch64-unknown-none-softfloat\"]\n",
    );
    passes(&bench, |_| {});
    std::fs::remove_file(bench.path(".cargo/config.toml")).expect("the configuration");
    passes(&bench, |command| {
        command.env("CARGO_BUILD_TARGET", "aarch64-unknown-none");
    });
}

#[test]
fn settings_for_the_pds_target_do_not_affect_host_tests() {
    let bench = Bench::new();
    bench.package_with_host_test();
    let config = "[build]\ntarget = \"aarch64-unknown-none\"\n\
                  [target.aarch64-unknown-none]\nrustflags = [\"-Ctarget-cpu=cortex-a53\"]\n\
                  runner = \"no-such-runner\"\n";
    bench.file(".cargo/config.toml", config);
    passes(&bench, |_| {});
}
