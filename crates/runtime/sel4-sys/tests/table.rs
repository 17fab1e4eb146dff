//! Compares the table of kernel numbers with the SDK in `MICROKIT_SDK`, if the variable is set.

#[path = "../build/facts.rs"]
mod facts;

use std::path::{Path, PathBuf};
use std::{env, fs};

use facts::Facts;

const TABLE: &str = "tables/qemu_virt_aarch64-debug.txt";

const HEADER: &str = "\
# The numbers of seL4 16.0.0 as Microkit SDK 2.3.0 builds it for qemu_virt_aarch64, debug.
# The build script uses them if there is no SDK. A test (tests/table.rs) compares them with the
# files of an SDK. Run it with BLESS=1 and MICROKIT_SDK set to rewrite this file.
";

fn sdk() -> Option<PathBuf> {
    let sdk = env::var_os("MICROKIT_SDK").filter(|value| !value.is_empty());
    if sdk.is_none() {
        eprintln!("SKIPPED: MICROKIT_SDK is not set, so the table was not compared with an SDK");
    }
    sdk.map(PathBuf::from)
}

fn table() -> Facts {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE);
    Facts::from_table(&fs::read_to_string(path).expect("the table exists"))
        .expect("the table is valid")
}

#[test]
fn the_table_matches_the_sdk() {
    let Some(sdk) = sdk() else { return };
    let directory = sdk.join("board/qemu_virt_aarch64/debug");
    let from_sdk = Facts::from_sdk(&directory).expect("the SDK can be read");
    if env::var_os("BLESS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE);
        fs::write(path, format!("{HEADER}{}", from_sdk.to_table())).expect("the table is written");
    }
    assert_eq!(table(), from_sdk);
}

#[test]
fn invocation_labels_differ_between_debug_and_release() {
    let Some(sdk) = sdk() else { return };
    let board = sdk.join("board/qemu_virt_aarch64");
    let debug = Facts::from_sdk(&board.join("debug")).expect("debug can be read");
    let release = Facts::from_sdk(&board.join("release")).expect("release can be read");
    assert_ne!(
        debug.invocations["IRQAckIRQ"],
        release.invocations["IRQAckIRQ"]
    );
    assert!(debug.switches["PRINTING"] && !release.switches["PRINTING"]);
}

#[test]
fn a_written_table_reads_back_the_same() {
    let table = table();
    assert_eq!(Facts::from_table(&table.to_table()), Ok(table));
}

#[test]
fn an_error_in_a_table_names_its_line() {
    let check = |text: &str, expect: &str| {
        let error = Facts::from_table(text).expect_err(text);
        assert!(error.contains(expect), "{error}");
    };
    check(
        "# nothing\nsyscall Call",
        "line 2 of the table: not three words",
    );
    check("syscall Call one", "line 1 of the table: not a number");
    check("color red 1", "line 1 of the table: unknown kind");
}
