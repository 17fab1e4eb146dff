//! Parses arbitrary text and renders the reports. Asserts that no text causes a panic.

mod common;

use std::io;
use std::path::Path;

use microkit_sdf::{Files, KernelConfig, Options, Report, parse};
use proptest::prelude::*;

/// Provides files that all have this length.
struct AllOf(u64);

impl Files for AllOf {
    fn len(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0)
    }
}

fn check(text: &str, options: Options<'_>) -> Result<(), TestCaseError> {
    let in_text = |span: microkit_sdf::Span| text.get(span.start..span.end).is_some();
    match parse("hostile.system", text, options) {
        Ok(system) => {
            system.refusals_for_model();
            for setvar in system.protection_domains.iter().flat_map(|pd| &pd.setvars) {
                system.setvar_value(setvar.value);
            }
            common::draw(&Report::new(system.source, system.warnings));
        }
        Err(errors) => {
            prop_assert!(!errors.findings().is_empty());
            for error in errors.findings() {
                prop_assert!(!error.labels.is_empty(), "{error:?}");
                let mut labels = error.labels.iter();
                prop_assert!(labels.all(|label| in_text(label.span)), "{error:?}");
            }
            common::draw(&errors);
            prop_assert!(!errors.to_text().is_empty());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn soup_does_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), len: u64) {
        let text = common::soup::system(&bytes);
        check(&text, Options::new(&AllOf(len)))?;
    }

    #[test]
    fn mutated_corpus_does_not_panic(
        mutant in common::mutant::any(&["good", "bad"]),
        len: u64,
    ) {
        let text = mutant.text();
        check(&text, Options::new(&AllOf(len)))?;
    }

    #[test]
    fn arbitrary_kernels_do_not_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        user_top: u64, cores: u8, domains: u8, schedule_entries: u64, hypervisor: bool, smc: bool,
        (timer_khz, wcet_us, ram) in any::<(u64, u64, Option<(u64, u64)>)>(),
    ) {
        let text = common::soup::system(&bytes);
        let kernel = KernelConfig {
            user_top, cores, domains, schedule_entries, hypervisor, smc, timer_khz, wcet_us, ram,
        };
        check(&text, Options { kernel, files: &common::files() })?;
    }
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    for name in ["protection_domain", "map", "x"] {
        let text = format!("<system>{}", format!("<{name}>").repeat(100_000));
        let closed = text + &format!("</{name}>").repeat(100_000) + "</system>";
        let errors = parse("deep.system", &closed, Options::new(&AllOf(1))).unwrap_err();
        assert!(!errors.findings().is_empty());
    }
}
