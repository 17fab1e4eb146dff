//! Checks whether the system file maps memory as the programs expect.
//!
//! The safe code of a program gets the address, the size and the physical address of a region as
//! three words. This code is sound only if the three words belong to one region. This code also
//! needs exclusive access to a region with one owner, and an unmapped page below its stack. Neither
//! the compiler nor the program at run time can check all of these conditions. Therefore the ELF
//! file declares the use of each region ([`MemoryUse`]), and this module compares the system file
//! with the declaration.

use std::collections::{BTreeMap, BTreeSet};

use microkit_abi::{limits, regions};
use microkit_sdf::{Map, ProtectionDomain, SetVar, SetVarValue, System};
use thiserror::Error;

use crate::finding::{Finding, FindingKind, Label, Report};

/// Declares the requirements of a program for its mapped memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemoryUse {
    /// The regions that the program uses, in the order of the records.
    pub regions: Vec<RegionUse>,
    /// The stack size that the program requests, in bytes.
    pub stack_bytes: u64,
    /// The word-sized variables that the system file may set. The system file may not set other
    /// symbols, such as a function or a variable of the runtime.
    pub variables: BTreeSet<String>,
    /// The first address above the program's segments.
    pub end: u64,
    /// The size of the initialised data, in bytes.
    pub data_bytes: u64,
    /// The number of bytes of initialised data that the program keeps for a restart.
    pub kept_bytes: u64,
    /// Whether the ELF headers of the program are in its memory. A restart finds the segments by
    /// these headers.
    pub has_headers: bool,
}

/// A region that a program uses, identified by the symbols that the system file sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionUse {
    /// The kind of use.
    pub kind: RegionKind,
    /// The symbol for the address.
    pub vaddr: String,
    /// The symbol for the size.
    pub size: Option<String>,
    /// The symbol for the physical address.
    pub paddr: Option<String>,
}

/// The way a program uses a region.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum RegionKind {
    /// As atomic words. Other PDs may also read and write the words.
    Words,
    /// As the registers of a device, with exclusive access.
    Device,
    /// As memory that only one owner and one device access.
    Dma,
    /// Through a raw pointer.
    Raw,
}

impl RegionKind {
    /// Whether the program requires exclusive access to the region.
    fn has_one_owner(self) -> bool {
        match self {
            Self::Device | Self::Dma => true,
            Self::Words | Self::Raw => false,
        }
    }
}

/// The reason why the records of a program cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MemoryUseError {
    /// The section is not a list of records.
    #[error("it has {0} bytes, which is not a multiple of a record's size")]
    Length(usize),
    /// The records have another version.
    #[error("it has version {0}, and this reads version {version}", version = regions::VERSION)]
    Version(u64),
    /// A record has an unknown kind of use.
    #[error("a region is used in a way that is not known ({0})")]
    Use(u64),
    /// A record contains an address that is not the address of a symbol.
    #[error("there is no symbol at {0:#x}: the program was stripped")]
    Symbol(u64),
}

impl RegionUse {
    /// Reads the records of the section `microkit_abi::regions::SECTION`. `symbols` are the
    /// program's symbols by address.
    ///
    /// # Errors
    ///
    /// Returns an error if the section was not written by `sel4-microkit`.
    pub fn all_from_bytes(
        bytes: &[u8],
        symbols: &BTreeMap<u64, String>,
    ) -> Result<Vec<Self>, MemoryUseError> {
        let (records, rest) = bytes.as_chunks::<{ regions::RECORD_BYTES }>();
        if !rest.is_empty() {
            return Err(MemoryUseError::Length(bytes.len()));
        }
        let symbol = |address| match address {
            0 => Ok(None),
            _ => match symbols.get(&address) {
                Some(name) => Ok(Some(name.clone())),
                None => Err(MemoryUseError::Symbol(address)),
            },
        };
        let mut regions = Vec::new();
        for record in records {
            let [region_use, vaddr, size, paddr] = words(record);
            let kind = match region_use {
                regions::FIRST if vaddr == regions::VERSION => continue,
                regions::FIRST => return Err(MemoryUseError::Version(vaddr)),
                regions::WORDS => RegionKind::Words,
                regions::DEVICE => RegionKind::Device,
                regions::DMA => RegionKind::Dma,
                regions::RAW => RegionKind::Raw,
                other => return Err(MemoryUseError::Use(other)),
            };
            regions.push(Self {
                kind,
                vaddr: symbol(vaddr)?.ok_or(MemoryUseError::Symbol(0))?,
                size: symbol(size)?,
                paddr: symbol(paddr)?,
            });
        }
        Ok(regions)
    }
}

fn words(record: &[u8; regions::RECORD_BYTES]) -> [u64; 4] {
    let (words, _) = record.as_chunks();
    core::array::from_fn(|index| u64::from_le_bytes(words[index]))
}

/// Reports each mapping of `system` that differs from the expectation of its program. `uses` has an
/// entry for each protection domain, in the same order. The entry is `None` for a program without
/// records, such as a C program. `user_top` is the last address that a PD may use.
pub fn memory(system: &System, uses: &[Option<MemoryUse>], user_top: u64) -> Report {
    let mut findings = Vec::new();
    for (index, pd) in system.protection_domains.iter().enumerate() {
        guard(system, pd, user_top, &mut findings);
        let Some(Some(used)) = uses.get(index) else {
            continue;
        };
        if used.stack_bytes > pd.stack_bytes {
            let kind = FindingKind::StackTooSmall {
                pd: pd.name.clone(),
                wanted: used.stack_bytes,
                given: pd.stack_bytes,
            };
            findings.push(Finding::new(kind, vec![Label::new(pd.span, "here")]));
        }
        if let Some(limit) = Some(guard_page(pd, user_top)).filter(|limit| used.end > *limit) {
            let kind = FindingKind::ProgramTooHigh {
                pd: pd.name.clone(),
                end: used.end,
                limit,
            };
            findings.push(Finding::new(kind, vec![Label::new(pd.span, "here")]));
        }
        if pd.parent.is_some() && used.data_bytes > used.kept_bytes {
            let kind = FindingKind::DataNotKept {
                pd: pd.name.clone(),
                data: used.data_bytes,
                kept: used.kept_bytes,
                wanted: used.data_bytes.next_multiple_of(16),
            };
            findings.push(Finding::new(kind, vec![Label::new(pd.span, "here")]));
        }
        if pd.parent.is_some() && !used.has_headers {
            let kind = FindingKind::HeadersNotInMemory {
                pd: pd.name.clone(),
            };
            findings.push(Finding::new(kind, vec![Label::new(pd.span, "here")]));
        }
        for set in &pd.setvars {
            if !used.variables.contains(&set.symbol) {
                let kind = FindingKind::NoVariable {
                    pd: pd.name.clone(),
                    symbol: set.symbol.clone(),
                };
                findings.push(Finding::new(kind, vec![Label::new(set.span, "here")]));
            }
        }
        for region in &used.regions {
            let one = One { system, pd, region };
            findings.extend(one.finding(index));
        }
    }
    Report::new(system.source.clone(), findings).grouped()
}

/// Returns the first address of the guard page below the stack.
fn guard_page(pd: &ProtectionDomain, user_top: u64) -> u64 {
    let stack = limits::stack_top(user_top).saturating_sub(pd.stack_bytes);
    stack.saturating_sub(limits::SMALL_PAGE_BYTES)
}

/// Checks that the guard page below the stack is unmapped. A stack overflow must fault in this
/// page.
fn guard(system: &System, pd: &ProtectionDomain, user_top: u64, findings: &mut Vec<Finding>) {
    let limit = guard_page(pd, user_top);
    for map in &pd.maps {
        let region = &system.memory_regions[map.region];
        let end = map.vaddr.saturating_add(region.bytes);
        if end > limit {
            let kind = FindingKind::GuardPage {
                pd: pd.name.clone(),
                region: region.name.clone(),
                end,
                limit,
            };
            findings.push(Finding::new(kind, vec![Label::new(map.span, "here")]));
        }
    }
}

/// A region of a program, with the data for its check.
struct One<'a> {
    system: &'a System,
    pd: &'a ProtectionDomain,
    region: &'a RegionUse,
}

impl One<'_> {
    /// Returns the error in the mapping of this region, if any.
    fn finding(&self, pd: usize) -> Option<Finding> {
        let used = self.region;
        let vaddr = self.set(&used.vaddr);
        let map = match vaddr.map(|set| (set, set.value)) {
            None => return self.without_an_address(),
            Some((set, SetVarValue::Vaddr(address))) => {
                let map = self.pd.maps.iter().find(|map| map.vaddr == address);
                (set, map?)
            }
            Some((set, _)) => {
                let kind = FindingKind::NotAnAddress {
                    pd: self.pd.name.clone(),
                    symbol: used.vaddr.clone(),
                };
                return Some(Finding::new(kind, vec![Label::new(set.span, "here")]));
            }
        };
        let (set, map) = map;
        self.of_other(set, map, &used.size, "setvar_size", |value| match value {
            SetVarValue::Size { region } => Some(region),
            _ => None,
        })
        .or_else(|| {
            self.of_other(set, map, &used.paddr, "region_paddr", |value| match value {
                SetVarValue::Paddr { region } => Some(region),
                _ => None,
            })
        })
        .or_else(|| self.other_owner(pd, map))
    }

    /// Returns the attribute that sets a symbol of the program.
    fn set(&self, symbol: &str) -> Option<&SetVar> {
        let mut setvars = self.pd.setvars.iter();
        setvars.find(|setvar| setvar.symbol == symbol)
    }

    /// Checks a region without an address: its size and physical address must not be set either.
    fn without_an_address(&self) -> Option<Finding> {
        let others = [&self.region.size, &self.region.paddr]
            .into_iter()
            .flatten();
        let set = others.filter_map(|symbol| self.set(symbol)).next()?;
        Some(self.half(set, "setvar_vaddr", &self.region.vaddr))
    }

    fn half(&self, set: &SetVar, attribute: &'static str, missing: &str) -> Finding {
        let kind = FindingKind::HalfSet {
            pd: self.pd.name.clone(),
            set: set.symbol.clone(),
            attribute,
            missing: missing.to_owned(),
        };
        Finding::new(kind, vec![Label::new(set.span, "here")])
    }

    /// Checks that the mapped region sets the symbol for the size or the physical address.
    fn of_other(
        &self,
        address: &SetVar,
        map: &Map,
        symbol: &Option<String>,
        attribute: &'static str,
        region: impl Fn(SetVarValue) -> Option<usize>,
    ) -> Option<Finding> {
        let symbol = symbol.as_ref()?;
        let Some(set) = self.set(symbol) else {
            return Some(self.half(address, attribute, symbol));
        };
        if region(set.value) == Some(map.region) {
            return None;
        }
        let kind = FindingKind::OtherRegion {
            pd: self.pd.name.clone(),
            symbol: symbol.clone(),
            attribute,
            vaddr: self.region.vaddr.clone(),
            region: self.system.memory_regions[map.region].name.clone(),
        };
        let labels = vec![
            Label::new(set.span, "this is set"),
            Label::new(address.span, "and this, to another region"),
        ];
        Some(Finding::new(kind, labels))
    }

    /// Returns a finding if a region that requires exclusive access has another mapping.
    fn other_owner(&self, pd: usize, map: &Map) -> Option<Finding> {
        if !self.region.kind.has_one_owner() {
            return None;
        }
        let pds = self.system.protection_domains.iter().enumerate();
        let mut others = pds.flat_map(|(other, domain)| {
            let own = domain.maps.iter().map(move |map| (Some(other), map));
            let machine = domain.virtual_machine.iter();
            let machine = machine.flat_map(|vm| vm.maps.iter().map(|map| (None, map)));
            own.chain(machine)
        });
        let (_, other) = others.find(|(owner, other)| {
            let is_own = *owner == Some(pd);
            let is_same = is_own && other.vaddr == map.vaddr;
            other.region == map.region && !is_same && (is_own || other.perms.write)
        })?;
        let kind = FindingKind::NotAlone {
            pd: self.pd.name.clone(),
            region: self.system.memory_regions[map.region].name.clone(),
            what: match self.region.kind {
                RegionKind::Dma => "for DMA",
                _ => "as a device",
            },
        };
        let labels = vec![
            Label::new(map.span, "this has one owner"),
            Label::new(other.span, "and this is another"),
        ];
        Some(Finding::new(kind, labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols() -> BTreeMap<u64, String> {
        [(0x10, "ring"), (0x18, "ring_size"), (0x20, "dma_paddr")]
            .map(|(address, name)| (address, name.to_owned()))
            .into()
    }

    fn read(words: &[u64]) -> Result<Vec<RegionUse>, MemoryUseError> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        RegionUse::all_from_bytes(&bytes, &symbols())
    }

    #[test]
    fn each_use_is_read_with_the_names_of_its_symbols() {
        let some = |name: &str| Some(name.to_owned());
        let used = read(&[
            0, 1, 0, 0, 1, 0x10, 0x18, 0, 2, 0x10, 0x18, 0, 3, 0x10, 0x18, 0x20, 4, 0x10, 0, 0,
        ])
        .expect("they are records");
        let found = used.iter().map(|one| (one.kind, &one.size, &one.paddr));
        let found: Vec<_> = found.collect();
        let size = some("ring_size");
        let expect = [
            (RegionKind::Words, &size, &None),
            (RegionKind::Device, &size, &None),
            (RegionKind::Dma, &size, &some("dma_paddr")),
            (RegionKind::Raw, &None, &None),
        ];
        assert_eq!(found, expect);
        assert!(used.iter().all(|one| one.vaddr == "ring"));
    }

    #[test]
    fn what_is_no_list_of_records_is_refused() {
        assert_eq!(read(&[]), Ok(vec![]));
        assert_eq!(read(&[0, 1, 0]), Err(MemoryUseError::Length(24)));
        assert_eq!(read(&[0, 2, 0, 0]), Err(MemoryUseError::Version(2)));
        assert_eq!(read(&[5, 0x10, 0x18, 0]), Err(MemoryUseError::Use(5)));
        assert_eq!(read(&[1, 0x11, 0x18, 0]), Err(MemoryUseError::Symbol(0x11)));
        assert_eq!(read(&[1, 0, 0x18, 0]), Err(MemoryUseError::Symbol(0)));
    }
}
