//! Compares plans with the output of an SDK's tool, if an SDK is available. The tool must reject
//! the systems that this crate rejects, except for the stricter checks. The tool must accept all
//! other systems, with the same address spaces.

mod common;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::env;

use common::changes::{TEXT, apply, change, program};
use common::corpus::{self, Case, STRICTER};
use common::tool::{Page, Spec, Thread, Tool};
use common::{Files, programs, random};
use microkit_image::{
    MemoryRegion, Plan, PlanError, PlanErrorKind, ProgramError, ProtectionDomain, plan,
};
use microkit_sdf::parse;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[test]
fn the_tool_refuses_each_bad_system() {
    let Some(tool) = Tool::find("bad") else {
        return;
    };
    let cases = [programs::bad(), corpus::systems("bad")].concat();
    let mut wrong = Vec::new();
    for case in cases.iter().filter(|case| case.is_for_tool()) {
        let is_taken = tool.build(case).map(|_| ());
        if is_taken.is_ok() != case.name.starts_with(STRICTER) {
            wrong.push((case.name.clone(), is_taken));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_tool_lays_out_each_good_system_in_the_same_way() {
    let Some(tool) = Tool::find("good") else {
        return;
    };
    for case in corpus::systems("good") {
        let spec = tool
            .build(&case)
            .unwrap_or_else(|said| panic!("{}: {said}", case.name));
        check(&case, &spec);
    }
}

#[test]
fn the_tool_lays_out_random_systems_in_the_same_way() {
    let Some(tool) = Tool::find("random") else {
        return;
    };
    let config = config();
    let (cases, taken) = (config.cases, Cell::new(0));
    TestRunner::new(config)
        .run(&random::systems(), |(regions, pds)| {
            let files = random::files(&regions, &pds);
            let case = Case::new("system".to_owned(), random::text(&regions, &pds), files);
            let options = microkit_sdf::Options::new(&case.files);
            let Ok(system) = parse("test.system", &case.text, options) else {
                return Ok(());
            };
            match (
                plan(&system, &case.platform, &case.files),
                tool.build(&case),
            ) {
                (Ok(plan), Ok(spec)) => {
                    taken.set(taken.get() + 1);
                    check_plan(&case.name, &plan, &spec);
                }
                // The kernel of the SDK and the model kernel are at different addresses.
                (Ok(_), Err(said)) if said.contains("is not in any valid memory region") => {}
                (Ok(_), Err(said)) => return Err(TestCaseError::fail(case.text + &said)),
                (Err(errors), Ok(_)) if errors.findings().iter().all(is_of_our_kernel) => {}
                (Err(errors), Ok(_)) => return Err(TestCaseError::fail(common::draw(&errors))),
                (Err(_), Err(_)) => {}
            }
            Ok(())
        })
        .unwrap();
    println!(
        "{} of {cases} random systems were taken by both",
        taken.get()
    );
}

#[test]
fn the_tool_agrees_on_changed_programs() {
    let Some(tool) = Tool::find("changed") else {
        return;
    };
    let config = config();
    let (cases, taken) = (config.cases, Cell::new(0));
    TestRunner::new(config)
        .run(&prop::collection::vec(change(), 1..4), |changes| {
            let whole = program().build();
            let files = Files::default().with("pd.elf", apply(whole.clone(), &changes));
            let files = files.with("symbols.elf", whole).with("file", "x");
            let case = Case::new("system".to_owned(), TEXT.to_owned(), files);
            let system = common::parsed(&case.text, &case.files);
            match (
                plan(&system, &case.platform, &case.files),
                tool.build(&case),
            ) {
                (Ok(plan), Ok(spec)) => {
                    taken.set(taken.get() + 1);
                    check_plan(&case.name, &plan, &spec);
                }
                (Ok(_), Err(said)) => return Err(TestCaseError::fail(said)),
                (Err(errors), Ok(_)) if errors.findings().iter().all(is_stricter) => {}
                (Err(errors), Ok(_)) => return Err(TestCaseError::fail(common::draw(&errors))),
                (Err(_), Err(_)) => {}
            }
            Ok(())
        })
        .unwrap();
    println!(
        "{} of {cases} changed programs were taken by both",
        taken.get()
    );
}

/// Returns whether the tool may accept a program with this error.
fn is_stricter(error: &PlanError) -> bool {
    let PlanErrorKind::Program { error, .. } = &error.kind else {
        return false;
    };
    matches!(
        error,
        ProgramError::Malformed { .. }
            | ProgramError::Machine { .. }
            | ProgramError::NotExecutable { .. }
            | ProgramError::SegmentWraps { .. }
            | ProgramError::SegmentNotReadable { .. }
            | ProgramError::SegmentOnStack { .. }
            | ProgramError::Entry { .. }
            | ProgramError::SymbolWraps { .. }
    )
}

fn config() -> Config {
    let cases = env::var("SDK_CASES").map_or(60, |cases| cases.parse().unwrap());
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}

/// Returns whether the tool may accept a system with this error, because the SDK's kernel is at
/// another address and leaves more memory free.
fn is_of_our_kernel(error: &PlanError) -> bool {
    matches!(
        error.kind,
        PlanErrorKind::RegionOnKernel { .. } | PlanErrorKind::NoRoom { .. }
    )
}

fn check(case: &Case, spec: &Spec) {
    check_plan(&case.name, &common::good(&case.text, &case.files), spec);
}

fn check_plan(name: &str, plan: &Plan, spec: &Spec) {
    for pd in &plan.protection_domains {
        let thread = Thread {
            entry: pd.entry,
            stack_top: pd.stack.range().end,
            ipc_buffer: pd.ipc_buffer.vaddr,
        };
        assert_eq!(spec.thread(&pd.name), thread, "{} {}", name, pd.name);
        let ours = pages(plan, pd);
        let mut theirs = spec.pages(&pd.name);
        for (vaddr, page) in &mut theirs {
            // The tool also states the physical addresses that it has chosen. The test ignores
            // these addresses.
            if ours.get(vaddr).is_some_and(|page| page.paddr.is_none()) {
                page.paddr = None;
            }
        }
        assert_eq!(theirs, ours, "{} {}", name, pd.name);
    }
}

/// Returns the pages of a protection domain, by address.
fn pages(plan: &Plan, pd: &ProtectionDomain) -> BTreeMap<u64, Page> {
    let mut pages = BTreeMap::new();
    let page = |perms: boot_spec::Perms, bytes, cached, paddr| Page {
        bytes,
        read: perms.read,
        write: perms.write,
        execute: perms.execute,
        cached,
        paddr,
    };
    for area in pd.own() {
        for vaddr in area.range().step_by(0x1000) {
            pages.insert(vaddr, page(area.perms, 0x1000, true, None));
        }
    }
    for map in &pd.maps {
        let MemoryRegion {
            bytes,
            page_size,
            is_fixed,
            extents,
            ..
        } = &plan.memory_regions[map.region];
        for offset in (0..*bytes).step_by(page_size.bytes() as usize) {
            let paddr = is_fixed.then(|| extents[0].paddr + offset);
            let page = page(map.perms, page_size.bytes(), map.cached, paddr);
            pages.insert(map.vaddr + offset, page);
        }
    }
    pages
}
