//! Tests that the error for a missing required line in a PD's program names the line to write.

use crate::bench::{Bench, system_text};

/// A complete program with all required lines.
const PROGRAM: &str = "#![no_std]\n#![no_main]\n\
    use sel4_microkit::{NullHandler, protection_domain};\n\
    #[protection_domain]\n\
    fn init() -> NullHandler { NullHandler::new() }\n";

fn bench() -> Bench {
    let bench = Bench::new();
    let manifest = format!(
        "[package]\nname = \"pd\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         sel4-microkit = {{ path = \"{}/../../runtime/sel4-microkit\" }}\n",
        env!("CARGO_MANIFEST_DIR")
    );
    bench.file("Cargo.toml", manifest);
    bench.file("x.system", system_text("pd", "pd.elf"));
    bench
}

/// Returns the messages of `build` for this program.
#[track_caller]
fn said(bench: &Bench, program: &str) -> String {
    bench.file("src/main.rs", program);
    let mut build = bench.microkit(&["build", "x.system", "--kernel", "model", "--no-install"]);
    let output = build.output().expect("it runs");
    assert!(!output.status.success(), "{program}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn the_error_names_the_missing_line() {
    let bench = bench();
    let check = |program: &str, expect: &str| {
        let said = said(&bench, program);
        // Compares words, because reports are wrapped.
        let words = |text: &str| {
            text.replace('\u{2502}', " ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert!(
            words(&said).contains(&words(expect)),
            "no `{expect}` for\n{program}\n{said}"
        );
    };
    let without = |line: &str| {
        assert!(PROGRAM.contains(line), "{line}");
        PROGRAM.replace(line, "")
    };
    check(
        &without("#![no_std]\n"),
        "begin `src/main.rs` with `#![no_std]`",
    );
    check(
        &without("#![no_main]\n"),
        "write `#![no_main]` after `#![no_std]`",
    );
    check(
        &without("#[protection_domain]\n"),
        "write `#[sel4_microkit::protection_domain]` before the function",
    );
    check(
        "#![no_std]\n#![no_main]\n",
        "add `sel4-microkit` to the dependencies",
    );
    let init = "fn init() -> NullHandler { NullHandler::new() }";
    let other = |function: &str| PROGRAM.replace(init, function);
    check(
        &other("fn init() {}"),
        "`()` does not handle the events of a protection domain",
    );
    check(&other("fn init() {}"), "write `-> NullHandler`");
    check(&other("fn init() -> ! { loop {} }"), "write `-> Never`");
    check(
        &other("async fn init() -> NullHandler { NullHandler::new() }"),
        "does not handle the events of a protection domain",
    );
    check(
        &other("fn init() -> NullHandler { extern crate alloc; drop(alloc::vec![0; 9]); loop {} }"),
        "`#[protection_domain(heap_size = 0x10000)]`",
    );
    let twice =
        format!("{PROGRAM}#[protection_domain]\nfn other() -> NullHandler {{ loop {{}} }}\n");
    check(&twice, "keep `#[protection_domain]` on one function only");
}
