//! Tests which packages get each feature of `--features`. PDs do not affect the features of other
//! PDs.

use crate::bench::{Bench, PROGRAM, VERSION, check};

/// Makes the packages `heap`, `plain` and `lone`, each with a program. The first two packages share
/// a dependency with a feature `alloc`. The package `heap` enables `alloc` if its feature `big` is
/// on. The package `plain` never enables `alloc`.
fn workspace() -> Bench {
    let bench = Bench::new();
    bench.file(
        "Cargo.toml",
        "[workspace]\nmembers = [\"p/*\"]\nresolver = \"3\"\n",
    );
    let package = |name: &str, rest: &str, program: &str| {
        let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n\n{rest}");
        bench.file(&format!("p/{name}/Cargo.toml"), manifest);
        let file = if name == "shared" { "lib" } else { "main" };
        bench.file(&format!("p/{name}/src/{file}.rs"), program);
    };
    let library = "#![no_std]\npub const ALLOC: bool = cfg!(feature = \"alloc\");\n";
    package("shared", "[features]\nalloc = []\n", library);
    let dependency = "[dependencies]\nshared = { path = \"../shared\" }\n\n";
    let features = "[features]\nbig = [\"shared/alloc\"]\ncommon = []\n";
    let holds = |text: &str| format!("{PROGRAM}const _: () = assert!({text});\n");
    let program = holds("cfg!(feature = \"big\") == shared::ALLOC");
    package("heap", &format!("{dependency}{features}"), &program);
    let features = "[features]\ncommon = []\n";
    let program = holds("!shared::ALLOC");
    package("plain", &format!("{dependency}{features}"), &program);
    package("lone", "", PROGRAM);
    let pds = ["heap", "plain", "lone"].map(|name| {
        format!(
            "<protection_domain name=\"{name}\">\
             <program_image path=\"{name}.elf\" /></protection_domain>"
        )
    });
    bench.file("x.system", format!("<system>{}</system>", pds.concat()));
    bench
}

#[track_caller]
fn build(bench: &Bench, options: &[&str], is_success: bool, parts: &[&str]) {
    let mut command = bench.microkit(&["build", "x.system", "--verbose"]);
    command.args(options).arg("--sdk").arg(bench.sdk(VERSION));
    check(command, is_success, parts);
}

#[test]
fn features_of_one_program_do_not_affect_another() {
    let bench = workspace();
    build(&bench, &[], true, &[]);
    // Each of the two programs is built independently of the other program.
    build(&bench, &["-F", "big"], true, &["--features heap/big"]);
    build(&bench, &["-F", "heap/big"], true, &["--features heap/big"]);
    build(
        &bench,
        &["--features", "big,common"],
        true,
        &["--features plain/common"],
    );
    build(
        &bench,
        &["-F", "big", "-F", "common"],
        true,
        &["--features heap/common"],
    );
}

#[test]
fn a_feature_of_a_dependency_is_enabled_for_the_packages_that_have_it() {
    let bench = workspace();
    // Replaces the programs of `heap` and `plain`, because these programs fail if the feature is
    // on.
    for name in ["heap", "plain"] {
        bench.file(&format!("p/{name}/src/main.rs"), PROGRAM);
    }
    build(
        &bench,
        &["-F", "shared/alloc"],
        true,
        &["--features shared/alloc"],
    );
    let parts = ["shared/never"];
    build(&bench, &["-F", "shared/never"], false, &parts);
}

#[test]
fn a_feature_that_no_program_has_is_an_error_that_names_it() {
    let bench = workspace();
    let packages = "looked in the packages `heap`, `lone`, `plain`";
    let parts = ["has the feature `bigg`", packages, "did you mean `big`?"];
    build(&bench, &["-F", "big,bigg"], false, &parts);
    build(
        &bench,
        &["-F", "plain/big"],
        false,
        &["`plain/big`", packages],
    );
    build(
        &bench,
        &["-F", "other/big"],
        false,
        &["`other/big`", packages],
    );
}

#[test]
fn features_are_enabled_for_the_package_of_the_current_folder() {
    for resolver in ["1", "3"] {
        let bench = workspace();
        let manifest = format!("[workspace]\nmembers = [\"p/*\"]\nresolver = \"{resolver}\"\n");
        bench.file("Cargo.toml", manifest);
        for folder in ["p/heap", "p/plain", "p/shared"] {
            let mut command = bench.microkit(&["build", "../../x.system", "-F", "big,common"]);
            command.arg("--sdk").arg(bench.sdk(VERSION));
            command.current_dir(bench.path(folder));
            check(command, true, &[]);
        }
    }
}
