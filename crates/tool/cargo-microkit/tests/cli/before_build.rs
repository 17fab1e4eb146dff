//! Tests that every command reports the errors of a system file before the build, for both kernels.

use crate::bench::{Bench, check};

/// The commands with their arguments and the option for the kernel.
const COMMANDS: [&[&str]; 5] = [
    &["build", "bad"],
    &["run", "bad"],
    &["test", "bad"],
    &["check", "bad"],
    &["graph", "bad"],
];

/// Makes a package whose programs do not compile, and a system with these programs.
fn bench(system: &str) -> Bench {
    let bench = Bench::new();
    bench.file(
        "Cargo.toml",
        "[package]\nname = \"server\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
    );
    bench.file("src/main.rs", "compile_error!(\"it was compiled\");");
    bench.file("microkit-systems/bad.system", system);
    bench.file("microkit-systems/bad.expected", "hello\n");
    bench
}

#[track_caller]
fn refused(system: &str, parts: &[&str]) {
    let bench = bench(system);
    for command in COMMANDS {
        for kernel in ["sel4", "model"] {
            let arguments = [command, &["--kernel", kernel]].concat();
            let mut microkit = bench.microkit(&arguments);
            microkit.arg("--sdk").arg(bench.sdk("2.3.0"));
            if ["run", "test"].contains(&command[0]) {
                microkit.arg("--qemu").arg(bench.qemu("echo it ran"));
            }
            let output = microkit.output().expect("the command runs");
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8(said).expect("UTF-8");
            let what = format!("{arguments:?}:\n{said}");
            assert!(!output.status.success(), "{what}");
            assert!(!said.contains("it was compiled"), "{what}");
            for part in parts {
                assert!(said.contains(part), "no `{part}` from {what}");
            }
        }
    }
}

/// Returns a system with a server, a region, and additional elements: `outside` in the system,
/// `inside` in the server.
fn system(outside: &str, inside: &str) -> String {
    format!(
        "<system>\n<memory_region name=\"ring\" size=\"0x1000\" />\n\
         <protection_domain name=\"server\" priority=\"2\">\n\
         <program_image path=\"server.elf\" />\n{inside}</protection_domain>\n{outside}</system>\n"
    )
}

#[test]
fn a_misspelt_name_is_reported_with_the_nearest_one() {
    let channel =
        "<channel>\n<end pd=\"sever\" id=\"1\" />\n<end pd=\"server\" id=\"2\" />\n</channel>\n";
    let parts = [
        "no protection domain `sever`",
        "did you mean `server`?",
        ":7:6",
    ];
    refused(&system(channel, ""), &parts);
    let map = "<map mr=\"rings\" vaddr=\"0x4000000\" />\n";
    refused(
        &system("", map),
        &["no memory region `rings`", "did you mean `ring`?"],
    );
    let setvar = "<setvar symbol=\"paddr\" region_paddr=\"rign\" />\n";
    refused(
        &system("", setvar),
        &["no memory region `rign`", "did you mean `ring`?"],
    );
    let cspace = "<cspace><cap_tcb slot=\"1\" pd=\"servre\" /></cspace>\n";
    refused(
        &system("", cspace),
        &["no protection domain `servre`", "did you mean `server`?"],
    );
}

#[test]
fn errors_that_the_kernel_would_find_at_boot_are_reported() {
    let child = "<protection_domain name=\"fast\" id=\"1\" budget=\"19\" period=\"1000\">\n\
                 <program_image path=\"server.elf\" />\n</protection_domain>\n";
    let parts = ["the budget of `fast` is 19 us", "20 us or more", ":5:"];
    refused(&system("", child), &parts);
    let map = "<map mr=\"ring\" vaddr=\"0x0\" setvar_vaddr=\"ring\" />\n";
    refused(&system("", map), &["`ring` would be set to address 0"]);
}

#[test]
fn an_old_file_gets_advice_on_its_moved_attributes() {
    let system = system("", "").replace("priority=\"2\"", "priority=\"2\" pp=\"true\"");
    refused(
        &system,
        &["since Microkit 2.0.0", "`pp=\"true\"` at each `<end>`"],
    );
}

/// The region is filled with a program's file, which does not exist before the build.
#[test]
fn a_region_filled_with_a_program_is_checked_after_the_build() {
    let region = "<memory_region name=\"copy\" prefill_path=\"server.elf\" />\n";
    let map = "<map mr=\"copy\" vaddr=\"0x4000000\" />\n";
    let bench = bench(&system(region, map));
    let mut build = bench.microkit(&["build", "bad"]);
    build.arg("--sdk").arg(bench.sdk("2.3.0"));
    check(build, false, &["it was compiled"]);
}

#[test]
fn a_cached_device_gets_a_warning() {
    let region = "<memory_region name=\"uart\" size=\"0x1000\" phys_addr=\"0x9000000\" />\n";
    let map = "<map mr=\"uart\" vaddr=\"0x4000000\" cached=\"true\" />\n";
    let system = system(region, map);
    let parts = [
        "`uart` at 0x9000000",
        "`server` maps it cached",
        "cached=\"false\"",
    ];
    let bench = Bench::new();
    bench.file("server.elf", crate::bench::elf(None));
    bench.file("good.system", system);
    let sdk = bench.sdk("2.3.0");
    for command in ["check", "build"] {
        let mut microkit = bench.microkit(&[command, "good.system", "--kernel", "sel4"]);
        microkit.arg("--sdk").arg(&sdk);
        check(microkit, true, &parts);
    }
    check(
        bench.with_qemu(&["run", "good.system"], "echo it ran"),
        true,
        &parts,
    );
    // The memory addresses of this board are unknown.
    let mut other = bench.microkit(&["check", "good.system", "--no-build"]);
    other.args(["--board", "rpi4b_1gb"]);
    // The only warning is that nothing maps `ring`.
    check(other, true, &["0 errors, 1 warning\n"]);
}

#[test]
fn a_budget_that_is_too_small_gets_a_warning_from_every_command() {
    let bench = Bench::new();
    bench.file("server.elf", crate::bench::elf(None));
    let text = crate::bench::system_text("server", "server.elf");
    let text = text.replace("name=", "budget=\"20\" name=");
    bench.file("slow.system", text);
    let parts = ["a budget of 20 us is too small for `server` to run"];
    let mut build = bench.microkit(&["build", "slow.system", "--sdk"]);
    build.arg(bench.sdk("2.3.0"));
    check(build, true, &parts);
    check(
        bench.with_qemu(&["run", "slow.system"], "echo it ran"),
        true,
        &parts,
    );
    let check_command = bench.microkit(&["check", "slow.system", "--no-build"]);
    check(check_command, true, &parts);
}
