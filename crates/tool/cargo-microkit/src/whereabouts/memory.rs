//! Reads the memory of a stopped machine, by physical addresses or by the addresses of a PD.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::qemu::Monitor;

const PAGE_BYTES: u64 = 4096;

/// A source of physical memory.
pub(super) trait Source {
    /// Reads physical memory.
    fn read(&self, address: u64, bytes: usize) -> Option<Vec<u8>>;
}

impl Source for Monitor {
    fn read(&self, address: u64, bytes: usize) -> Option<Vec<u8>> {
        Monitor::read(self, address, bytes)
    }
}

/// The memory of a stopped machine. Each page is read only once.
pub(super) struct Memory<'a> {
    source: &'a dyn Source,
    pages: RefCell<BTreeMap<u64, Option<Vec<u8>>>>,
}

impl<'a> Memory<'a> {
    pub(super) fn new(source: &'a dyn Source) -> Self {
        Self {
            source,
            pages: RefCell::default(),
        }
    }

    /// Reads bytes at a physical address. The bytes may cross a page boundary.
    pub(super) fn bytes(&self, address: u64, count: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(count);
        while bytes.len() < count {
            let at = address.checked_add(bytes.len() as u64)?;
            let offset = (at % PAGE_BYTES) as usize;
            let mut pages = self.pages.borrow_mut();
            let page = pages
                .entry(at - at % PAGE_BYTES)
                .or_insert_with_key(|page| self.source.read(*page, PAGE_BYTES as usize));
            let rest = page.as_ref()?.get(offset..)?;
            bytes.extend_from_slice(&rest[..rest.len().min(count - bytes.len())]);
        }
        Some(bytes)
    }

    /// Reads the word at a physical address.
    pub(super) fn word(&self, address: u64) -> Option<u64> {
        let bytes = self.bytes(address, size_of::<u64>())?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }
}

/// The page tables of a PD, with pages of 4 KiB (Arm ARM, *VMSAv8-64*).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(super) struct Tables {
    /// The physical address of the root table.
    root: u64,
    /// The lowest of the address bits that are the index in the root table.
    root_shift: u32,
}

/// The number of address bits for the index in a table, and for the offset in a page.
const TABLE_BITS: u32 = 9;
const PAGE_BITS: u32 = 12;

impl Tables {
    /// Returns the two possible forms of the tables at `root`. One form has three levels, and the
    /// root consists of two concatenated tables, as for a hypervisor with 40 address bits. The
    /// other form has four levels.
    pub(super) fn at(root: u64) -> [Self; 2] {
        [PAGE_BITS + 2 * TABLE_BITS, PAGE_BITS + 3 * TABLE_BITS]
            .map(|root_shift| Self { root, root_shift })
    }

    /// Translates an address of a PD to its physical address.
    pub(super) fn physical(self, memory: &Memory<'_>, address: u64) -> Option<u64> {
        const ADDRESS: u64 = 0xffff_ffff_f000;
        let mut table = self.root;
        let mut shift = self.root_shift;
        let mut index = address >> shift;
        // With three levels, the concatenated root resolves one additional bit.
        let is_concatenated = shift == PAGE_BITS + 2 * TABLE_BITS;
        if index >> (TABLE_BITS + u32::from(is_concatenated)) != 0 {
            return None;
        }
        loop {
            let descriptor = memory.word(table + index * size_of::<u64>() as u64)?;
            let below = (1 << shift) - 1;
            match (descriptor & 0b11, shift) {
                (0b11, PAGE_BITS) => return Some(descriptor & ADDRESS | address & below),
                (0b11, _) => table = descriptor & ADDRESS,
                (0b01, _) if shift > PAGE_BITS => {
                    return Some(descriptor & ADDRESS & !below | address & below);
                }
                _ => return None,
            }
            shift -= TABLE_BITS;
            index = address >> shift & ((1 << TABLE_BITS) - 1);
        }
    }

    /// Reads the word at an address of a PD.
    pub(super) fn word(self, memory: &Memory<'_>, address: u64) -> Option<u64> {
        let is_aligned = address.is_multiple_of(size_of::<u64>() as u64);
        let physical = is_aligned.then(|| self.physical(memory, address))??;
        memory.word(physical)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Memory that contains these words, and zeros elsewhere.
    #[derive(Debug, Default)]
    pub(in super::super) struct Words(pub(in super::super) BTreeMap<u64, u64>);

    impl Source for Words {
        fn read(&self, address: u64, bytes: usize) -> Option<Vec<u8>> {
            let words = (address..).step_by(8).take(bytes / 8);
            let words = words.map(|at| self.0.get(&at).copied().unwrap_or_default());
            (address < 1 << 40).then(|| words.flat_map(u64::to_le_bytes).collect())
        }
    }

    #[test]
    fn an_address_is_translated_by_each_form_of_tables() {
        let entry = |table: u64, index: u64, value: u64| (table + 8 * index, value);
        let words = Words(BTreeMap::from([
            // Address 0x80_0020_1000: entry 512 of two concatenated tables.
            entry(0x10_0000, 512, 0x20_0003),
            entry(0x20_0000, 1, 0x30_0003),
            entry(0x30_0000, 1, 0x40_0403),
            entry(0x40_0000, 1, 77),
            // A block of 2 MiB at 0x40_0000.
            entry(0x10_0000, 0, 0x50_0003),
            entry(0x50_0000, 2, 0x6000_0401),
            // The same page with four levels.
            entry(0x70_0000, 1, 0x10_0003),
        ]));
        let memory = Memory::new(&words);
        let check = |tables: Tables, address, expect| {
            assert_eq!(tables.physical(&memory, address), expect, "{address:#x}");
        };
        let [three, _] = Tables::at(0x10_0000);
        check(three, 0x80_0020_1008, Some(0x40_0008));
        check(three, 0x41_2345, Some(0x6001_2345));
        check(three, 0x80_0020_2000, None);
        check(three, 1 << 40, None);
        check(three, u64::MAX, None);
        assert_eq!(three.word(&memory, 0x80_0020_1008), Some(77));
        assert_eq!(three.word(&memory, 0x80_0020_1001), None);
        let [_, four] = Tables::at(0x70_0000);
        check(four, 0x80_0041_2345, Some(0x6001_2345));
        check(four, 1 << 48, None);
    }

    #[test]
    fn bytes_that_cross_a_page_are_read_whole() {
        let words = Words(BTreeMap::from([(0xff8, u64::MAX), (0x1000, 1)]));
        let memory = Memory::new(&words);
        let bytes = memory.bytes(0xffe, 4);
        assert_eq!(bytes.as_deref(), Some(&[0xff, 0xff, 1, 0][..]));
        assert_eq!(memory.bytes(u64::MAX, 8), None);
    }
}
