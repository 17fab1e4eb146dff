//! Plans systems with arbitrary or changed programs, and systems with a prefill file of any length.
//! Packs images with changed kernels. Asserts that the result is an error, a plan that keeps the
//! invariants, or an image that is not too large. A panic is never allowed.

mod common;

use std::cell::Cell;

use common::changes::{Change, TEXT, apply, change, program};
use common::elf::Elf;
use common::{Files, corpus, memory};
use microkit_image::{Platform, pack, plan};
use proptest::prelude::*;

const KERNEL: u64 = 0x7000_0000;

/// Plans a system, checks the invariants and packs the image. Returns whether planning succeeded.
fn is_planned(text: &str, files: &Files) -> bool {
    let system = common::parsed(text, files);
    let Ok(plan) = plan(&system, &Platform::QEMU_VIRT_AARCH64, files) else {
        return false;
    };
    memory::check(&plan);
    let report = plan.report();
    assert!(
        report.lines().all(|line| line == line.trim_end()),
        "{report}"
    );
    let image = pack(&plan, &Elf::kernel(KERNEL, KERNEL + 0x2000).build()).unwrap();
    memory::Machine::boot(&image, 0x2000);
    true
}

#[test]
fn a_changed_program_is_an_error_or_a_plan() {
    let planned = Cell::new(0);
    let changes = prop::collection::vec(change(), 1..6);
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(4000)
    };
    let check = |(changes, symbols): (Vec<Change>, bool)| {
        let changed = apply(program().build(), &changes);
        let whole = program().build();
        let (image, symbols) = if symbols {
            (whole, changed)
        } else {
            (changed, whole)
        };
        let files = Files::default().with("file", "x").with("pd.elf", image);
        planned
            .set(planned.get() + u32::from(is_planned(TEXT, &files.with("symbols.elf", symbols))));
        Ok(())
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner.run(&(changes, any::<bool>()), check).unwrap();
    println!(
        "{} of 4000 changed programs were still laid out",
        planned.get()
    );
    assert!((100..3900).contains(&planned.get()), "{planned:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn any_bytes_are_an_error_or_a_plan(
        bytes in prop::collection::vec(any::<u8>(), 0..512),
        is_elf: bool,
    ) {
        let mut program = bytes;
        if is_elf {
            let header = &Elf::pd().build()[..64];
            program.splice(0..0, header.iter().copied());
        }
        let files = Files::default().with("file", "x").with("symbols.elf", program.clone());
        prop_assert!(!is_planned(TEXT, &files.with("pd.elf", program)));
    }

    #[test]
    fn a_changed_kernel_is_an_error_or_an_image(
        changes in prop::collection::vec(change(), 1..6),
    ) {
        let files = corpus::files();
        let case = corpus::named(&corpus::systems("good"), "minimal");
        let plan = common::good(&case.text, &files);
        let kernel = apply(Elf::kernel(KERNEL, KERNEL + 0x2000).build(), &changes);
        if let Ok(image) = pack(&plan, &kernel) {
            prop_assert!(image.len() as u64 <= plan.platform.image_end - KERNEL);
        }
    }

    #[test]
    fn a_filling_of_any_length_is_an_error_or_a_plan(
        bytes in prop_oneof![0_usize..0x4000, 0x1f_f000_usize..0x20_1000],
        now in prop_oneof![Just(None), (0_usize..0x4000).prop_map(Some)],
        size in prop_oneof![Just(None), (0_u64..0x402).prop_map(|pages| Some(pages * 0x1000))],
    ) {
        let size = size.map_or(String::new(), |size| format!("size=\"{size:#x}\""));
        let text = TEXT.replace("prefill_path", &format!("{size} prefill_path"));
        let files = Files::default().with("pd.elf", program().build());
        let files = files.with("symbols.elf", program().build()).with("file", vec![1; bytes]);
        let options = microkit_sdf::Options::new(&files);
        if let Ok(system) = microkit_sdf::parse("test.system", &text, options) {
            let later = files.clone().with("file", vec![1; now.unwrap_or(bytes)]);
            let planned = plan(&system, &Platform::QEMU_VIRT_AARCH64, &later);
            prop_assert_eq!(planned.is_ok(), now.is_none_or(|now| now == bytes));
            if let Ok(plan) = planned {
                memory::check(&plan);
            }
        }
    }
}
