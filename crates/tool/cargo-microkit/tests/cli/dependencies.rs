//! Tests the programs of dependencies: where they are found, and with which features they are
//! built.

use std::path::Path;
use std::process::Command;

use crate::bench::{Bench, PROGRAM, VERSION, check, elf, system_text};

/// The manifest of a driver with a binary `say`.
const DRIVER: &str = "[package]\nname = \"driver\"\nversion = \"1.2.3\"\nedition = \"2024\"\n\
                      [features]\nloud = []\n[[bin]]\nname = \"say\"\npath = \"src/main.rs\"\n";

/// Returns a program that compiles only if `condition` holds.
fn holds(condition: &str) -> String {
    format!("{PROGRAM}const _: [(); 1] = [(); ({condition}) as usize];\n")
}

impl Bench {
    /// Makes a package with a library and a program that compiles only if `condition` holds.
    fn driver(&self, folder: &str, manifest: &str, condition: &str) {
        self.file(&format!("{folder}/Cargo.toml"), manifest);
        self.file(&format!("{folder}/src/lib.rs"), "#![no_std]\n");
        self.file(&format!("{folder}/src/main.rs"), holds(condition));
    }

    /// Makes a package `app` without a program, with these lines at the end of its manifest, and a
    /// system that runs `say`.
    fn app(&self, folder: &str, lines: &str) {
        let name = Path::new(folder).file_name().expect("a name");
        let name = name.to_str().expect("UTF-8");
        let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n{lines}");
        self.file(&format!("{folder}/Cargo.toml"), manifest);
        self.file(&format!("{folder}/src/lib.rs"), "#![no_std]\n");
        self.file(&format!("{folder}/x.system"), system_text("say", "say.elf"));
    }

    /// Runs `build x.system --verbose` in a folder, with the fake SDK.
    #[track_caller]
    fn build_in(&self, folder: &str, options: &[&str], is_success: bool, parts: &[&str]) -> String {
        self.run_in(
            folder,
            &["build", "x.system", "--verbose"],
            options,
            is_success,
            parts,
        )
    }

    #[track_caller]
    fn run_in(
        &self,
        folder: &str,
        arguments: &[&str],
        options: &[&str],
        is_success: bool,
        parts: &[&str],
    ) -> String {
        let mut command = self.microkit(arguments);
        command.args(options).arg("--sdk").arg(self.sdk(VERSION));
        command.current_dir(self.path(folder));
        // Reports are wrapped at the width of the terminal.
        command.env("COLUMNS", "2000");
        check(command, is_success, parts)
    }
}

/// The root manifest of a workspace with its packages in `p`.
const WORKSPACE: &str = "[workspace]\nmembers = [\"p/*\"]\nresolver = \"3\"\n";

/// The line of `--verbose` about the program `say`.
const OF_DRIVER: &str = "Program `say.elf`: the binary `say` of the dependency `driver 1.2.3`";

#[test]
fn a_program_of_a_path_dependency_is_built_and_packed() {
    let bench = Bench::new();
    bench.driver("driver", DRIVER, "true");
    bench.app("app", "[dependencies]\ndriver = { path = \"../driver\" }\n");
    let image = bench.build_in("app", &[], true, &[OF_DRIVER]);
    let image = Path::new(image.trim_end());
    assert!(
        image.starts_with(
            bench
                .path("app/target")
                .canonicalize()
                .expect("it was made")
        )
    );
    assert!(image.with_file_name("say.elf").is_file());
    // Every other command with programs finds the program too.
    let check = &["check", "x.system", "--verbose"];
    bench.run_in("app", check, &[], true, &[OF_DRIVER, "x: in order"]);
    let graph = &["graph", "x.system", "--verbose"];
    bench.run_in("app", graph, &[], true, &[OF_DRIVER, "<svg"]);
    let run = &["run", "x.system", "--verbose"];
    let qemu = bench.qemu("echo it ran");
    let qemu = ["--qemu", qemu.to_str().expect("UTF-8")];
    bench.run_in("app", run, &qemu, true, &[OF_DRIVER, "it ran"]);
    bench.file("app/x.expected", "it ran\n");
    let boot = format!("{}echo it ran", crate::bench::BOOT);
    bench.qemu(&boot);
    let test = &["test", "x.system", "--verbose"];
    bench.run_in(
        "app",
        test,
        &qemu,
        true,
        &[OF_DRIVER, "ok   x (sel4 debug, dev)"],
    );
}

#[test]
fn a_program_of_a_git_dependency_is_built() {
    let bench = Bench::new();
    bench.driver("source", DRIVER, "true");
    let git = |folder: &str, arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]);
        command.args(arguments).current_dir(bench.path(folder));
        check(command, true, &[]);
    };
    git("source", &["init", "--quiet", "--initial-branch=ada/main"]);
    git("source", &["add", "."]);
    git("source", &["commit", "--quiet", "--message=driver"]);
    git("source", &["tag", "v1"]);
    git("", &["clone", "--quiet", "--bare", "source", "bare.git"]);
    let url = format!("file://{}", bench.path("bare.git").display());
    for (folder, key) in [
        ("tag", ", tag = \"v1\""),
        ("branch", ", branch = \"ada/main\""),
        ("none", ""),
    ] {
        let line = format!("[dependencies]\ndriver = {{ git = \"{url}\"{key} }}\n");
        bench.app(folder, &line);
        bench.build_in(folder, &[], true, &[OF_DRIVER]);
    }
    // Cargo has the repository now, so the second build needs no network and no repository.
    std::fs::remove_dir_all(bench.path("bare.git")).expect("it is there");
    bench.build_in("tag", &[], true, &[OF_DRIVER]);
}

#[test]
fn a_program_of_a_registry_dependency_is_built() {
    let bench = Bench::new();
    bench.driver("vendor/driver", DRIVER, "true");
    bench.file("vendor/driver/.cargo-checksum.json", "{\"files\": {}}");
    let config = "[source.crates-io]\nreplace-with = \"vendor\"\n\
                  [source.vendor]\ndirectory = \"vendor\"\n";
    bench.file(".cargo/config.toml", config);
    bench.app("app", "[dependencies]\ndriver = \"1\"\n");
    bench.build_in("app", &[], true, &[OF_DRIVER]);
}

#[test]
fn a_renamed_dependency_is_found_by_the_name_of_its_binary() {
    let bench = Bench::new();
    bench.driver("driver", DRIVER, "true");
    bench.app(
        "app",
        "[dependencies]\nspeaker = { package = \"driver\", path = \"../driver\" }\n",
    );
    bench.build_in("app", &[], true, &[OF_DRIVER]);
}

#[test]
fn two_dependencies_with_the_same_program_are_refused() {
    let bench = Bench::new();
    bench.driver("driver", DRIVER, "true");
    bench.driver("other", &DRIVER.replace("\"driver\"", "\"other\""), "true");
    bench.app(
        "app",
        "[dependencies]\ndriver = { path = \"../driver\" }\nother = { path = \"../other\" }\n",
    );
    let parts = [
        "more than one dependency of `app` has a program `say`",
        "`driver 1.2.3`",
        "`other 1.2.3`",
        "--search-path",
    ];
    bench.build_in("app", &[], false, &parts);
    bench.file("made/say.elf", elf(None));
    bench.build_in("app", &["--search-path", "../made"], true, &[]);
}

#[test]
fn a_program_of_the_workspace_comes_before_one_of_a_dependency_and_a_file_after() {
    let bench = Bench::new();
    bench.driver("driver", DRIVER, "true");
    bench.app("app", "[dependencies]\ndriver = { path = \"../driver\" }\n");
    bench.file("app/say.elf", elf(None));
    bench.build_in("app", &[], true, &[OF_DRIVER]);
    bench.file("app/src/bin/say.rs", PROGRAM);
    bench.build_in("app", &[], true, &["the binary `say` of `/"]);
}

/// A dependency of a dependency is not searched, and neither is a development dependency.
#[test]
fn only_direct_normal_dependencies_are_searched() {
    let bench = Bench::new();
    bench.driver("driver", DRIVER, "true");
    bench.app(
        "library",
        "[dependencies]\ndriver = { path = \"../driver\" }\n",
    );
    bench.app(
        "app",
        "[dependencies]\nlibrary = { path = \"../library\" }\n",
    );
    let parts = [
        "of the dependencies of `app`",
        "`driver 1.2.3` has a binary `say`, but is not a direct dependency of `app`",
    ];
    bench.build_in("app", &[], false, &parts);
    bench.app(
        "dev",
        "[dev-dependencies]\ndriver = { path = \"../driver\" }\n",
    );
    bench.build_in(
        "dev",
        &[],
        false,
        &["`say.elf` of PD `say`, which was not found"],
    );
}

#[test]
fn the_features_are_those_of_the_line_of_the_systems_package() {
    for is_loud in [true, false] {
        let bench = Bench::new();
        let condition = format!("cfg!(feature = \"loud\") == {is_loud}");
        bench.driver("driver", DRIVER, &condition);
        bench.file("w/Cargo.toml", WORKSPACE);
        let line = "[dependencies]\ndriver = { path = \"../../../driver\"";
        bench.app("w/p/quiet", &format!("{line} }}\n"));
        bench.app("w/p/loud", &format!("{line}, features = [\"loud\"] }}\n"));
        bench.build_in("w/p/loud", &[], is_loud, &[OF_DRIVER]);
        bench.build_in("w/p/quiet", &[], !is_loud, &[OF_DRIVER]);
        // The command line enables the feature.
        bench.build_in("w/p/quiet", &["-F", "loud"], is_loud, &[OF_DRIVER]);
        bench.build_in("w/p/quiet", &["-F", "driver/loud"], is_loud, &[OF_DRIVER]);
        // For a system outside all packages, the features of all packages are enabled.
        bench.file(
            "w/microkit-systems/all.system",
            system_text("say", "say.elf"),
        );
        bench.run_in("w", &["build", "all"], &[], is_loud, &[]);
    }
}

/// Two systems in one command need the same program with different features.
#[test]
fn each_system_gets_the_program_with_its_own_features() {
    let bench = Bench::new();
    bench.driver("driver", DRIVER, "true");
    // With the feature, the program declares a call on a channel that the systems do not have.
    let declaration = "#[cfg(feature = \"loud\")] #[used]\n\
                       #[unsafe(link_section = \".microkit.waits\")]\n\
                       static CALL: [u8; 25] = *b\"version 1\\ncall 3 in init\\n\";\n";
    bench.file("driver/src/main.rs", format!("{PROGRAM}{declaration}"));
    bench.file("w/Cargo.toml", WORKSPACE);
    let line = "[dependencies]\ndriver = { path = \"../../../driver\"";
    bench.app("w/p/quiet", &format!("{line} }}\n"));
    bench.app("w/p/loud", &format!("{line}, features = [\"loud\"] }}\n"));
    for folder in ["quiet", "loud"] {
        let system = system_text("say", "say.elf");
        bench.file(&format!("w/p/{folder}/{folder}.system"), system);
    }
    let both = &["check", "p/quiet/quiet.system", "p/loud/loud.system"];
    let parts = ["quiet: in order", "p/loud/loud.system", "channel 3"];
    bench.run_in("w", both, &[], false, &parts);
}

/// In the user's workspace, Cargo would build the program of the dependency with all features that
/// the user's own program needs.
#[test]
fn the_features_of_the_own_program_do_not_change_the_program_of_a_dependency() {
    let bench = Bench::new();
    let shared = "[package]\nname = \"shared\"\nedition = \"2024\"\n[features]\nalloc = []\n";
    bench.file("shared/Cargo.toml", shared);
    let library = "#![no_std]\npub const ALLOC: bool = cfg!(feature = \"alloc\");\n";
    bench.file("shared/src/lib.rs", library);
    let dependency = "[dependencies]\nshared = { path = \"../shared\"";
    let driver = format!("{DRIVER}{dependency} }}\n");
    bench.driver("driver", &driver, "!shared::ALLOC");
    let lines = "features = [\"alloc\"] }\ndriver = { path = \"../driver\" }\n";
    bench.app("app", &format!("{dependency}, {lines}"));
    bench.file("app/src/main.rs", holds("shared::ALLOC"));
    let pds = ["say", "app"].map(|name| {
        format!(
            "<protection_domain name=\"{name}\">\
             <program_image path=\"{name}.elf\" /></protection_domain>"
        )
    });
    let system = format!("<system>{}</system>", pds.concat());
    bench.file("app/x.system", system);
    bench.build_in("app", &[], true, &[OF_DRIVER]);
}

/// The patches and profiles of the user's workspace apply. Entries for other packages cause no
/// warning.
#[test]
fn a_program_of_a_dependency_is_built_with_the_users_patches_and_profiles() {
    let bench = Bench::new();
    for (folder, is_patched) in [("shared", false), ("patched", true), ("unrelated", false)] {
        let name = folder.replace("patched", "shared");
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
        bench.file(&format!("{folder}/Cargo.toml"), manifest);
        let library = format!("#![no_std]\npub const PATCHED: bool = {is_patched};\n");
        bench.file(&format!("{folder}/src/lib.rs"), library);
    }
    let driver = format!("{DRIVER}[dependencies]\nshared = \"1\"\n");
    bench.driver(
        "driver",
        &driver,
        "shared::PATCHED && !cfg!(debug_assertions)",
    );
    let lines = "[dependencies]\ndriver = { path = \"../driver\" }\nunrelated = \"1\"\n\
                 [patch.crates-io]\nshared = { path = \"../patched\" }\n\
                 unrelated = { path = \"../unrelated\" }\n\
                 [profile.dev]\ndebug-assertions = false\n\
                 [profile.dev.package.unrelated]\nopt-level = 1\n";
    bench.app("app", lines);
    let mut command = bench.microkit(&["build", "x.system", "--sdk"]);
    command.arg(bench.sdk(VERSION));
    command.current_dir(bench.path("app"));
    let output = command.output().expect("it runs");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success(), "{said}");
    for warning in ["was not used", "did not match"] {
        assert!(!said.contains(warning), "{said}");
    }
}

#[test]
fn a_program_that_requires_a_feature_is_refused_with_its_name() {
    let bench = Bench::new();
    let driver = format!("{DRIVER}required-features = [\"loud\"]\n");
    bench.driver("driver", &driver, "cfg!(feature = \"loud\")");
    let line = "[dependencies]\ndriver = { path = \"../driver\"";
    bench.app("app", &format!("{line} }}\n"));
    let parts = [
        "the binary `say` of the dependency `driver 1.2.3` requires features that are not \
         enabled: `loud`",
        "write `features = [\"loud\"]`",
        "`--features driver/loud`",
    ];
    bench.build_in("app", &[], false, &parts);
    bench.build_in("app", &["--features", "driver/loud"], true, &[]);
    bench.app("app", &format!("{line}, features = [\"loud\"] }}\n"));
    bench.build_in("app", &[], true, &[]);
}

#[test]
fn an_optional_dependency_must_be_enabled() {
    let bench = Bench::new();
    bench.driver("driver", DRIVER, "true");
    let lines = "[features]\nspeak = [\"dep:driver\"]\n\
                 [dependencies]\ndriver = { path = \"../driver\", optional = true }\n";
    bench.app("app", lines);
    let parts = ["`driver 1.2.3`, an optional dependency of `app` that is not enabled"];
    bench.build_in("app", &[], false, &parts);
    bench.build_in("app", &["-F", "speak"], true, &[OF_DRIVER]);
}

#[test]
fn a_c_program_that_a_dependency_lists_is_compiled() {
    let bench = Bench::new();
    let table = "[package]\nname = \"driver\"\nversion = \"1.2.3\"\n\
                 [package.metadata.microkit.c.say]\nsources = [\"say.c\"]\n";
    bench.file("driver/Cargo.toml", table);
    bench.file("driver/src/lib.rs", "#![no_std]\n");
    let source = bench.file("driver/say.c", "");
    bench.app("app", "[dependencies]\ndriver = { path = \"../driver\" }\n");
    let mut command = bench.microkit(&["build", "x.system", "--verbose", "--sdk"]);
    command.arg(bench.sdk(VERSION));
    command.env("CC_aarch64_unknown_none", bench.compiler("cc"));
    command.current_dir(bench.path("app"));
    let source = format!("compiled from `{}`", source.display());
    check(command, true, &[&source]);
}

#[test]
fn the_error_for_a_missing_program_proposes_a_dependency() {
    let bench = Bench::new();
    bench.app("app", "");
    let system = system_text("say", "console.elf");
    bench.file("app/x.system", system);
    let parts = ["add `microkit-console` to the `[dependencies]` of `app`"];
    bench.build_in("app", &[], false, &parts);

    bench.driver("driver", DRIVER, "true");
    bench.app(
        "near",
        "[dependencies]\ndriver = { path = \"../driver\" }\n",
    );
    bench.file("near/x.system", system_text("say", "sey.elf"));
    let parts = ["did you mean the binary `say`, as `say.elf`? Otherwise create"];
    bench.build_in("near", &[], false, &parts);

    bench.file("program/Cargo.toml", DRIVER.replace("driver", "program"));
    bench.file("program/src/main.rs", PROGRAM);
    bench.app(
        "bare",
        "[dependencies]\nprogram = { path = \"../program\" }\n",
    );
    let parts = ["Cargo ignores the dependency `program`, because it has no library"];
    bench.build_in("bare", &[], false, &parts);

    // Cargo does not ignore a package of the workspace.
    bench.file("w/Cargo.toml", WORKSPACE);
    bench.app("w/p/library", "");
    bench.app(
        "w/p/app",
        "[dependencies]\nlibrary = { path = \"../library\" }\n",
    );
    let parts = ["help: create the program with `cargo new say`"];
    bench.build_in("w/p/app", &[], false, &parts);

    bench.app(
        "broken",
        "[dependencies]\nnowhere = { path = \"../nowhere\" }\n",
    );
    bench.build_in("broken", &[], false, &["nowhere/Cargo.toml"]);
}

/// Makes a package with a program and the runtime, which has this version and these dependencies.
fn with_runtime(version: &str, dependencies: &str) -> Bench {
    let bench = Bench::new();
    let library = |name: &str, version: &str, lines: &str| {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\n{lines}");
        bench.file(&format!("{name}/Cargo.toml"), manifest);
        bench.file(&format!("{name}/src/lib.rs"), "#![no_std]\n");
    };
    library("microkit-abi", "0.9.9", "");
    library("sel4-microkit", version, dependencies);
    bench.app(
        "app",
        "[dependencies]\nsel4-microkit = { path = \"../sel4-microkit\" }\n",
    );
    bench.file("app/src/bin/say.rs", "compile_error!(\"it was compiled\");");
    bench
}

#[test]
fn a_runtime_that_does_not_fit_the_tool_is_refused_before_the_build() {
    const OURS: &str = "[dependencies]\nmicrokit-abi = { path = \"../microkit-abi\" }\n";
    let tool = env!("CARGO_PKG_VERSION");
    let refusal =
        format!("`cargo microkit` has version {tool}, which does not fit `sel4-microkit`");
    for command in ["build", "check", "graph", "run", "test"] {
        let bench = with_runtime("99.0.0", OURS);
        bench.file("app/x.expected", "hello\n");
        let qemu = bench.qemu("echo it ran");
        let qemu = ["--qemu", qemu.to_str().expect("UTF-8")];
        let options = if ["run", "test"].contains(&command) {
            &qemu[..]
        } else {
            &[]
        };
        let mut microkit = bench.microkit(&[command, "x.system"]);
        microkit.args(options).arg("--sdk").arg(bench.sdk(VERSION));
        microkit
            .current_dir(bench.path("app"))
            .env("COLUMNS", "2000");
        let output = microkit.output().expect("it runs");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).expect("UTF-8");
        assert!(!output.status.success(), "{said}");
        assert!(said.contains(&refusal), "{said}");
        assert!(said.contains("99.0.0"), "{said}");
        assert!(
            said.contains("install the tool of this version: `cargo install"),
            "{said}"
        );
        assert!(
            said.contains("change the line `sel4-microkit = …`"),
            "{said}"
        );
        assert!(!said.contains("it was compiled"), "{said}");
    }
    let older = with_runtime("0.0.1", OURS);
    let parts = [
        "0.0.1",
        "help: change the line",
        "install the tool of the old version",
    ];
    older.build_in("app", &[], false, &parts);
    // A foreign package of the runtime's name, and a runtime that fits, are built.
    for bench in [with_runtime("99.0.0", ""), with_runtime(tool, OURS)] {
        bench.build_in("app", &[], false, &["it was compiled"]);
    }
}
