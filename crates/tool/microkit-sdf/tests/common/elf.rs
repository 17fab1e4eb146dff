//! Builds the smallest program that the SDK's tool accepts for a protection domain.

/// The address of the program. The corpus maps no region at this address.
const VADDR: u64 = 0x7f_0000_0000;

/// The length of an ELF header in bytes. The next constants are the lengths of table entries.
const HEADER: usize = 64;
const SEGMENT: usize = 56;
const SECTION: usize = 64;

/// Makes an ELF file for AArch64 with one writable segment. Each symbol has the given size in
/// bytes.
pub(crate) fn program(symbols: &[(&str, u64)]) -> Vec<u8> {
    let mut names = vec![0];
    let mut table = vec![0; 24];
    let mut address = VADDR;
    for (name, size) in symbols {
        table.extend((names.len() as u32).to_le_bytes());
        table.extend([0x11, 0]); // a global object
        table.extend(1_u16.to_le_bytes());
        table.extend(address.to_le_bytes());
        table.extend(size.to_le_bytes());
        names.extend(name.bytes().chain([0]));
        address += size;
    }
    let data_len = address - VADDR;

    let table_at = HEADER + SEGMENT;
    let names_at = table_at + table.len();
    let data_at = (names_at + names.len()).next_multiple_of(8);
    let sections_at = data_at + data_len as usize;

    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([2_u16.to_le_bytes(), 183_u16.to_le_bytes()].concat()); // executable, AArch64
    file.extend(1_u32.to_le_bytes());
    file.extend(
        [VADDR, HEADER as u64, sections_at as u64]
            .map(u64::to_le_bytes)
            .concat(),
    );
    file.extend(0_u32.to_le_bytes());
    let sizes = [HEADER, SEGMENT, 1, SECTION, 3, 0];
    file.extend(sizes.map(|size| (size as u16).to_le_bytes()).concat());

    file.extend([1_u32.to_le_bytes(), 6_u32.to_le_bytes()].concat()); // loaded, readable, writable
    let segment = [data_at as u64, VADDR, VADDR, data_len, data_len, 8];
    file.extend(segment.map(u64::to_le_bytes).concat());

    file.extend(&table);
    file.extend(&names);
    file.resize(sections_at, 0);

    file.resize(file.len() + SECTION, 0);
    let (symbol_table, string_table) = (2, 3);
    file.extend(section(symbol_table, table_at, table.len(), 2, 24));
    file.extend(section(string_table, names_at, names.len(), 0, 0));
    file
}

fn section(kind: u32, offset: usize, size: usize, link: u32, entry_size: u64) -> Vec<u8> {
    let mut section = [0, kind].map(u32::to_le_bytes).concat();
    section.extend(
        [0, 0, offset as u64, size as u64]
            .map(u64::to_le_bytes)
            .concat(),
    );
    section.extend([link, 0].map(u32::to_le_bytes).concat());
    section.extend([8, entry_size].map(u64::to_le_bytes).concat());
    section
}
