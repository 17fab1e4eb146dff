//! Plans random systems with good programs. Checks the invariants of each plan, and that each
//! protection domain has its own data in memory.

mod common;

use std::cell::Cell;

use common::elf::{DATA, Elf, WORDS};
use common::memory::{self, Machine};
use common::random::{Kind, MIB, Pd, Region, files, map_vaddr, systems, text};
use microkit_image::{PlanErrorKind, Platform, pack, plan};
use proptest::prelude::*;

const KERNEL: u64 = 0x7000_0000;

/// Checks the contents of memory in each protection domain.
fn check_memory(machine: &Machine, plan: &microkit_image::Plan, regions: &[Region], pds: &[Pd]) {
    for (number, pd) in pds.iter().enumerate() {
        let read = |vaddr, bytes: usize| machine.read(number, vaddr, bytes as u64);
        assert_eq!(read(DATA, 3).unwrap(), format!("pd{number}").as_bytes());
        for segment in &pd.program().segments[2..] {
            assert_eq!(
                read(segment.vaddr, segment.bytes.len()).unwrap(),
                segment.bytes
            );
            let rest = (segment.mem_bytes as usize) - segment.bytes.len();
            let zeros = read(segment.vaddr + segment.bytes.len() as u64, rest).unwrap();
            assert!(zeros.iter().all(|byte| *byte == 0));
        }
        for (index, region) in regions
            .iter()
            .enumerate()
            .filter(|(index, _)| pd.maps[*index])
        {
            let word = match region.kind {
                Kind::Whole => plan.memory_regions[index].extents[0].paddr,
                _ => map_vaddr(index),
            };
            let vaddr = WORDS + 8 * index as u64;
            assert_eq!(read(vaddr, 8).unwrap(), word.to_le_bytes());
            if let Kind::Filled(bytes) = &region.kind
                && region.perms.contains('r')
            {
                assert_eq!(&read(map_vaddr(index), bytes.len()).unwrap(), bytes);
            }
        }
    }
}

/// Plans a random system and checks the invariants. Returns whether planning succeeded, or `None`
/// if the system file was invalid.
fn is_planned(regions: &[Region], pds: &[Pd]) -> Option<bool> {
    let (text, files) = (text(regions, pds), files(regions, pds));
    let options = microkit_sdf::Options::new(&files);
    // The file is invalid if two regions have the same address.
    let system = microkit_sdf::parse("test.system", &text, options).ok()?;
    match plan(&system, &Platform::QEMU_VIRT_AARCH64, &files) {
        Ok(plan) => {
            memory::check(&plan);
            assert!(plan.used_bytes() <= plan.available_bytes());
            let image = pack(&plan, &Elf::kernel(KERNEL, KERNEL + 0x2000).build()).unwrap();
            check_memory(&Machine::boot(&image, 0x2000), &plan, regions, pds);
            Some(true)
        }
        Err(errors) => {
            let sum: u64 = regions.iter().map(|region| region.bytes).sum();
            for error in errors.findings() {
                let is_expected = match error.kind {
                    PlanErrorKind::RegionOnKernel { .. } => true,
                    PlanErrorKind::NoRoom { .. } => sum > 200 * MIB,
                    _ => false,
                };
                assert!(is_expected, "{}", common::draw(&errors));
            }
            Some(false)
        }
    }
}

#[test]
fn everybody_has_what_is_theirs_and_nothing_else() {
    const CASES: u32 = 400;
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(CASES)
    };
    let planned = Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let check = |(regions, pds): (Vec<Region>, Vec<Pd>)| {
        planned.set(planned.get() + u32::from(is_planned(&regions, &pds) == Some(true)));
        Ok(())
    };
    runner.run(&systems(), check).unwrap();
    println!("{} of {CASES} random systems were laid out", planned.get());
    assert!(planned.get() > CASES / 2, "{planned:?}");
}
