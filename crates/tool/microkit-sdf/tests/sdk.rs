//! Compares this crate with the tool of an SDK, if an SDK is available. The tool must reject and
//! accept the same systems, and give each accepted system the same meaning.

mod common;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::{env, fs};

use common::tool::Tool;
use microkit_abi::badge;
use microkit_sdf::{Options, SdfError, SdfErrorKind, System, WarningKind, parse};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// The prefix in the names of bad systems that the tool accepts but should reject.
const STRICTER: &str = "stricter_";

#[test]
fn the_tool_refuses_each_bad_system() {
    let Some(tool) = Tool::find("bad") else {
        return;
    };
    for input in common::systems("bad") {
        let text = fs::read_to_string(&input).unwrap();
        if !common::is_for_sdk(&text) {
            continue;
        }
        let name = input.file_name().unwrap().to_str().unwrap();
        let outcome = tool.build(&text);
        let expected = name.starts_with(STRICTER);
        assert_eq!(outcome.spec.is_some(), expected, "{name}: {}", outcome.said);
    }
}

#[test]
fn the_tool_builds_each_good_system_and_means_the_same_by_it() {
    let Some(tool) = Tool::find("good") else {
        return;
    };
    for input in common::systems("good") {
        let text = fs::read_to_string(&input).unwrap();
        if !common::is_for_sdk(&text) {
            continue;
        }
        let name = input.file_name().unwrap().to_str().unwrap();
        let system = parse(name, &text, common::options(&text, &common::files())).unwrap();
        let outcome = tool.build(&text);
        let Some(spec) = &outcome.spec else {
            panic!("{name}: {}", outcome.said)
        };
        common::spec::check(spec, &system);
        assert_eq!(unused(&system), outcome.unused, "{name}");
    }
}

#[test]
fn the_tool_agrees_on_generated_systems() {
    let Some(tool) = Tool::find("generated") else {
        return;
    };
    let bytes = prop::collection::vec(any::<u8>(), 0..300);
    agree_on(
        &tool,
        "generated",
        &bytes.prop_map(|bytes| common::soup::system(&bytes)),
    );
}

#[test]
fn the_tool_agrees_on_mutants_of_good_systems() {
    let Some(tool) = Tool::find("mutants") else {
        return;
    };
    agree_on(
        &tool,
        "mutants",
        &common::mutant::any(&["good"]).prop_map(|mutant| mutant.text()),
    );
}

/// Returns the memory regions that a warning reports as unused.
fn unused(system: &System) -> BTreeSet<String> {
    let name = |kind: &WarningKind| match kind {
        WarningKind::UnusedRegion { region } => Some(region.clone()),
        _ => None,
    };
    system
        .warnings
        .iter()
        .filter_map(|warning| name(&warning.kind))
        .collect()
}

/// The maximum number of pages. With more pages, the tool needs minutes and all memory.
const MAX_PAGES: u64 = 10_000;

fn pages(system: &System) -> u64 {
    system
        .memory_regions
        .iter()
        .map(|region| region.page_count)
        .fold(0, u64::saturating_add)
}

/// Compares this crate and the tool on `SDK_CASES` random systems. The default number is 500.
fn agree_on(tool: &Tool, what: &str, systems: &impl Strategy<Value = String>) {
    let cases = env::var("SDK_CASES").map_or(500, |cases| cases.parse().unwrap());
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let (taken, refused, stricter) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let files = tool.files();
    let add = |count: &Cell<u32>| count.set(count.get() + 1);
    let agree = |text: String| {
        tool.write(&text);
        let ours = parse("tested.system", &text, Options::new(&files));
        if ours.as_ref().is_ok_and(|system| pages(system) > MAX_PAGES) {
            return Ok(());
        }
        let theirs = tool.build(&text);
        match (ours, theirs.system_was_taken()) {
            (Ok(system), true) => {
                add(&taken);
                if let Some(spec) = &theirs.spec {
                    common::spec::check(spec, &system);
                    prop_assert_eq!(unused(&system), theirs.unused, "{}", text);
                }
            }
            (Err(_), false) => add(&refused),
            (Err(errors), true) if errors.findings().iter().all(|e| is_stricter(e, &text)) => {
                add(&stricter);
            }
            // The tool stopped before the stage that finds this error.
            (Err(errors), true) if !theirs.built() && errors.findings().iter().all(is_late) => {}
            (Err(errors), true) => {
                return Err(TestCaseError::fail(format!(
                    "{text}\n{}",
                    common::draw(&errors)
                )));
            }
            (Ok(_), false) => {
                return Err(TestCaseError::fail(format!("{text}\n{}", theirs.said)));
            }
        }
        Ok(())
    };
    if let Err(failure) = TestRunner::new(config).run(systems, agree) {
        panic!("{failure}");
    }
    let [taken, refused, stricter] = [taken, refused, stricter].map(|count| count.get());
    common::say(&format!(
        "{what}: {taken} taken and {refused} refused by both, {stricter} refused here only"
    ));
}

/// Returns whether the tool may accept a system with this error. The documentation of
/// [`SdfErrorKind`] lists these errors.
fn is_stricter(error: &SdfError, text: &str) -> bool {
    use SdfErrorKind::*;
    let before = &text[..error.labels[0].span.start];
    match &error.kind {
        ChildInVcpuSlot { .. } | PhysWraps { .. } => true,
        BudgetTooSmall { .. } | PeriodTooLong { .. } => true,
        DurationTooLong { .. } | ScheduleStartsAtEnd { .. } | NullAddress { .. } => true,
        OutOfRange {
            attribute: "slot",
            value,
            ..
        } => (64..128).contains(&value.parse().unwrap()),
        OutOfRange {
            attribute: "id",
            max: badge::CHILD_MASK,
            ..
        } => true,
        TooManyDomains { .. } => before.matches("<domain ").count() == 16,
        ScheduleShift { shift, entries, .. } => shift.checked_add(*entries).is_none(),
        // The two ends of one channel have the same identifier.
        DuplicateId {
            what: "channel identifier",
            ..
        } => error
            .labels
            .get(1)
            .is_some_and(|first| !before[first.span.end..].contains("<channel")),
        _ => false,
    }
}

/// Returns whether the tool finds this error only after it has read the programs.
fn is_late(error: &SdfError) -> bool {
    use SdfErrorKind::*;
    matches!(
        error.kind,
        NameClash { .. }
            | PrefillTooShort { .. }
            | MapOfNothing { .. }
            | TooManyVcpus { .. }
            | Unknown {
                what: "memory region",
                ..
            }
    )
}
