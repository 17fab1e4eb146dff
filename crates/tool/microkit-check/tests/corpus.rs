//! Checks the corpus: each bad system gets the report beside it, and a good system gets no
//! findings. Every kind of finding has a bad system.
//!
//! Comments in a system file describe its programs. `<!-- waits PD` starts the lines of a
//! declaration, and `-->` ends the lines. `<!-- memory PD` has a line for each region that the
//! program uses, with the kind of use and the symbols. Further lines such as `stack`, `end` and
//! `variable` set the other fields of `MemoryUse`. The comment `<!-- restart PD replies -->` or
//! `<!-- restart PD waits -->` describes the first action of a program after a restart.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use microkit_check::{
    Declaration, MemoryUse, RegionKind, RegionUse, Report, check, memory, restarts,
};
use microkit_sdf::{KernelConfig, NoFiles, Options, System, parse};
use miette::{GraphicalReportHandler, GraphicalTheme};

fn systems(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "system"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no system files in {}", folder.display());
    paths
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

fn system(path: &Path) -> (System, Vec<Option<Declaration>>) {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let system = parse(name, &text, Options::new(&NoFiles)).unwrap_or_else(|e| panic!("{e:?}"));
    let mut declarations = vec![None; system.protection_domains.len()];
    for comment in text.split("<!-- waits ").skip(1) {
        let (name, rest) = comment.split_once('\n').unwrap();
        let (lines, _) = rest.split_once("-->").unwrap();
        let pd = system.protection_domain(name).unwrap();
        declarations[pd] = Some(Declaration::parse(lines).unwrap());
    }
    (system, declarations)
}

/// Parses the comment that describes a program's use of memory.
fn memory_use(lines: &str) -> MemoryUse {
    let mut used = MemoryUse {
        has_headers: true,
        ..MemoryUse::default()
    };
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = || u64::from_str_radix(words[1].trim_start_matches("0x"), 16).unwrap();
        let kind = match words[0] {
            "stack" => {
                used.stack_bytes = number();
                continue;
            }
            "end" => {
                used.end = number();
                continue;
            }
            "no-headers" => {
                used.has_headers = false;
                continue;
            }
            "data" => {
                used.data_bytes = number();
                continue;
            }
            "kept" => {
                used.kept_bytes = number();
                continue;
            }
            "variable" => {
                used.variables.insert(words[1].to_owned());
                continue;
            }
            "words" => RegionKind::Words,
            "device" => RegionKind::Device,
            "dma" => RegionKind::Dma,
            "raw" => RegionKind::Raw,
            other => panic!("{other} is no use of memory"),
        };
        let mut symbols = words[1..].iter().map(|word| (*word).to_owned());
        used.variables.extend(symbols.clone());
        used.regions.push(RegionUse {
            kind,
            vaddr: symbols.next().unwrap(),
            size: symbols.next(),
            paddr: symbols.next(),
        });
    }
    used
}

fn uses(path: &Path, system: &System) -> Vec<Option<MemoryUse>> {
    let text = fs::read_to_string(path).unwrap();
    let mut uses = vec![None; system.protection_domains.len()];
    for comment in text.split("<!-- memory ").skip(1) {
        let (name, rest) = comment.split_once('\n').unwrap();
        let (lines, _) = rest.split_once("-->").unwrap();
        uses[system.protection_domain(name).unwrap()] = Some(memory_use(lines));
    }
    uses
}

/// Returns whether each program replies after a restart, from the comments of the system file. A
/// program without a comment has the entry `None`.
fn replies(path: &Path, system: &System) -> Vec<Option<bool>> {
    let text = fs::read_to_string(path).unwrap();
    let mut replies = vec![None; system.protection_domains.len()];
    for comment in text.split("<!-- restart ").skip(1) {
        let (words, _) = comment.split_once("-->").unwrap();
        let (name, what) = words.trim().split_once(' ').unwrap();
        let does = match what {
            "replies" => true,
            "waits" => false,
            other => panic!("{other} is nothing that a restarted program does first"),
        };
        replies[system.protection_domain(name).unwrap()] = Some(does);
    }
    replies
}

/// Returns the first report that has findings. The order of the reports is: waits and the file,
/// restarts, memory.
fn report(path: &Path) -> Report {
    let (system, declarations) = system(path);
    let report = check(&system, &declarations);
    if !report.findings().is_empty() {
        return report;
    }
    let report = restarts(&system, &declarations, &replies(path, &system));
    if !report.findings().is_empty() {
        return report;
    }
    let uses = uses(path, &system);
    memory(&system, &uses, KernelConfig::QEMU_VIRT_AARCH64.user_top)
}

fn drawn(report: &Report) -> String {
    let mut drawn = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::none())
        .with_width(100)
        .render_report(&mut drawn, report)
        .unwrap();
    // Trailing spaces are removed, because test files must not contain trailing spaces.
    let lines: Vec<_> = drawn.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[test]
fn each_bad_system_gets_its_report() {
    for path in systems(&folder("bad")) {
        let report = report(&path);
        assert!(!report.findings().is_empty(), "{}", path.display());
        let expect = path.with_extension("report");
        let actual = drawn(&report);
        if env::var_os("BLESS").is_some() {
            fs::write(&expect, &actual).unwrap();
        }
        let expected = fs::read_to_string(&expect).unwrap_or_default();
        assert!(
            actual == expected,
            "{} differs; `BLESS=1 cargo test -p microkit-check` accepts this:\n{actual}",
            expect.display()
        );
    }
}

#[test]
fn nothing_is_found_in_a_good_system() {
    for path in systems(&folder("good")) {
        let report = report(&path);
        assert!(report.findings().is_empty(), "{}", drawn(&report));
    }
}

#[test]
fn every_kind_of_finding_has_a_bad_system() {
    // The variants are read from the source, so that the test includes every new variant.
    let source = include_str!("../src/finding.rs");
    let (_, body) = source.split_once("pub enum FindingKind {").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let listed: BTreeSet<String> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(variant)
        .collect();
    assert!(listed.len() > 10, "read only {listed:?} of the source");

    let paths = systems(&folder("bad"));
    let reports = paths.iter().map(|path| report(path));
    let seen: BTreeSet<String> = reports
        .flat_map(|report| {
            let kinds = report.findings().iter().map(|f| format!("{:?}", f.kind));
            kinds.map(|kind| variant(&kind)).collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<_> = listed.difference(&seen).collect();
    assert!(missing.is_empty(), "no bad system for {missing:?}");
}

/// Checks the system files without programs, as if the programs had no declarations.
#[test]
fn every_system_of_the_project_is_clean() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../microkit-systems");
    for folder in ["", "bench", "conformance", "torture"].map(|name| folder.join(name)) {
        for path in systems(&folder) {
            let report = report(&path);
            assert!(report.findings().is_empty(), "{}", drawn(&report));
        }
    }
}

/// Returns the name at the start of a variant's definition or debug output.
fn variant(text: &str) -> String {
    text.chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}
