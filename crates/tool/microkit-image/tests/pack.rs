//! Tests the contents of images. Asserts that images are reproducible, and that bad kernels are
//! rejected.

mod common;

use boot_spec::ProtectionDomain;
use common::corpus;
use common::elf::{Elf, Segment};
use common::memory::Machine;
use microkit_image::{PackError, Plan, Platform, ProgramError, pack, plan, plan_without_programs};

const START: u64 = 0x7000_0000;
const PAYLOAD: u64 = START + 0x4000;

fn planned(name: &str) -> Plan {
    let case = corpus::named(&corpus::systems("good"), name);
    common::good(&case.text, &case.files)
}

fn kernel() -> Elf {
    Elf::kernel(START, PAYLOAD)
}

#[test]
fn an_image_is_the_kernel_and_the_payload() {
    let plan = planned("memory");
    let image = pack(&plan, &kernel().build()).unwrap();
    assert_eq!(image[..4], [0x14, 1, 2, 3]);
    assert!(image[4..0x1000].iter().all(|byte| *byte == 0));
    assert_eq!(image[0x1000..0x1002], [4, 5]);
    assert!(image[0x1002..0x4000].iter().all(|byte| *byte == 0));
    let machine = Machine::boot(&image, 0x4000);
    let offset = machine.spec.segments[0].image_offset;
    assert_eq!(machine.spec, plan.boot_spec(offset));
}

#[test]
fn a_plan_without_programs_differs_in_the_programs_alone() {
    for case in corpus::systems("good") {
        let with = common::good(&case.text, &case.files).boot_spec(0);
        let system = common::parsed(&case.text, &case.files);
        let platform = Platform::QEMU_VIRT_AARCH64;
        let without = plan_without_programs(&system, &platform, &case.files).unwrap();
        let mut without = without.boot_spec(0);
        assert_eq!(with.channels, without.channels, "{}", case.name);
        for (with, without) in with.pds.iter().zip(&mut without.pds) {
            let entry = without.entry;
            let page = without.mappings.iter().find(|map| map.vaddr == entry);
            assert!(page.is_some_and(|page| page.bytes == 0x1000 && page.perms.execute));
            let maps = |pd: &ProtectionDomain| {
                let of_regions = pd.mappings.iter().filter(|map| !map.perms.execute);
                of_regions.map(|map| map.vaddr + map.bytes).max()
            };
            assert_eq!(maps(with), maps(without), "{}", case.name);
            without.entry = with.entry;
            without.mappings.clone_from(&with.mappings);
            assert_eq!(with, without, "{}", case.name);
        }
    }
}

#[test]
fn an_empty_program_lies_where_no_region_is_mapped() {
    let text = common::system(
        r#"<memory_region name="r" size="0x3000" />
           <protection_domain name="a" priority="1">
               <program_image path="a.elf" />
               <map mr="r" vaddr="0x202000" perms="r" />
               <map mr="r" vaddr="0x1ff000" perms="r" />
           </protection_domain>"#,
    );
    let files = common::Files::default();
    let system = common::parsed(&text, &files);
    let plan = plan_without_programs(&system, &Platform::QEMU_VIRT_AARCH64, &files).unwrap();
    assert_eq!(plan.protection_domains[0].entry, 0x20_5000);
}

#[test]
fn the_same_inputs_make_the_same_bytes() {
    for case in corpus::systems("good") {
        let make = || {
            let plan = common::good(&case.text, &case.files);
            (
                plan.report(),
                plan.boot_spec(0),
                pack(&plan, &kernel().build()).unwrap(),
            )
        };
        assert!(make() == make(), "{}", case.name);
    }
}

#[test]
fn offsets_are_right_however_long_the_boot_spec_is() {
    // The boot spec grows with the number of PDs, until the header and the boot spec no longer fit
    // in one page.
    let files = corpus::files();
    let mut firsts = Vec::new();
    for count in 1..64 {
        let pd = |number| {
            let name = format!("protection_domain_with_a_long_name_{number:028}");
            format!(
                "<protection_domain name=\"{name}\" priority=\"1\">\n<program_image \
                 path=\"pd.elf\" />\n</protection_domain>\n"
            )
        };
        let text = common::system(&(0..count).map(pd).collect::<String>());
        let image = pack(&common::good(&text, &files), &kernel().build()).unwrap();
        firsts.push(Machine::boot(&image, 0x4000).spec.segments[0].image_offset);
    }
    firsts.dedup();
    assert!(
        firsts.len() > 1,
        "no boot spec is longer than a page: {firsts:x?}"
    );
}

#[track_caller]
fn refuse(kernel: &Elf, expect: PackError) {
    assert_eq!(pack(&planned("minimal"), &kernel.build()), Err(expect));
}

#[test]
fn a_kernel_must_start_where_the_image_is_loaded() {
    let entry = START + 4;
    refuse(
        &kernel().with(|elf| elf.entry = entry),
        PackError::Entry {
            entry,
            start: START,
        },
    );
    let start = PackError::Entry {
        entry: START,
        start: START,
    };
    refuse(
        &kernel()
            .with(|elf| elf.segments[0].vaddr += 4)
            .with(|elf| elf.segments[0].paddr += 4),
        start.clone(),
    );
    refuse(
        &kernel().with(|elf| elf.segments[0].perms = "rw"),
        start.clone(),
    );
    refuse(
        &kernel().with(|elf| elf.segments[0].bytes.clear()),
        start.clone(),
    );
    refuse(&kernel().with(|elf| elf.segments.clear()), start);
}

#[test]
fn a_kernels_segments_must_be_before_the_payload_and_apart() {
    let bad = |segment: Segment| {
        let error = PackError::KernelSegment {
            index: 2,
            start: START,
            end: PAYLOAD,
        };
        refuse(&kernel().segment(segment), error);
    };
    bad(Segment::new(START - 0x1000, &[1], 1, "r"));
    bad(Segment::new(PAYLOAD - 1, &[1], 2, "rw"));
    bad(Segment::new(START + 0x17ff, &[1], 2, "rw"));
    bad(Segment {
        paddr: START,
        ..Segment::new(START + 0x2000, &[1], 2, "rw")
    });
}

#[test]
fn a_kernel_must_say_where_the_payload_goes() {
    for at in [PAYLOAD + 1, START - 0x1000, 0x7c00_0000, u64::MAX - 0xfff] {
        let error = PackError::Payload {
            at,
            start: START,
            end: 0x7c00_0000,
        };
        refuse(&Elf::kernel(START, at), error);
    }
    let symbol = "__payload_start".to_owned();
    let error = PackError::Kernel(ProgramError::SymbolMissing { symbol });
    refuse(
        &kernel().without("__payload_start").symbol("other", 0, 0),
        error,
    );
}

#[test]
fn a_kernel_must_be_a_program() {
    let plan = planned("minimal");
    assert_eq!(
        pack(&plan, b""),
        Err(PackError::Kernel(ProgramError::NotElf))
    );
    let whole = kernel().build();
    for len in 0..whole.len() {
        assert!(pack(&plan, &whole[..len]).is_err(), "{len}");
    }
    let lie = kernel().with(|elf| elf.segments[1].lie_bytes = Some(1 << 40));
    refuse(
        &lie,
        PackError::Kernel(ProgramError::SegmentNotInFile { index: 1 }),
    );
}

#[test]
fn an_image_must_fit_in_its_place() {
    let files = corpus::files().with("file", vec![1; 0x3000]);
    let text = "<memory_region name=\"r\" prefill_path=\"file\" />\n\
        <protection_domain name=\"pd\" priority=\"1\">\n<program_image path=\"pd.elf\" />\n\
        <map mr=\"r\" vaddr=\"0x1000000\" perms=\"r\" />\n</protection_domain>";
    let system = common::parsed(&common::system(text), &files);
    // The lengths of the kernel, the boot spec, two pages of the program, and three pages of the
    // file.
    let bytes = 0x4000 + 0x1000 + 0x2000 + 0x3000;
    let pack_before = |image_end| {
        let platform = Platform {
            image_end,
            ..Platform::QEMU_VIRT_AARCH64
        };
        pack(
            &plan(&system, &platform, &files).unwrap(),
            &kernel().build(),
        )
    };
    assert_eq!(pack_before(START + bytes).unwrap().len() as u64, bytes);
    let room = bytes - 0x1000;
    assert_eq!(
        pack_before(START + room),
        Err(PackError::TooLarge { bytes, room })
    );
}
