//! Tests the search for a system's programs: in projects, files, and C sources.

use std::path::Path;

use crate::bench::{Bench, PROGRAM, VERSION, check, elf, system_text};

/// A program that does not compile.
const BROKEN: &str = "#![no_std] fn main() { not_there() }";

impl Bench {
    /// Makes a package in this folder, with a binary `say` and a system that runs `say`.
    fn package(&self, folder: &str, program: &str) {
        let name = Path::new(folder).file_name().expect("a name");
        let name = name.to_str().expect("UTF-8");
        let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[workspace]\n");
        self.file(&format!("{folder}/Cargo.toml"), manifest);
        self.file(&format!("{folder}/src/bin/say.rs"), program);
        self.file(
            &format!("{folder}/{name}.system"),
            system_text(name, "say.elf"),
        );
    }

    /// Runs the tool in this folder with the fake SDK.
    #[track_caller]
    fn in_folder(
        &self,
        folder: &str,
        arguments: &[&str],
        is_success: bool,
        parts: &[&str],
    ) -> String {
        let mut command = self.microkit(arguments);
        command.current_dir(self.path(folder));
        command.arg("--sdk").arg(self.sdk(VERSION));
        check(command, is_success, parts)
    }
}

#[test]
fn programs_come_from_the_package_of_the_system_file() {
    let bench = Bench::new();
    bench.package("here", BROKEN);
    bench.package("there", PROGRAM);
    let there = "../there/there.system";
    let image = bench.in_folder("here", &["build", there], true, &[]);
    let target = bench
        .path("there/target")
        .canonicalize()
        .expect("it was made");
    assert!(Path::new(image.trim_end()).starts_with(target), "{image}");
    bench.in_folder("here", &["check", there], true, &["there: in order"]);
    bench.in_folder("here", &["graph", there], true, &["<svg"]);
    // From `there`, the system of `here` builds the broken program of `here`.
    let parts = ["could not build the binary `say`"];
    bench.in_folder("there", &["build", "../here/here.system"], false, &parts);
}

#[test]
fn systems_of_two_packages_get_their_own_programs() {
    let bench = Bench::new();
    bench.package("one", PROGRAM);
    bench.package("two", &PROGRAM.replace("loop {}", "loop { continue }"));
    bench.package("broken", BROKEN);
    let systems = ["../one/one.system", "../two/two.system"];
    let arguments = [&["check"][..], &systems].concat();
    let parts = ["one: in order", "two: in order"];
    bench.in_folder("broken", &arguments, true, &parts);
    for package in ["one", "two"] {
        assert!(bench.path(package).join("target/microkit").is_dir());
    }

    let host = "[dev-dependencies]\nmicrokit-test = { path = \"../microkit-test\" }\n";
    bench.file(
        "microkit-test/Cargo.toml",
        "[package]\nname = \"microkit-test\"\nedition = \"2024\"\n\n[workspace]\n",
    );
    bench.file("microkit-test/src/lib.rs", "");
    for package in ["one", "two", "broken"] {
        let manifest = bench.path(package).join("Cargo.toml");
        let text = crate::bench::text(&manifest);
        std::fs::write(&manifest, format!("{text}\n{host}")).expect("the manifest");
    }
    let arguments = [&["test", "--list"][..], &systems].concat();
    let list = bench.in_folder("broken", &arguments, true, &[]);
    let expect = "one (host)\ntwo (host)\none (sel4 debug, dev)\ntwo (sel4 debug, dev)\n";
    assert_eq!(list, expect);
}

#[test]
fn a_package_on_the_path_to_the_system_file_is_not_used() {
    let bench = Bench::new();
    bench.package("here", BROKEN);
    bench.package("there", PROGRAM);
    let system = "../here/../there/there.system";
    bench.in_folder("here", &["build", system], true, &[]);
    // A symbolic link to the folder gives the same result.
    std::os::unix::fs::symlink(bench.path("there"), bench.path("here/link")).expect("a link");
    bench.in_folder("here", &["build", "link/there.system"], true, &[]);
    // A package with an invalid manifest also has no effect.
    bench.file("here/Cargo.toml", "nonsense");
    bench.in_folder("here", &["build", system], true, &[]);
}

#[test]
fn a_system_file_outside_a_package_gets_the_programs_of_the_current_folder() {
    let bench = Bench::new();
    bench.package("here", PROGRAM);
    bench.file("made/x.system", system_text("x", "say.elf"));
    bench.in_folder("here", &["build", "../made/x.system"], true, &[]);
    let parts = ["`say.elf`", "the current folder is not in one"];
    bench.in_folder("made", &["build", "x.system"], false, &parts);
}

#[test]
fn a_file_of_a_search_path_comes_before_a_binary() {
    let bench = Bench::new();
    bench.package("here", PROGRAM);
    for place in ["dir/say.elf", "here/say.elf", "other/sub/say.elf"] {
        bench.file(place, elf(None));
    }
    let verbose = ["build", "here.system", "--verbose"];
    let build = |more: &[&str], parts: &[&str]| {
        bench.in_folder("here", &[&verbose, more].concat(), true, parts);
    };
    // Without `--search-path`, the binary takes precedence.
    build(&[], &["Program `say.elf`: the binary `say` of `", "/here`"]);
    let dir = &["Program `say.elf`: the file `", "/dir/say.elf`"];
    build(&["--search-path", "../dir"], dir);
    let named = ["--search-path", "../other", "--search-path", "../dir"];
    build(&named, dir);
    let own = ["Program `say.elf`: the file `", "/here/say.elf`"];
    build(&["--search-path", "."], &own);
    // `check --elf` also prints the source of each program.
    let arguments = ["check", "here.system", "--elf", "../dir", "--verbose"];
    let parts = ["Program `say.elf`: the file `../dir/say.elf`"];
    bench.in_folder("here", &arguments, true, &parts);
}

#[test]
fn a_search_path_decides_between_two_binaries_with_the_same_name() {
    let bench = Bench::new();
    bench.file(
        "Cargo.toml",
        "[workspace]\nmembers = [\"p/*\"]\nresolver = \"3\"\n",
    );
    for package in ["one", "two"] {
        let manifest = format!("[package]\nname = \"{package}\"\nedition = \"2024\"\n");
        bench.file(&format!("p/{package}/Cargo.toml"), manifest);
        bench.file(&format!("p/{package}/src/bin/say.rs"), PROGRAM);
    }
    bench.file("x.system", system_text("x", "say.elf"));
    let parts = ["binary `say`", "`one`", "`two`", "--search-path"];
    bench.in_folder("", &["build", "x.system"], false, &parts);
    bench.file("built/say.elf", elf(None));
    let arguments = ["build", "x.system", "--search-path", "built"];
    bench.in_folder("", &arguments, true, &[]);
}

#[test]
fn the_image_has_the_program_of_the_search_path() {
    let bench = Bench::new();
    bench.package("here", PROGRAM);
    let by_hand = elf(Some("qemu_virt_aarch64/debug"));
    bench.file("dir/say.elf", &by_hand);
    let arguments = ["build", "here.system", "--search-path", "../dir"];
    let image = bench.in_folder("here", &arguments, true, &[]);
    let program = Path::new(image.trim_end()).with_file_name("say.elf");
    assert_eq!(std::fs::read(program).expect("the program"), by_hand);
}

impl Bench {
    /// Builds a system in this folder with the fake C compiler.
    #[track_caller]
    fn build_c(&self, folder: &str, system: &str, is_success: bool, parts: &[&str]) -> String {
        let mut command = self.microkit(&["build", system, "--verbose"]);
        command.current_dir(self.path(folder));
        command.env("CC_aarch64_unknown_none", self.compiler("cc"));
        command.arg("--sdk").arg(self.sdk(VERSION));
        check(command, is_success, parts)
    }

    /// Writes a system with a PD for each program.
    fn system_of(&self, file: &str, programs: &[&str]) {
        let pds = programs.iter().enumerate().map(|(number, path)| {
            format!(
                "<protection_domain name=\"pd{number}\">\
                 <program_image path=\"{path}\" /></protection_domain>"
            )
        });
        self.file(
            file,
            format!("<system>{}</system>", pds.collect::<String>()),
        );
    }
}

/// The packer finds each program in its first search path.
#[test]
fn a_c_program_outside_the_system_files_folder_is_built_and_found() {
    let bench = Bench::new();
    bench.file("lib/cprog.c", "");
    bench.file("lib/a/same.c", "");
    bench.file("lib/b/same.c", "");
    let programs = [
        "../lib/cprog.elf",
        "../lib/a/same.elf",
        "../lib/b/same.elf",
        "near.elf",
    ];
    bench.file("systems/near.c", "");
    bench.system_of("systems/x.system", &programs);
    let image = bench.build_c(
        "systems",
        "x.system",
        true,
        &["cprog.c", "a/same.c", "b/same.c"],
    );
    let below = bench
        .path("systems")
        .join(image.trim_end())
        .with_file_name("below");
    for program in programs {
        assert!(below.join(program).is_file(), "{program}");
    }

    // The paths go up two levels, go through a subfolder, and name an existing file.
    bench.file("lib/there.elf", elf(None));
    bench.file("systems/deep/sub/other", "");
    let programs = ["sub/../../../lib/cprog.elf", "../../lib/there.elf"];
    bench.system_of("systems/deep/y.system", &programs);
    bench.build_c("", "systems/deep/y.system", true, &["lib/cprog.c"]);
}

#[test]
fn an_elf_file_comes_before_a_c_program_of_the_same_name() {
    let bench = Bench::new();
    bench.file("lib/cprog.c", "");
    bench.system_of("systems/x.system", &["../lib/cprog.elf"]);
    let image = bench.build_c("systems", "x.system", true, &[]);
    let there = elf(Some("qemu_virt_aarch64/debug"));
    bench.file("lib/cprog.elf", &there);
    bench.build_c("systems", "x.system", true, &["the file `"]);
    let image = bench.path("systems").join(image.trim_end());
    let packed = image.with_file_name("below").join("../lib/cprog.elf");
    assert_eq!(std::fs::read(packed).expect("the program"), there);
}

#[test]
fn a_c_program_with_an_absolute_path_is_refused_with_what_to_write() {
    let bench = Bench::new();
    bench.file("lib/cprog.c", "");
    let path = bench.path("lib/cprog.elf");
    let path = path.to_str().expect("UTF-8");
    bench.system_of("x.system", &[path]);
    let parts = ["PD `pd0`", "not to an absolute path", "path=\"../c/x.elf\""];
    bench.build_c("", "x.system", false, &parts);
    bench.file("lib/cprog.elf", elf(None));
    bench.build_c("", "x.system", true, &[]);
}

/// Returns a Cargo configuration that sets a `cfg`. A program checks for this `cfg`.
fn sets(cfg: &str) -> String {
    format!("[build]\nrustflags = [\"--cfg={cfg}\"]\n")
}

fn holds(condition: &str) -> String {
    let error = format!("#[cfg(not({condition}))] compile_error!(\"not {condition}\");");
    format!("#![allow(unexpected_cfgs)]\n{PROGRAM}{error}\n")
}

#[test]
fn cargo_runs_in_the_current_folder_in_the_same_workspace() {
    let bench = Bench::new();
    bench.file(
        "Cargo.toml",
        "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"3\"\n",
    );
    for package in ["one", "two"] {
        let manifest = format!("[package]\nname = \"{package}\"\nedition = \"2024\"\n");
        bench.file(&format!("{package}/Cargo.toml"), manifest);
        bench.file(&format!("{package}/src/lib.rs"), "#![no_std]");
    }
    bench.file("one/src/bin/say.rs", holds("two"));
    bench.file("two/.cargo/config.toml", sets("two"));
    bench.file("one/x.system", system_text("x", "say.elf"));
    bench.file("microkit-systems/named.system", system_text("x", "say.elf"));
    bench.in_folder("two", &["build", "../one/x.system"], true, &[]);
    bench.in_folder("two", &["build", "named"], true, &[]);
    bench.in_folder("one", &["build", "x.system"], false, &["not two"]);

    // Relative paths in the environment are relative to the current folder.
    let mut command = bench.microkit(&["build", "named", "--sdk"]);
    command
        .arg(bench.sdk(VERSION))
        .current_dir(bench.path("two"));
    command.env("CARGO_TARGET_DIR", "out");
    check(command, true, &["/two/out/microkit/"]);
}

#[test]
fn cargo_runs_in_the_folder_of_a_system_file_in_another_workspace() {
    let bench = Bench::new();
    bench.package("here", PROGRAM);
    bench.package("here/inner", &holds("inner"));
    bench.package("there", &holds("all(there, not(here))"));
    for package in ["here", "here/inner", "there"] {
        let name = Path::new(package).file_name().expect("a name");
        let name = name.to_str().expect("UTF-8");
        bench.file(&format!("{package}/.cargo/config.toml"), sets(name));
    }
    bench.in_folder("here", &["build", "../there/there.system"], true, &[]);
    // The system is in a workspace inside another workspace.
    bench.in_folder("here", &["build", "inner/inner.system"], true, &[]);
    bench.in_folder("here/inner", &["build", "../here.system"], true, &[]);
}

#[test]
fn a_target_whose_core_library_cargo_builds_need_not_be_installed() {
    let bench = Bench::new();
    bench.package("here", PROGRAM);
    let rustc = "#!/bin/sh\n[ \"$2\" != target-libdir ] || { echo /nowhere; exit; }\n\
        exec rustc \"$@\"\n";
    let rustc = bench.script("rustc-without-target", rustc);
    let build = |is_configured: bool| {
        // A fake of nightly Cargo. Only nightly Cargo has this command.
        let answer = if is_configured { "exit 0" } else { "exit 1" };
        let cargo = env!("CARGO");
        let script = format!("#!/bin/sh\ncase \"$*\" in *unstable.build-std*) {answer} ;; esac\n");
        bench.script("bin/cargo", &format!("{script}exec {cargo} \"$@\"\n"));
        let mut command = bench.microkit(&["build", "here/here.system", "--no-install", "--sdk"]);
        command.arg(bench.sdk(VERSION)).env("RUSTC", &rustc);
        let path = std::env::var_os("PATH").expect("there is one");
        let paths = std::iter::once(bench.path("bin")).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(paths).expect("paths"));
        let output = command.output().expect("it runs");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = build(false);
    assert!(said.contains("rustup target add"), "{said}");
    let said = build(true);
    assert!(!said.contains("rustup target add"), "{said}");
}

#[test]
fn a_search_path_that_is_not_a_folder_is_an_error() {
    let bench = Bench::new();
    bench.package("here", PROGRAM);
    for (path, what) in [
        ("givne", "does not exist"),
        ("Cargo.toml", "is not a folder"),
    ] {
        let arguments = ["build", "here.system", "--search-path", path];
        bench.in_folder("here", &arguments, false, &[path, what]);
    }
}
