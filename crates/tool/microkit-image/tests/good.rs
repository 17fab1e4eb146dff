//! Asserts that the layout of each good system matches its report file. Asserts that the memory of
//! each program has the contents of the program's files, and the values from the system file.

mod common;

use common::corpus::{self, Case, word};
use common::elf::{CODE, DATA, Elf};
use common::memory::{self, Machine};
use microkit_image::{Plan, Platform, pack};

const PAYLOAD_OFFSET: u64 = 0x1_0000;

fn check(input: &Case) {
    let expect = common::folder("good")
        .join(&input.name)
        .with_extension("report");
    let plan = common::good(&input.text, &input.files);
    memory::check(&plan);
    common::check_file(&plan.report(), &expect);
}

#[test]
fn each_good_system_gets_its_report() {
    corpus::systems("good").iter().for_each(check);
}

fn planned(name: &str) -> Plan {
    let case = corpus::named(&corpus::systems("good"), name);
    common::good(&case.text, &case.files)
}

/// Returns the plan of the system `name`, and the machine after its image has booted.
fn booted(name: &str) -> (Plan, Machine) {
    let start = Platform::QEMU_VIRT_AARCH64.kernel.start;
    let kernel = Elf::kernel(start, start + PAYLOAD_OFFSET);
    let plan = planned(name);
    let machine = Machine::boot(
        &pack(&plan, &kernel.build()).unwrap(),
        PAYLOAD_OFFSET as usize,
    );
    (plan, machine)
}

/// Checks the memory of the protection domain `pd` at `vaddr`.
#[track_caller]
fn check_memory(machine: &Machine, pd: usize, vaddr: u64, expect: &[u8]) {
    let found = machine.read(pd, vaddr, expect.len() as u64);
    assert_eq!(found.as_deref(), Some(expect), "PD {pd} at {vaddr:#x}");
}

#[track_caller]
fn check_words(machine: &Machine, pd: usize, vaddr: u64, expect: &[u64]) {
    let bytes: Vec<u8> = expect.iter().flat_map(|word| word.to_le_bytes()).collect();
    check_memory(machine, pd, vaddr, &bytes);
}

#[test]
fn a_program_finds_its_file_zeros_and_its_name() {
    let (_, machine) = booted("minimal");
    let code: Vec<u8> = (1..=0x40).collect();
    check_memory(&machine, 0, CODE, &code);
    check_memory(&machine, 0, CODE + 0x40, &[0; 0xfc0]);
    // Only the bytes of the name are written. The rest of the symbol is unchanged.
    check_memory(&machine, 0, DATA, b"pd\x83\x84");
    check_memory(&machine, 0, DATA + 64, &[0, 0xc2]); // not passive
    check_words(&machine, 0, DATA + 72, &[0, 0, 0, 0]);
    check_memory(&machine, 0, DATA + 104, &[0xe9]);
    check_memory(&machine, 0, DATA + 0x7f, &[0; 0x1f81]);
    check_memory(&machine, 0, 0xff_ffff_c000, &[0; 0x2000]);
    check_memory(&machine, 0, 0xff_ffff_f000, &[0; 0x1000]);
    assert_eq!(machine.read(0, 0xff_ffff_b000, 1), None);
    assert_eq!(machine.read(0, 0xff_ffff_e000, 1), None);
}

#[test]
fn a_family_finds_its_channels_interrupts_and_children() {
    let (_, machine) = booted("family");
    let none = 0;
    check_memory(&machine, 0, DATA + 64, &[1]);
    check_words(&machine, 0, DATA + 72, &[1 << 5 | 1 << 6, 1, none, none]);
    check_words(&machine, 0, word("child"), &[3]);
    check_words(&machine, 0, word("irq"), &[5]);
    check_words(&machine, 0, word("down"), &[0]);
    check_words(&machine, 1, DATA + 72, &[none, none, 1 << 61, none]);
    check_words(&machine, 1, word("up"), &[61]);
    check_words(&machine, 2, DATA + 72, &[none, none, none, none]);
    let pds = &machine.spec.pds;
    assert_eq!(
        pds.iter().map(|pd| pd.needs_endpoint).collect::<Vec<_>>(),
        [true, true, false]
    );
    assert_eq!(pds[2].parent.unwrap().pd_index, 1);
}

#[test]
fn regions_are_where_they_say_and_hold_their_files() {
    let (plan, machine) = booted("memory");
    let whole = &plan.memory_regions[3].extents;
    assert_eq!(whole.len(), 1);
    check_words(&machine, 0, word("vaddr"), &[0x100_0000]);
    check_words(&machine, 0, word("size"), &[0x3000]);
    check_words(&machine, 0, word("fill"), &[0x1801]);
    check_words(&machine, 0, word("paddr"), &[whole[0].paddr]);
    check_words(&machine, 0, word("device"), &[0x900_0000]);
    check_words(&machine, 0, word("large"), &[0x200_0000]);
    check_words(&machine, 1, word("paddr"), &[whole[0].paddr]);
    let mut file = corpus::file();
    file.resize(0x2000, 0);
    check_memory(&machine, 0, 0x100_3000, &file);
    assert_eq!(plan.memory_regions[4].extents[0].paddr, 0x6000_1000);
}

#[test]
fn a_program_may_be_unusual() {
    let (_, machine) = booted("programs");
    check_memory(&machine, 0, DATA, b"split");
    check_memory(&machine, 1, DATA, b"unusual");
    check_memory(&machine, 1, 0x40_0fef, &[0, 7, 7]);
    check_memory(&machine, 1, 0x40_100e, &[7, 7, 0]);
    check_memory(&machine, 1, DATA + 0x200, &[0, 0]);
    let pd = &machine.spec.pds[1];
    let both = pd
        .mappings
        .iter()
        .find(|map| map.vaddr == 0x40_0000)
        .unwrap();
    assert!(both.perms.write && both.perms.execute && both.bytes == 0x2000);
    // A region mapped without `r` gives no access.
    assert_eq!(machine.read(1, 0x100_0000, 1), None);
}

#[test]
fn of_a_long_name_the_program_finds_what_its_symbol_holds() {
    let (plan, machine) = booted("programs");
    let name = &plan.protection_domains[2].name;
    assert!(name.len() > 64);
    check_memory(&machine, 2, DATA, &name.as_bytes()[..64]);
    check_memory(&machine, 2, DATA + 64, &[0]);
    assert_eq!(machine.spec.pds[2].name, name[..64]);
}

#[test]
fn a_region_that_fits_in_no_one_place_is_split() {
    let plan = planned("split");
    let places: Vec<_> = plan.memory_regions[0]
        .extents
        .iter()
        .map(|e| (e.paddr, e.bytes))
        .collect();
    assert_eq!(
        places,
        [(0x6000_0000, 0x1000_0000), (0x8000_0000, 0x3800_0000)]
    );
}
