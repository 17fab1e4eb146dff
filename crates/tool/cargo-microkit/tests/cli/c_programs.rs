//! Tests C programs: sources, headers, flags, and the choice of the compiler.

use std::process::Command;

use crate::bench::{Bench, PROGRAM, VERSION, check, system_text};

impl Bench {
    /// Builds `x.system` with these environment variables. The system runs the program `x.elf`.
    #[track_caller]
    fn build_x(&self, environment: &[(&str, &str)], is_success: bool, parts: &[&str]) {
        self.file("x.system", system_text("x", "x.elf"));
        let mut command: Command = self.microkit(&["build", "x.system", "--verbose"]);
        command.env("CC_aarch64_unknown_none", self.compiler("cc"));
        for (name, value) in environment {
            command.env(name, value);
        }
        command.arg("--sdk").arg(self.sdk(VERSION));
        check(command, is_success, parts);
    }
}

#[test]
fn a_folder_of_sources_is_one_program() {
    let bench = Bench::new();
    for file in ["x/main.c", "x/helper.c", "x/start.S", "x/include/helper.h"] {
        bench.file(file, "");
    }
    let parts = [
        "Program `x.elf`: compiled from `",
        "/x/helper.c>",
        "/x/main.c>",
        "/x/start.S>",
        "/x><-I>",
        "/x/include><-I>",
    ];
    bench.build_x(&[], true, &parts);
    bench.file("x.c", "");
    let parts = ["from the file `", "/x.c`", "in the folder `", "/x`"];
    bench.build_x(&[], false, &parts);
}

#[test]
fn headers_of_a_single_file_are_in_include_beside_it() {
    let bench = Bench::new();
    bench.file("x.c", "");
    bench.file("include/x.h", "");
    bench.build_x(&[], true, &["<-I>", "/include><-I>", "/x.c>"]);
}

#[test]
fn a_table_of_a_manifest_lists_sources_headers_and_flags() {
    let bench = Bench::new();
    bench.file("c/src/a.c", "");
    bench.file("c/src/b.c", "");
    bench.file("c/more.c", "");
    bench.file("c/inc/x.h", "");
    let table = "sources = [\"c/src\", \"c/more.c\"]\ninclude = [\"c/inc\"]\n\
                 flags = [\"-DNAME=\\\"two words\\\"\", \"-O2\"]\n";
    let manifest = format!("[workspace]\n\n[workspace.metadata.microkit.c.x]\n{table}");
    bench.file("Cargo.toml", &manifest);
    let parts = [
        "/c/src/a.c>",
        "/c/src/b.c>",
        "/c/more.c>",
        "/c/inc><-I>",
        "<-DNAME=\"two words\"><-O2>",
    ];
    bench.build_x(&[], true, &parts);

    let package = "[package]\nname = \"x\"\nedition = \"2024\"\n";
    let table = format!("{package}\n[package.metadata.microkit.c.x]\n{table}");
    bench.file("Cargo.toml", &table);
    bench.file("src/lib.rs", "#![no_std]");
    bench.build_x(&[], true, &parts);
    // A binary with the same name makes the name ambiguous.
    bench.file("src/main.rs", PROGRAM);
    let parts = ["the binary `x`", "[package.metadata.microkit.c.x]"];
    bench.build_x(&[], false, &parts);

    std::fs::remove_file(bench.path("src/main.rs")).expect("the binary");
    bench.file("Cargo.toml", table.replace("c/more.c", "c/moar.c"));
    let parts = ["[package.metadata.microkit.c.x]", "Cargo.toml", "c/moar.c`"];
    bench.build_x(&[], false, &parts);
    bench.file("Cargo.toml", table.replace("sources", "files"));
    bench.build_x(&[], false, &["unknown field `files`"]);
    let twice = format!("{table}\n[workspace.metadata.microkit.c.x]\nsources = [\"c/more.c\"]\n");
    bench.file("Cargo.toml", twice);
    let parts = ["more than one table", "[workspace.metadata.microkit.c.x]"];
    bench.build_x(&[], false, &parts);
}

#[test]
fn the_compilers_variable_may_have_arguments_and_a_wrapper() {
    let bench = Bench::new();
    bench.file("x.c", "");
    let gcc = bench.compiler("gcc");
    let gcc = gcc.to_str().expect("UTF-8");
    let build = |value: &str, part: &str| {
        bench.build_x(&[("CC_aarch64_unknown_none", value)], true, &[part]);
    };
    build(
        &format!("{gcc} -Iinclude  -g0"),
        "<gcc><-Iinclude><-g0><-std=gnu11>",
    );
    bench.script("ccache", "#!/bin/sh\nexec \"$@\"\n");
    let ccache = bench.path("ccache");
    build(
        &format!("{} {gcc} -g0", ccache.display()),
        "<gcc><-g0><-std=gnu11>",
    );
    let with_blank = bench.compiler("my tools/my gcc");
    build(with_blank.to_str().expect("UTF-8"), "<my gcc><-std=gnu11>");

    let fails = ("CC_aarch64_unknown_none", "no-such-gcc -O2");
    let parts = ["the C compiler `no-such-gcc` cannot be started"];
    bench.build_x(&[fails], false, &parts);
    // The variable of the target takes precedence. The variable for the host is ignored.
    let gcc_of_target = ("CC_aarch64-unknown-none", gcc);
    let environment = [fails, gcc_of_target, ("CC", "no-such-cc")];
    bench.build_x(&environment, true, &["<gcc><-std=gnu11>"]);
}

#[test]
fn flags_of_the_environment_come_last() {
    let bench = Bench::new();
    bench.file("x.c", "");
    let flags = ("CFLAGS_aarch64_unknown_none", " -O1  -DA=1 ");
    let less_specific = ("TARGET_CFLAGS", "-O0");
    let of_this_machine = ("CFLAGS", "-march=native");
    let parts = ["<-O0><-O1><-DA=1><", "/x.c><-o>"];
    bench.build_x(&[flags, less_specific, of_this_machine], true, &parts);
}
