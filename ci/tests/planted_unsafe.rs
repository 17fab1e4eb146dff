//! Checks that `#![forbid(unsafe_code)]` reports `unsafe` in everything that a program passes to
//! our macros. If a macro converts a caller's tokens to text, or writes the `#` of a caller's
//! attribute, the tokens lose their place in the source and the lint is silent.
//!
//! Each case consists of two programs that differ in one place. The program with harmless text at
//! this place must compile. The program with `unsafe` at this place must not compile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use ci::root;
use serde_json::Value;

/// The program of a PD, without the lines of the case.
const PROGRAM: &str = "\
#![no_std]
#![no_main]
#![forbid(unsafe_code)]
#![allow(unused)]
use sel4_microkit::{Channel, Handler, NullHandler, protection_domain};
const PEER: Channel = Channel::new(0);
";

const INIT: &str = "
#[protection_domain(heap_size = 65536)]
fn init() -> impl Handler {
    NullHandler::new()
}
";

/// An attribute that needs `unsafe`.
const ATTRIBUTE: &str = "#[unsafe(no_mangle)]";

/// A number with an `unsafe` block.
const NUMBER: &str = "unsafe { 16 }";

// Numbers that also define an item which needs `unsafe`.
const FUNCTION: &str = "{ fn any() -> u8 { unsafe { *core::ptr::null() } } 4096 }";
const SYMBOL: &str = "{ #[unsafe(no_mangle)] static memset: usize = 1; 4096 }";
const ASSEMBLY: &str = "{ mod any { core::arch::global_asm!(\"nop\"); } 4096 }";

/// The macro, the rest of the program with `@` at the place, a harmless text for the place, and an
/// unsafe text for the place.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("protection_domain", STACK, "4096", FUNCTION),
    ("protection_domain", STACK, "4096", SYMBOL),
    ("protection_domain", STACK, "4096", ASSEMBLY),
    ("protection_domain", HEAP, "65536", "{ unsafe { 65536 } }"),
    ("protection_domain", HEAP, "65536", "unsafe { 65536 }"),
    ("protection_domain", KEPT, "4096", "unsafe { 4096 }"),
    (
        "var",
        "fn f() { sel4_microkit::var!(@ foo: usize = 0); }",
        "",
        ATTRIBUTE,
    ),
    (
        "var",
        "fn f() { sel4_microkit::var!(@ foo: usize = 0); }",
        "",
        "#[unsafe(link_section = \".text\")]",
    ),
    (
        "var",
        "fn f() { sel4_microkit::var!(@ foo: usize = 0); }",
        "",
        "#[cfg_attr(all(), unsafe(no_mangle))]",
    ),
    (
        "var",
        "fn f() { sel4_microkit::var!(foo: usize = @); }",
        "16",
        NUMBER,
    ),
    (
        "memory_region_symbol",
        "fn f() { sel4_microkit::memory_region_symbol!(@ foo: *mut u8); }",
        "",
        ATTRIBUTE,
    ),
    (
        "memory_region_symbol",
        "fn f() { sel4_microkit::memory_region_symbol!(foo: *mut [u8; @]); }",
        "16",
        "{ unsafe { 16 } }",
    ),
    (
        "memory_region_symbol",
        "fn f() { sel4_microkit::memory_region_symbol!(foo: *mut [u8], n = @); }",
        "16",
        NUMBER,
    ),
    (
        "memory_region_symbol",
        "fn f() { sel4_microkit::memory_region_symbol!(foo: *mut u128, bytes = @); }",
        "16",
        NUMBER,
    ),
    (
        "device_region",
        "fn f() { sel4_microkit::device_region!(foo, foo_size, [u8; @]); }",
        "16",
        "{ unsafe { 16 } }",
    ),
    (
        "waits",
        "sel4_microkit::waits! { in init { call @; } }",
        "PEER",
        "{ unsafe fn any() {} PEER }",
    ),
    (
        "waits",
        "sel4_microkit::waits! { in protected(@) { call PEER; } }",
        "PEER",
        "{ unsafe fn any() {} PEER }",
    ),
    (
        "debug_print",
        "fn f() { sel4_microkit::debug_print!(\"{}\", @); }",
        "16",
        NUMBER,
    ),
    (
        "debug_println",
        "fn f() { sel4_microkit::debug_println!(\"{}\", @); }",
        "16",
        NUMBER,
    ),
    (
        "sel4::debug_println",
        "fn f() { sel4::debug_println!(\"{}\", @); }",
        "16",
        NUMBER,
    ),
    (
        "static_of_the_thread",
        "sel4::static_of_the_thread! { @ static FOO: u8 = 0; }",
        "",
        ATTRIBUTE,
    ),
    (
        "static_of_the_thread",
        "sel4::static_of_the_thread! { static FOO: u8 = @; }",
        "16",
        NUMBER,
    ),
    (
        "sel4_cfg_if",
        "sel4::sel4_cfg_if! { if #[sel4_cfg(KERNEL_MCS)] { @ static FOO: u8 = 0; } }",
        "",
        ATTRIBUTE,
    ),
    (
        "sel4_cfg_if",
        "sel4::sel4_cfg_if! { if #[sel4_cfg(not(all(KERNEL_MCS)))] {} else { const N: u8 = @; } }",
        "16",
        NUMBER,
    ),
    (
        "sel4_cfg",
        "#[sel4::sel4_cfg(KERNEL_MCS)] @ static FOO: u8 = 0;",
        "",
        ATTRIBUTE,
    ),
    (
        "sel4_cfg",
        "#[sel4::sel4_cfg(KERNEL_MCS)] @ fn f() {}",
        "",
        "unsafe",
    ),
    (
        "table",
        "microkit_registry::table! { @ TABLE: \"registry.system\", pd = \"registry\"; }",
        "",
        ATTRIBUTE,
    ),
    (
        "protocol",
        "#[microkit_protocol::protocol] trait T { fn f(&self) -> u8 { @ } }",
        "16",
        NUMBER,
    ),
    (
        "protocol",
        "#[microkit_protocol::protocol] trait T { fn f(&self) -> [u8; @]; }",
        "16",
        "{ unsafe { 16 } }",
    ),
];

const STACK: &str = "
#[protection_domain(heap_size = 65536, stack_size = @)]
fn init() -> impl Handler { NullHandler::new() }
";
const HEAP: &str = "
#[protection_domain(heap_size = @)]
fn init() -> impl Handler { NullHandler::new() }
";
const KEPT: &str = "
#[protection_domain(heap_size = 65536, kept_data_size = @)]
fn init() -> impl Handler { NullHandler::new() }
";

#[test]
fn the_lint_reports_unsafe_in_every_macro_argument() {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted_unsafe");
    let programs = package.join("src/bin");
    // Programs of removed cases must not be compiled.
    fs::remove_dir_all(&programs).ok();
    fs::create_dir_all(&programs).expect("cargo made the folder for tests");
    fs::write(package.join("Cargo.toml"), manifest()).expect("the file is writable");
    // Uses the dependency versions of the workspace, so that nothing is downloaded.
    fs::copy(root().join("Cargo.lock"), package.join("Cargo.lock")).expect("the file is writable");
    for (index, (_, rest, harmless, planted)) in CASES.iter().enumerate() {
        let init = if rest.contains("fn init") { "" } else { INIT };
        for (name, part) in [("harmless", harmless), ("planted", planted)] {
            let text = format!("{PROGRAM}{init}{}\n", rest.replace('@', part));
            fs::write(programs.join(format!("{name}_{index}.rs")), text)
                .expect("the file is writable");
        }
    }
    let (compiled, errors) = check(&package);
    let mut findings = Vec::new();
    for (index, (name, rest, harmless, planted)) in CASES.iter().enumerate() {
        let program = format!("harmless_{index}");
        if !compiled.contains(&program) {
            let why = errors.get(&program).map_or("", |why| why);
            findings.push(format!(
                "{name}: with `{harmless}` at @ it must compile: {rest}\n{why}"
            ));
        }
        if compiled.contains(&format!("planted_{index}")) {
            findings.push(format!(
                "{name}: `#![forbid(unsafe_code)]` does not see `{planted}` at @ in: {}\n    Pass the \
                 caller's tokens on as they came, or do not take them.",
                rest.trim()
            ));
        }
    }
    println!("{} programs, {} findings", 2 * CASES.len(), findings.len());
    assert!(findings.is_empty(), "{}", findings.join("\n\n"));
}

fn manifest() -> String {
    let mut text = "[package]\nname = \"planted-unsafe\"\nedition = \"2024\"\n\n".to_owned();
    text += "[workspace]\n\n[dependencies]\n";
    for (folder, name, features) in [
        ("lib", "microkit-protocol", ""),
        ("lib", "microkit-registry", ""),
        ("runtime", "sel4", ""),
        ("runtime", "sel4-microkit", "\"full\""),
    ] {
        let path = root().join("crates").join(folder).join(name);
        text += &format!("{name} = {{ path = {path:?}, features = [{features}] }}\n");
    }
    text
}

/// Returns the programs that compile, and the compiler's errors for the others.
fn check(package: &Path) -> (BTreeSet<String>, BTreeMap<String, String>) {
    let output = Command::new(env::var_os("CARGO").expect("cargo runs this"))
        .args([
            "check",
            "--quiet",
            "--keep-going",
            "--bins",
            "--message-format=json",
        ])
        .args(["--target", "aarch64-unknown-none", "--target-dir"])
        .arg(package.join("target"))
        .env_remove("MICROKIT_SDK")
        .env_remove("MICROKIT_BOARD")
        .env_remove("MICROKIT_CONFIG")
        .current_dir(package)
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo can be run");
    let mut compiled = BTreeSet::new();
    let mut errors = BTreeMap::<String, String>::new();
    for line in output.stdout.split(|&byte| byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let program = text(&message["target"]["name"]);
        if message["reason"] == "compiler-artifact" {
            compiled.insert(program);
        } else if message["message"]["level"] == "error" {
            *errors.entry(program).or_default() += &text(&message["message"]["rendered"]);
        }
    }
    (compiled, errors)
}
