//! Generates random systems with good programs.

use std::fmt::Write;

use proptest::prelude::*;

use super::Files;
use super::elf::{Elf, Segment};

pub(crate) const MIB: u64 = 1 << 20;

/// A memory region of a random system.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    pub(crate) bytes: u64,
    pub(crate) kind: Kind,
    pub(crate) perms: &'static str,
    pub(crate) cached: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Any,
    /// With small pages, even if the size allows large pages.
    Small,
    /// In one piece.
    Whole,
    Filled(Vec<u8>),
    /// A fixed address: this number times 4 MiB from the start of main memory.
    Fixed(u64),
    Device,
}

pub(crate) fn region() -> impl Strategy<Value = Region> {
    let bytes = prop_oneof![
        3 => (1_u64..20).prop_map(|pages| pages * 0x1000),
        2 => (1_u64..4).prop_map(|pages| pages * 2 * MIB),
        1 => (1_u64..600).prop_map(|mib| mib * MIB),
    ];
    let kind = prop_oneof![
        3 => Just(Kind::Any),
        1 => Just(Kind::Small),
        2 => Just(Kind::Whole),
        1 => prop::collection::vec(any::<u8>(), 1..0x2800).prop_map(Kind::Filled),
        2 => (0_u64..384).prop_map(Kind::Fixed),
        1 => Just(Kind::Device),
    ];
    let perms = prop_oneof![Just("r"), Just("rw"), Just("rx"), Just("rwx"), Just("w")];
    (bytes, kind, perms, any::<bool>()).prop_map(|(bytes, kind, perms, cached)| {
        let bytes = if let Kind::Fixed(_) | Kind::Device = kind {
            bytes.min(4 * MIB)
        } else {
            bytes
        };
        Region {
            bytes,
            kind,
            perms,
            cached,
        }
    })
}

/// A protection domain of a random system.
#[derive(Debug, Clone)]
pub(crate) struct Pd {
    pub(crate) stack_pages: u64,
    /// Segments besides code and data: bytes in the file, bytes in memory, offset in the first
    /// page.
    pub(crate) segments: Vec<(usize, u64, u64)>,
    /// Whether each region is mapped.
    pub(crate) maps: Vec<bool>,
}

pub(crate) fn pd() -> impl Strategy<Value = Pd> {
    let segment = (0_usize..0x1800, 0_u64..0x4000, 0_u64..0x1000);
    let segments = prop::collection::vec(segment, 0..4);
    let maps = prop::collection::vec(any::<bool>(), 6);
    (1_u64..40, segments, maps).prop_map(|(stack_pages, segments, maps)| Pd {
        stack_pages,
        segments,
        maps,
    })
}

impl Pd {
    pub(crate) fn program(&self) -> Elf {
        let mut elf = Elf::pd();
        for (index, (file, more, offset)) in self.segments.iter().enumerate() {
            let bytes: Vec<u8> = (0..*file).map(|n| (n % 255) as u8 + 1).collect();
            let vaddr = segment_vaddr(index) + offset;
            let perms = ["r", "rw", "rx", "rwx"][index];
            elf = elf.segment(Segment::new(vaddr, &bytes, *file as u64 + more, perms));
        }
        (0..6).fold(elf, |elf, region| {
            elf.word(&format!("word{region}"), region)
        })
    }
}

fn segment_vaddr(index: usize) -> u64 {
    0x40_0000 + 0x10_0000 * index as u64
}

/// Returns the address at which each protection domain maps a region.
pub(crate) fn map_vaddr(region: usize) -> u64 {
    0x1_0000_0000 * (region as u64 + 1)
}

pub(crate) fn text(regions: &[Region], pds: &[Pd]) -> String {
    let mut text = String::from("<system>\n");
    for (index, region) in regions.iter().enumerate() {
        let bytes = region.bytes;
        let rest = match &region.kind {
            Kind::Any | Kind::Whole => format!("size=\"{bytes:#x}\""),
            Kind::Small => format!("size=\"{bytes:#x}\" page_size=\"0x1000\""),
            Kind::Filled(_) => format!("prefill_path=\"file{index}\""),
            Kind::Fixed(at) => {
                format!(
                    "size=\"{bytes:#x}\" phys_addr=\"{:#x}\"",
                    0x6000_0000 + at * 4 * MIB
                )
            }
            Kind::Device => {
                let at = 0x1000_0000 * (index as u64 + 1) + 0x900_0000;
                format!("size=\"{bytes:#x}\" phys_addr=\"{at:#x}\" page_size=\"0x1000\"")
            }
        };
        writeln!(text, "<memory_region name=\"r{index}\" {rest} />").unwrap();
    }
    for (number, pd) in pds.iter().enumerate() {
        let stack = pd.stack_pages * 0x1000;
        writeln!(text, "<protection_domain name=\"pd{number}\" priority=\"{number}\" stack_size=\"{stack:#x}\">").unwrap();
        writeln!(text, "<program_image path=\"pd{number}.elf\" />").unwrap();
        for (index, region) in regions.iter().enumerate() {
            if !pd.maps[index] {
                continue;
            }
            let (vaddr, perms, cached) = (map_vaddr(index), region.perms, region.cached);
            let is_whole = matches!(region.kind, Kind::Whole);
            let setvar = if is_whole {
                String::new()
            } else {
                format!("setvar_vaddr=\"word{index}\"")
            };
            writeln!(text, "<map mr=\"r{index}\" vaddr=\"{vaddr:#x}\" perms=\"{perms}\" cached=\"{cached}\" {setvar} />").unwrap();
            if is_whole {
                writeln!(
                    text,
                    "<setvar symbol=\"word{index}\" region_paddr=\"r{index}\" />"
                )
                .unwrap();
            }
        }
        writeln!(text, "</protection_domain>").unwrap();
    }
    text + "</system>\n"
}

pub(crate) fn files(regions: &[Region], pds: &[Pd]) -> Files {
    let mut files = Files::default();
    for (index, region) in regions.iter().enumerate() {
        if let Kind::Filled(bytes) = &region.kind {
            files = files.with(&format!("file{index}"), bytes.clone());
        }
    }
    for (number, pd) in pds.iter().enumerate() {
        files = files.with(&format!("pd{number}.elf"), pd.program().build());
    }
    files
}

/// Generates the memory regions and protection domains of a system.
pub(crate) fn systems() -> impl Strategy<Value = (Vec<Region>, Vec<Pd>)> {
    (
        prop::collection::vec(region(), 0..6),
        prop::collection::vec(pd(), 1..5),
    )
}
