//! Tests programs with symbols in a separate file (`path_for_symbols`).

use std::fs;

use object::{Object, ObjectSymbol};

use crate::bench::{BOOT, Bench, PROGRAM, VERSION, check, elf};

/// Runs a system with a stripped program, and checks the reports of a fault and of a panic. The
/// symbols are in the file of `path_for_symbols`.
fn report(path_for_symbols: &str, symbols: impl FnOnce(&Bench, &[u8])) {
    let bench = Bench::new();
    let manifest = "[package]\nname = \"say\"\nedition = \"2024\"\n\n[workspace]\n";
    bench.file("Cargo.toml", manifest);
    bench.file("src/main.rs", PROGRAM);
    let system = |paths: &str| {
        let text = format!(
            "<system><protection_domain name=\"pd\"><program_image {paths} />\
             </protection_domain></system>"
        );
        bench.file("x.system", text);
    };
    system("path=\"say.elf\"");
    let mut build = bench.microkit(&["build", "x.system", "--sdk"]);
    build.arg(bench.sdk(VERSION));
    let image = check(build, true, &[]);
    let image = std::path::Path::new(image.trim_end());
    let program = fs::read(image.with_file_name("say.elf")).expect("the program");
    let file = object::File::parse(&*program).expect("an ELF file");
    let mut all = file.symbols();
    let start = all.find(|symbol| symbol.name() == Ok("_start"));
    let address = start.expect("the program has one").address();
    symbols(&bench, &program);

    // A file without section headers has no symbol table (*System V ABI*, 4). The cleared fields
    // are `e_shoff`, `e_shnum` and `e_shstrndx`.
    let mut stripped = program.clone();
    stripped[40..48].fill(0);
    stripped[60..64].fill(0);
    bench.file("stripped.elf", stripped);
    system(&format!(
        "path=\"stripped.elf\" path_for_symbols=\"{path_for_symbols}\""
    ));
    let call = address + 4;
    let qemu = format!(
        "{BOOT}echo 'MON|ERROR: faulting PD: pd'; echo 'pc : {address:#018x}'\n\
         echo 'backtrace of pd: {call:#x}'"
    );
    let parts = [
        "PD `pd` was in _start at src/main.rs:",
        "   0: _start at src/main.rs:",
    ];
    check(bench.with_qemu(&["run", "x.system"], &qemu), true, &parts);
}

#[test]
fn the_symbols_may_come_from_a_binary_of_the_project() {
    report("say.elf", |_, _| {});
}

#[test]
fn the_symbols_may_come_from_a_file() {
    report("sub/full.elf", |bench, program| {
        bench.file("sub/full.elf", program);
    });
    report("sub/../full.elf", |bench, program| {
        bench.file("sub/other", "");
        bench.file("full.elf", program);
    });
}

#[test]
fn a_file_with_the_symbols_of_another_program_is_refused() {
    let bench = Bench::new();
    bench.file("pd.elf", elf(None));
    let mut other = elf(None);
    other[24] ^= 8; // `e_entry`
    bench.file("other.elf", other);
    let image = "path=\"pd.elf\" path_for_symbols=\"other.elf\"";
    let text = crate::bench::system_text("pd", "pd.elf").replace("path=\"pd.elf\"", image);
    bench.file("x.system", text);
    let mut build = bench.microkit(&["build", "x.system", "--sdk"]);
    build.arg(bench.sdk(VERSION));
    check(
        build,
        false,
        &["`other.elf`", "`pd.elf`", "does not belong to the program"],
    );
}
