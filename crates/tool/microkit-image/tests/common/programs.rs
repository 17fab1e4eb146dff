//! Functions that make bad programs.

use object::{Endianness, elf as format};

use super::corpus::Case;
use super::elf::{CODE, DATA, Elf, Segment};
use super::{Files, system};

const PD: &str = r#"    <protection_domain name="pd" priority="1">
        <program_image path="pd.elf" />
    </protection_domain>"#;

/// Makes a case with a bad program.
fn program(name: &str, bytes: impl Into<Vec<u8>>) -> Case {
    Case::new(
        name.to_owned(),
        system(PD),
        Files::default().with("pd.elf", bytes),
    )
}

/// Makes a case with one change to a good program.
fn changed(name: &str, change: impl FnOnce(&mut Elf)) -> Case {
    program(name, Elf::pd().with(change).build())
}

/// Makes a case with one additional segment.
fn segment(name: &str, vaddr: u64, mem_bytes: u64, perms: &'static str) -> Case {
    let segment = Segment::new(vaddr, &[1; 8], mem_bytes, perms);
    changed(name, |elf| elf.segments.push(segment))
}

/// Makes a case with one symbol replaced.
fn symbol(name: &str, symbol: &str, vaddr: u64, bytes: u64) -> Case {
    program(
        name,
        Elf::pd()
            .without(symbol)
            .symbol(symbol, vaddr, bytes)
            .build(),
    )
}

/// Returns all cases with bad programs.
pub(crate) fn bad() -> Vec<Case> {
    [files(), headers(), segments(), symbols(), elsewhere()].concat()
}

fn files() -> Vec<Case> {
    let whole = Elf::pd().build();
    vec![
        Case::new("unreadable".to_owned(), system(PD), Files::default()),
        program("not_elf", "#!/bin/sh\n"),
        program("empty", ""),
        program("magic_only", "\x7fELF"),
        program("header_cut", &whole[..63]),
        program("file_cut", &whole[..100]),
    ]
}

fn headers() -> Vec<Case> {
    let whole = Elf::pd().build();
    let mut class = whole.clone();
    class[4] = 1;
    let mut table = whole.clone();
    table[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
    vec![
        program("class_32", class),
        program("table_nowhere", table),
        changed("big_endian", |elf| elf.endianness = Endianness::Big),
        changed("stricter_machine", |elf| elf.machine = format::EM_X86_64),
        changed("stricter_not_executable", |elf| elf.kind = format::ET_DYN),
        changed("stricter_entry", |elf| elf.entry = DATA),
        changed("stricter_entry_cut", |elf| elf.entry = CODE + 0x3e),
    ]
}

fn segments() -> Vec<Case> {
    vec![
        changed("segment_not_in_file", |elf| {
            elf.segments[1].lie_bytes = Some(0x1700)
        }),
        changed("segment_offset_wraps", |elf| {
            elf.segments[1].lie_bytes = Some(u64::MAX - 8);
            elf.segments[1].mem_bytes = u64::MAX;
        }),
        changed("segment_cut_short", |elf| elf.segments[1].mem_bytes = 0x70),
        segment("stricter_segment_wraps", u64::MAX - 0xfff, 0x2000, "r"),
        segment("stricter_segment_not_readable", 0x40_0000, 8, "x"),
        segment("segment_on_stack", 0xff_ffff_d000, 8, "rw"),
        segment("segment_on_ipc_buffer", 0xff_ffff_fff8, 8, "rw"),
        segment("stricter_segment_on_guard", 0xff_ffff_e000, 8, "rw"),
        segment("stricter_segment_above", 1 << 40, 8, "rw"),
        segment("segments_share_a_page", CODE + 0xff0, 0x20, "r"),
        changed("segments_in_one_another", |elf| {
            elf.segments[0].mem_bytes = 0x2_0000
        }),
        changed("segment_in_a_long_one", |elf| {
            elf.segments
                .push(Segment::new(0x30_0000, &[], 0x8000, "rw"));
            elf.segments
                .push(Segment::new(0x30_2000, &[], 0x1000, "rw"));
            elf.segments
                .push(Segment::new(0x30_6000, &[], 0x1000, "rw"));
        }),
        changed("stricter_no_code", |elf| {
            elf.segments[0].bytes.clear();
            elf.segments[0].mem_bytes = 0;
        }),
        segment("out_of_room", 0x40_0000, 0x8000_0000, "rw"),
    ]
}

fn symbols() -> Vec<Case> {
    // The symbol is never set, but the SDK's tool reads its name.
    let mut name = Elf::pd().symbol("QQQQ", DATA, 8).build();
    let at = name.windows(4).position(|bytes| bytes == b"QQQQ").unwrap();
    name[at] = 0xff;
    let twice = Elf::pd().symbol("microkit_irqs", DATA, 8);
    vec![
        changed("no_symbols", |elf| elf.symbols.clear()),
        changed("no_runtime", |elf| {
            elf.symbols = vec![("main".to_owned(), CODE, 8)]
        }),
        program("symbol_missing", Elf::pd().without("microkit_pps").build()),
        changed("symbols_all_missing", |elf| elf.symbols.truncate(1)),
        program("symbol_twice", twice.build()),
        program("symbol_not_text", name),
        symbol("symbol_too_small", "microkit_irqs", DATA, 4),
        symbol("name_too_small", "microkit_name", DATA, 1),
        symbol("symbol_outside", "microkit_pps", DATA + 0x17f9, 8),
        symbol("symbol_undefined", "microkit_pps", 0, 0),
        symbol("symbol_wraps", "microkit_pps", u64::MAX, 8),
        symbol(
            "stricter_symbol_wraps",
            "microkit_pps",
            DATA,
            u64::MAX - 0xfff,
        ),
    ]
}

/// Returns the cases with the symbols in another file.
fn elsewhere() -> Vec<Case> {
    let text = system(&PD.replace("pd.elf\"", "pd.elf\" path_for_symbols=\"symbols.elf\""));
    let case = |name: &str, symbols: Vec<u8>| {
        let program = Elf::pd().with(|elf| elf.symbols.clear()).build();
        let files = Files::default()
            .with("pd.elf", program)
            .with("symbols.elf", symbols);
        Case::new(name.to_owned(), text.clone(), files)
    };
    vec![
        case(
            "elsewhere_missing",
            Elf::pd().without("microkit_name").build(),
        ),
        case(
            "elsewhere_outside",
            Elf::pd().with(|elf| elf.symbols[0].1 = 0x1000).build(),
        ),
        case("elsewhere_not_elf", b"no symbols".to_vec()),
    ]
}
