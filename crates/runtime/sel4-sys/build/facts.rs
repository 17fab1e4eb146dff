//! The facts of one kernel configuration, read from the files of an SDK or from the table in this
//! crate.
//!
//! The build script writes the facts as constants, and a test compares the table with an SDK. The
//! build script and the test include this file. So this file must not depend on the rest of the
//! crate.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The numbers and switches of one board and configuration of seL4.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// System call numbers, by the name in `syscall.xml`.
    pub(crate) syscalls: BTreeMap<String, i64>,
    /// Invocation labels, by the name in `invocations_all.json`.
    pub(crate) invocations: BTreeMap<String, u64>,
    /// Fault labels, by the tag's name in `types.pbf`.
    pub(crate) faults: BTreeMap<String, u64>,
    /// Registers of a virtual CPU, by the name in `enum seL4_VCPUReg` without its prefix.
    pub(crate) vcpu_registers: BTreeMap<String, u64>,
    /// Switches of the kernel's configuration, by the name in `gen_config.json`.
    pub(crate) switches: BTreeMap<String, bool>,
    /// The last address that a PD may use.
    pub(crate) user_top: u64,
}

/// The configuration switches that this crate exports.
const SWITCHES: [&str; 17] = [
    "ALLOW_SMC_CALLS",
    "ARCH_AARCH64",
    "ARM_HYPERVISOR_SUPPORT",
    "BENCHMARK_TRACK_UTILISATION",
    "DEBUG_BUILD",
    "ENABLE_BENCHMARKS",
    "ENABLE_SMP_SUPPORT",
    "EXPORT_PCNT_USER",
    "EXPORT_PMU_USER",
    "EXPORT_PTMR_USER",
    "EXPORT_VCNT_USER",
    "EXPORT_VTMR_USER",
    "HARDWARE_DEBUG_API",
    "HAVE_FPU",
    "KERNEL_LOG_BUFFER",
    "KERNEL_MCS",
    "PRINTING",
];

impl Facts {
    /// Reads the facts from the files of an SDK, in `SDK/board/BOARD/CONFIG`.
    pub(crate) fn from_sdk(directory: &Path) -> Result<Self, String> {
        Ok(Self {
            syscalls: syscalls(&read(&directory.join("include/api/syscall.xml"))?)?,
            invocations: invocations(&read(&directory.join("invocations_all.json"))?)?,
            faults: faults(&read(&directory.join("include/sel4/sel4_arch/types.pbf"))?)?,
            vcpu_registers: vcpu_registers(&read(
                &directory.join("include/sel4/sel4_arch/constants.h"),
            )?)?,
            switches: switches(&read(&directory.join("include/kernel/gen_config.json"))?)?,
            user_top: user_top(&read(&directory.join("address_space_constants.json"))?)?,
        })
    }

    /// Returns the files that [`Facts::from_sdk`] reads.
    #[allow(dead_code)] // Only the build script uses this function.
    pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
        [
            "include/api/syscall.xml",
            "invocations_all.json",
            "include/sel4/sel4_arch/types.pbf",
            "include/sel4/sel4_arch/constants.h",
            "include/kernel/gen_config.json",
            "address_space_constants.json",
        ]
        .map(|file| directory.join(file))
        .to_vec()
    }

    /// Reads the facts from a table. Each line is *kind name value*; `#` starts a comment.
    pub(crate) fn from_table(text: &str) -> Result<Self, String> {
        let mut facts = Self::default();
        for (index, line) in text.lines().enumerate() {
            let wrong = |what: &str| format!("line {} of the table: {what}: {line}", index + 1);
            let words: Vec<&str> = line
                .split('#')
                .next()
                .unwrap_or("")
                .split_whitespace()
                .collect();
            match words[..] {
                [] => {}
                [kind, name, value] => {
                    let name = name.to_string();
                    let number = || value.parse().map_err(|_| wrong("not a number"));
                    match kind {
                        "syscall" => drop(facts.syscalls.insert(name, number()?)),
                        "invocation" => drop(facts.invocations.insert(name, number()? as u64)),
                        "fault" => drop(facts.faults.insert(name, number()? as u64)),
                        "vcpu" => drop(facts.vcpu_registers.insert(name, number()? as u64)),
                        "switch" => drop(facts.switches.insert(name, value == "on")),
                        "address" => facts.user_top = number()? as u64,
                        _ => return Err(wrong("unknown kind")),
                    }
                }
                _ => return Err(wrong("not three words")),
            }
        }
        Ok(facts)
    }

    /// Renders the facts as a table that [`Facts::from_table`] reads.
    #[allow(dead_code)] // Only the test that rewrites the table uses this function.
    pub(crate) fn to_table(&self) -> String {
        let mut text = String::new();
        let mut line = |kind, name: &str, value: String| {
            writeln!(text, "{kind} {name} {value}").expect("writing to a string succeeds");
        };
        let mut syscalls: Vec<_> = self.syscalls.iter().collect();
        syscalls.sort_by_key(|&(_, number)| -number);
        syscalls
            .iter()
            .for_each(|(name, number)| line("syscall", name, number.to_string()));
        let mut invocations: Vec<_> = self.invocations.iter().collect();
        invocations.sort_by_key(|&(_, number)| number);
        invocations
            .iter()
            .for_each(|(name, number)| line("invocation", name, number.to_string()));
        let mut faults: Vec<_> = self.faults.iter().collect();
        faults.sort_by_key(|&(_, number)| number);
        faults
            .iter()
            .for_each(|(name, number)| line("fault", name, number.to_string()));
        let mut vcpu_registers: Vec<_> = self.vcpu_registers.iter().collect();
        vcpu_registers.sort_by_key(|&(_, number)| number);
        vcpu_registers
            .iter()
            .for_each(|(name, number)| line("vcpu", name, number.to_string()));
        for (name, on) in &self.switches {
            line("switch", name, if *on { "on" } else { "off" }.to_string());
        }
        line("address", "user_top", self.user_top.to_string());
        text
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Reads the numbers of system calls. The numbers count down from -1 in file order: first the MCS
/// API, then `debug`. System calls that the configuration lacks are counted too.
fn syscalls(xml: &str) -> Result<BTreeMap<String, i64>, String> {
    let document =
        roxmltree::Document::parse(xml).map_err(|error| format!("syscall.xml: {error}"))?;
    let section = |tag| {
        document
            .root_element()
            .children()
            .find(|node| node.has_tag_name(tag))
            .ok_or_else(|| format!("syscall.xml has no <{tag}>"))
    };
    Ok([section("api-mcs")?, section("debug")?]
        .iter()
        .flat_map(|section| section.descendants())
        .filter(|node| node.has_tag_name("syscall"))
        .filter_map(|node| node.attribute("name"))
        .zip(1..)
        .map(|(name, count)| (name.to_string(), -count))
        .collect())
}

fn invocations(json: &str) -> Result<BTreeMap<String, u64>, String> {
    serde_json::from_str(json).map_err(|error| format!("invocations_all.json: {error}"))
}

/// Reads the tags of `tagged_union seL4_Fault` from the bit-field description.
fn faults(text: &str) -> Result<BTreeMap<String, u64>, String> {
    let (_, union) = text
        .split_once("tagged_union seL4_Fault ")
        .ok_or("types.pbf describes no seL4_Fault")?;
    let body = union.split('}').next().unwrap_or("");
    let words: Vec<&str> = body.split_whitespace().collect();
    Ok(words
        .windows(3)
        .filter(|window| window[0] == "tag")
        .filter_map(|window| Some((window[1].to_string(), window[2].parse().ok()?)))
        .collect())
}

/// Reads the constants of `enum seL4_VCPUReg`. The numbers count up from 0. Marker constants that
/// do not name a register are skipped.
fn vcpu_registers(header: &str) -> Result<BTreeMap<String, u64>, String> {
    let wrong = |what: &str| format!("seL4_VCPUReg in constants.h: {what}");
    let (before, _) = header
        .split_once("} seL4_VCPUReg;")
        .ok_or_else(|| wrong("not found"))?;
    let (_, body) = before
        .rsplit_once("typedef enum {")
        .ok_or_else(|| wrong("not an enumeration"))?;
    let mut registers = BTreeMap::new();
    let mut marks = BTreeMap::new();
    let mut next = 0;
    for constant in without_comments(body)?.split(',') {
        let (name, value) = match constant.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (constant.trim(), None),
        };
        if name.is_empty() || name.starts_with("SEL4_FORCE_LONG_ENUM") {
            continue;
        }
        if name.contains(char::is_whitespace) {
            return Err(wrong(&format!("cannot read `{name}`")));
        }
        let number = match value {
            None => next,
            Some(value) => match value.parse().ok() {
                Some(number) => number,
                None => *marks
                    .get(value)
                    .ok_or_else(|| wrong(&format!("cannot read `{value}`")))?,
            },
        };
        next = number + 1;
        marks.insert(name.to_string(), number);
        match name.strip_prefix("seL4_VCPUReg_") {
            Some("Num") | None => {}
            Some(register) => drop(registers.insert(register.to_string(), number)),
        }
    }
    Ok(registers)
}

/// Removes the comments from C source.
fn without_comments(text: &str) -> Result<String, String> {
    let mut code = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("/*") {
        let end = rest[start..]
            .find("*/")
            .ok_or("constants.h has an unterminated comment")?;
        code.push_str(&rest[..start]);
        rest = &rest[start + end + 2..];
    }
    code.push_str(rest);
    let line = |line: &str| line.split("//").next().unwrap_or("").to_string();
    Ok(code.lines().map(line).collect::<Vec<_>>().join("\n"))
}

fn switches(json: &str) -> Result<BTreeMap<String, bool>, String> {
    let all: serde_json::Value =
        serde_json::from_str(json).map_err(|error| format!("gen_config.json: {error}"))?;
    Ok(SWITCHES
        .iter()
        .map(|name| (name.to_string(), all[name].as_bool().unwrap_or(false)))
        .collect())
}

fn user_top(json: &str) -> Result<u64, String> {
    let all: serde_json::Value = serde_json::from_str(json)
        .map_err(|error| format!("address_space_constants.json: {error}"))?;
    all["vspace_user_top"]
        .as_u64()
        .ok_or_else(|| "address_space_constants.json has no vspace_user_top".to_string())
}
