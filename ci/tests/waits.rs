//! Checks that `cargo microkit check` reads the declarations of `sel4_microkit::waits!` from an ELF
//! file. The program is `crates/runtime/sel4-microkit/examples/waits.rs`.

use std::fs;
use std::path::Path;
use std::process::Command;

use microkit_check::{Declaration, SECTION};
use object::{Object, ObjectSection, SectionFlags};

/// Every statement of the program, in the format of the section.
const EXPECT: &str = "\
version 1
call 1 in init
wait 61 in init
lock outer in notified
call 1 in notified holding outer
lock inner in notified holding outer
wait 61 in notified holding outer inner
call 61 in notified holding outer
call 61 in notified
call 3 in notified 61
lock outer in protected 1
wait 61 in protected 1
call 1 in fault
lock inner in fault 2
call 1 in fault 2 holding inner
";

fn build(profile: &[&str], directory: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("ci is in the root");
    let target = root.join("target/machine-code");
    let status = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["build", "--quiet", "--target", "aarch64-unknown-none"])
        .args(["--package", "sel4-microkit", "--example", "waits"])
        .args(profile)
        .arg("--target-dir")
        .arg(&target)
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "the PD does not build");
    let built = target.join("aarch64-unknown-none").join(directory);
    fs::read(built.join("examples/waits")).expect("the ELF file exists")
}

#[test]
fn every_form_is_in_the_elf_file_and_is_not_loaded() {
    let expect = Declaration::parse(EXPECT).expect("the declaration is valid");
    for (profile, directory) in [(&[][..], "debug"), (&["--release"][..], "release")] {
        let elf = build(profile, directory);
        let file = object::File::parse(&*elf).expect("an ELF file");
        let section = file.section_by_name(SECTION).expect("the section is kept");
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            panic!("an ELF file has ELF's flags");
        };
        assert!(!sh_flags.contains(object::elf::SHF_ALLOC), "{directory}");
        let bytes = section.data().expect("the section has data");
        let found = Declaration::from_bytes(bytes).expect("the declaration is valid");
        assert_eq!(found, expect, "{directory}");
    }
}
