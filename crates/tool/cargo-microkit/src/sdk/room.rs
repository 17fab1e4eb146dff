//! Checks that a system fits into seL4's image. The SDK's tool panics on a system that does not
//! fit.

use std::path::Path;

use microkit_abi::limits::SMALL_PAGE_BYTES;
use microkit_sdf::{Files, Fill, SearchPaths};
use miette::{Result, miette};
use object::{Object, ObjectSegment, read::File, read::elf::ElfFile64};

use crate::files;
use crate::kernel::Request;
use crate::sdk::Sdk;

/// Checks that the programs and filled regions fit into the image.
///
/// The initialiser contains every program, with its zeros, and every filled region. The initialiser
/// is placed after the kernel and must end before the loader. This check rejects a system only if
/// the system certainly does not fit.
pub(super) fn check(sdk: &Sdk, request: &Request<'_>) -> Result<()> {
    let variant = request.variant;
    let elf = sdk
        .board_directory(&variant.board, &variant.config)
        .join("elf");
    let (Some(kernel), Some(loader)) = (
        loaded(&elf.join("sel4.elf")),
        loaded(&elf.join("loader.elf")),
    ) else {
        return Ok(());
    };
    let Some(room) = loader.start.checked_sub(kernel.end) else {
        return Ok(()); // The loader of this board is below the kernel.
    };
    let files = SearchPaths(request.search_paths.clone());
    let mut parts = Vec::new();
    for pd in &request.parsed.protection_domains {
        let Some(path) = files.find(&pd.program_image.path) else {
            continue;
        };
        let bytes = std::fs::read(&path).map_err(|e| files::cannot("read", &path, &e))?;
        if let Ok(file) = File::parse(&*bytes) {
            let sizes = file.segments().map(|segment| pages(segment.size()));
            parts.push((sizes.fold(0, u64::saturating_add), format!("`{}`", pd.name)));
        }
    }
    for region in &request.parsed.memory_regions {
        if let Fill::File { path, .. } = &region.fill {
            let bytes = files.len(path).map_or(0, pages);
            parts.push((bytes, format!("the region `{}`", region.name)));
        }
    }
    let all = parts
        .iter()
        .map(|(bytes, _)| *bytes)
        .fold(0, u64::saturating_add);
    if all <= room {
        return Ok(());
    }
    parts.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    let largest: Vec<_> = parts.iter().take(3).collect();
    let largest = largest
        .iter()
        .map(|(bytes, what)| format!("{what} {} MiB", mebibytes(*bytes)));
    Err(miette!(
        help = "put large data into a memory region that is not filled: it takes no room in the \
                image",
        "`{}`: the programs, with their zeros and heaps, and the filled regions take {} MiB, but \
         seL4's image has room for at most {} MiB on board `{}`. The largest: {}",
        request.system.display(),
        mebibytes(all),
        room >> 20,
        variant.board,
        largest.collect::<Vec<_>>().join(", ")
    ))
}

fn pages(bytes: u64) -> u64 {
    bytes
        .checked_next_multiple_of(SMALL_PAGE_BYTES)
        .unwrap_or(u64::MAX)
}

fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// Returns the range of physical load addresses of an ELF file.
fn loaded(path: &Path) -> Option<std::ops::Range<u64>> {
    use object::elf::PT_LOAD;
    use object::read::elf::ProgramHeader;

    let bytes = std::fs::read(path).ok()?;
    let file = ElfFile64::<object::LittleEndian>::parse(&*bytes).ok()?;
    let endian = object::LittleEndian;
    let segments = file.elf_program_headers().iter();
    let segments = segments.filter(|segment| segment.p_type(endian) == PT_LOAD);
    segments
        .map(|segment| {
            let start = segment.p_paddr(endian);
            start..start.saturating_add(segment.p_memsz(endian))
        })
        .reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))
}
