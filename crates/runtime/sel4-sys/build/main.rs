//! Writes the numbers of one kernel configuration as constants.
//!
//! `MICROKIT_SDK` names the SDK. `MICROKIT_BOARD` and `MICROKIT_CONFIG` select the configuration.
//! Without an SDK, the table in this crate supplies the numbers of the default board and
//! configuration.

mod facts;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use facts::Facts;
use microkit_abi::facts::{FAULTS, INVOCATIONS, OPTIONAL_INVOCATIONS, SYSTEM_CALLS};

const DEFAULT_BOARD: &str = "qemu_virt_aarch64";
const DEFAULT_CONFIG: &str = "debug";

fn main() -> ExitCode {
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            println!("cargo::error={sentence}");
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), String> {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=tables");
    let sdk = variable("MICROKIT_SDK");
    let board = variable("MICROKIT_BOARD").unwrap_or(DEFAULT_BOARD.into());
    let config = variable("MICROKIT_CONFIG").unwrap_or(DEFAULT_CONFIG.into());
    let facts = match sdk {
        Some(sdk) => from_sdk(&PathBuf::from(sdk), &board, &config)?,
        None if (board.as_str(), config.as_str()) == (DEFAULT_BOARD, DEFAULT_CONFIG) => {
            let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("no manifest")?);
            let table = manifest.join("tables/qemu_virt_aarch64-debug.txt");
            let text = fs::read_to_string(&table)
                .map_err(|error| format!("cannot read {}: {error}", table.display()))?;
            Facts::from_table(&text)?
        }
        None => {
            return Err(format!(
                "building for board `{board}`, configuration `{config}` needs the Microkit SDK: \
                 set MICROKIT_SDK to its directory (only `{DEFAULT_BOARD}`, `{DEFAULT_CONFIG}` can be \
                 built without it)"
            ));
        }
    };
    for (switch, meaning) in [
        (
            "ARCH_AARCH64",
            "is not for AArch64, the only architecture that this crate supports",
        ),
        (
            "KERNEL_MCS",
            "is built without MCS scheduling, which Microkit always has",
        ),
    ] {
        if facts.switches.get(switch) != Some(&true) {
            return Err(format!(
                "the kernel of board `{board}`, configuration `{config}` {meaning}"
            ));
        }
    }
    let missing = |what: &str, file: &str, name: &str| {
        format!(
            "the kernel of board `{board}`, configuration `{config}` has no {what} `{name}` \
             ({file}), which this crate needs"
        )
    };
    if let Some(name) = absent(&SYSTEM_CALLS, &facts.syscalls) {
        return Err(missing("system call", "syscall.xml", name));
    }
    if let Some(name) = absent(&INVOCATIONS, &facts.invocations) {
        return Err(missing("invocation", "invocations_all.json", name));
    }
    if let Some(name) = absent(&FAULTS, &facts.faults) {
        return Err(missing("fault", "types.pbf", name));
    }
    let output = PathBuf::from(env::var_os("OUT_DIR").ok_or("no OUT_DIR")?).join("kernel.rs");
    fs::write(&output, constants(&facts, &board, &config))
        .map_err(|error| format!("cannot write {}: {error}", output.display()))
}

/// Returns the first of `names` that the kernel does not have.
fn absent<T>(names: &[&'static str], present: &BTreeMap<String, T>) -> Option<&'static str> {
    names
        .iter()
        .copied()
        .find(|name| !present.contains_key(*name))
}

fn from_sdk(sdk: &Path, board: &str, config: &str) -> Result<Facts, String> {
    let directory = sdk.join("board").join(board).join(config);
    if !directory.is_dir() {
        let (what, parent) = if sdk.join("board").join(board).is_dir() {
            (
                format!("no configuration `{config}` of board `{board}`"),
                sdk.join("board").join(board),
            )
        } else {
            (format!("no board `{board}`"), sdk.join("board"))
        };
        return Err(format!(
            "the Microkit SDK in {} has {what}; it has: {}",
            sdk.display(),
            names_in(&parent)
        ));
    }
    for file in Facts::files(&directory) {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    Facts::from_sdk(&directory)
        .map_err(|error| format!("the Microkit SDK in {} is damaged: {error}", sdk.display()))
}

fn names_in(directory: &Path) -> String {
    let mut names: Vec<String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    if names.is_empty() {
        "none".into()
    } else {
        names.join(", ")
    }
}

fn constants(facts: &Facts, board: &str, config: &str) -> String {
    let mut text = String::new();
    let mut out = |line: String| writeln!(text, "{line}").expect("writing to a string succeeds");
    let allow = "#[allow(non_upper_case_globals)] // seL4's own names.";
    out("/// System call numbers, under seL4's names (`syscall.xml`).".into());
    out(format!("{allow}\npub mod syscall {{"));
    for (name, number) in &facts.syscalls {
        out(format!(
            "/// `seL4_Sys{name}`.\npub const {name}: i64 = {number};"
        ));
    }
    out("}\n/// Invocation labels, under seL4's names (`invocations_all.json`).".into());
    out(format!("{allow}\npub mod invocation {{"));
    for (name, number) in &facts.invocations {
        out(format!(
            "/// Label of the invocation `{name}`.\npub const {name}: u64 = {number};"
        ));
    }
    for name in OPTIONAL_INVOCATIONS {
        if !facts.invocations.contains_key(name) {
            out(format!(
                "/// This kernel has no invocation `{name}`. The label is `InvalidInvocation`, \
                 which the kernel rejects.\npub const {name}: u64 = 0;"
            ));
        }
    }
    out("}\n/// Labels of fault messages, under seL4's names (`types.pbf`).".into());
    out(format!("{allow}\npub mod fault {{"));
    for (name, number) in &facts.faults {
        out(format!(
            "/// `seL4_Fault_{name}`.\npub const {name}: u64 = {number};"
        ));
    }
    out("}\n/// Registers of a virtual CPU, under seL4's names (`constants.h`).".into());
    out(format!("{allow}\npub mod vcpu_register {{"));
    for (name, number) in &facts.vcpu_registers {
        out(format!(
            "/// `seL4_VCPUReg_{name}`.\npub const {name}: u64 = {number};"
        ));
    }
    let numbers: Vec<_> = facts.vcpu_registers.values().collect();
    out(format!(
        "/// All registers.\npub const ALL: &[u64] = &{numbers:?};"
    ));
    out(
        "}\n/// Switches of the kernel's configuration, under seL4's names (`gen_config.json`)."
            .into(),
    );
    out("pub mod config {".into());
    out(format!(
        "/// The board that this crate was built for.\npub const BOARD: &str = {board:?};"
    ));
    out(format!(
        "/// The Microkit configuration that this crate was built for.\n\
         pub const CONFIGURATION: &str = {config:?};"
    ));
    out(format!(
        "/// Board and configuration, as a mark in the ELF file.\n\
         pub const MARK: &str = {:?};",
        format!("{board}/{config}")
    ));
    for (name, on) in &facts.switches {
        out(format!(
            "/// `CONFIG_{name}`.\npub const {name}: bool = {on};"
        ));
    }
    let switches: String = facts
        .switches
        .iter()
        .map(|(name, on)| {
            let taken = if *on { "$($on)*" } else { "$($off)*" };
            format!("({name} {{$($on:tt)*}} {{$($off:tt)*}}) => {{ {taken} }};\n")
        })
        .collect();
    out(format!(
        "/// The last address that a PD may use (`address_space_constants.json`).\n\
         pub const USER_TOP: usize = {:#x};\n}}",
        facts.user_top
    ));
    out(format!(
        "/// Expands to the content of the first braces if a switch is on, and of the second if it \
         is off.\n#[doc(hidden)]\n#[macro_export]\nmacro_rules! __switch {{\n{switches}\
         ($other:ident $on:tt $off:tt) => {{ ::core::compile_error!(::core::concat!(\
         \"sel4::config has no switch \", ::core::stringify!($other))); }};\n}}"
    ));
    text
}

fn variable(name: &str) -> Option<String> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).ok().filter(|value| !value.is_empty())
}
