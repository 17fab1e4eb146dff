//! Memory regions (manual, *`memory_region`*).

use std::path::Path;

use crate::draft::{At, Prefill, Region};
use crate::element::Element;
use crate::error::SdfErrorKind;
use crate::system::{BootInfo, PageSize};
use crate::warning::WarningKind;

/// Reads a `memory_region`.
pub(super) fn region(element: Element<'_>) -> Region<'_> {
    element.only(&[
        "name",
        "size",
        "page_size",
        "phys_addr",
        "prefill_path",
        "prefill_bootinfo",
    ]);
    element.ignore_content();
    let name = element.required("name");
    let page_size_written = element.has("page_size");
    // `None` if the attribute exists but is not a valid page size.
    let page_size = if page_size_written {
        page_size(element)
    } else {
        Some(PageSize::Small)
    };
    let prefill = prefill(element);
    let boot_info = boot_info(element);
    if let (Some(file), Some(_)) = (prefill, boot_info) {
        element
            .cx
            .error(file.path.span, SdfErrorKind::PrefilledTwice);
    }
    let phys_addr = element.number("phys_addr");
    if let (Some(phys_addr), Some(page_size)) = (phys_addr, page_size) {
        whole_pages(element, "phys_addr", phys_addr, page_size);
    }
    Region {
        span: element.span(),
        name,
        bytes: bytes(element, page_size, prefill, boot_info),
        page_size: page_size.unwrap_or(PageSize::Small),
        page_size_written,
        phys_addr,
        prefill,
        boot_info,
    }
}

fn page_size(element: Element<'_>) -> Option<PageSize> {
    let bytes = element.number("page_size")?;
    let size = PageSize::ALL
        .into_iter()
        .find(|size| size.bytes() == bytes.value);
    if size.is_none() {
        element
            .cx
            .error(bytes.span, SdfErrorKind::PageSize { bytes: bytes.value });
    }
    size
}

/// Reports `value` if it is not a multiple of the page size.
fn whole_pages(element: Element<'_>, attribute: &'static str, value: At<u64>, page: PageSize) {
    let multiple = page.bytes();
    if !value.value.is_multiple_of(multiple) {
        let why = "a memory region is whole pages";
        let kind = SdfErrorKind::NotAligned {
            attribute,
            value: value.value,
            multiple,
            why,
        };
        element.cx.error(value.span, kind);
    }
}

/// Returns the size of the region: the `size` attribute, or the length of its contents.
fn bytes(
    element: Element<'_>,
    page_size: Option<PageSize>,
    prefill: Option<Prefill<'_>>,
    boot_info: Option<BootInfo>,
) -> Option<u64> {
    let file_bytes = prefill.and_then(|file| file.bytes);
    let too_long = |file_bytes, region_bytes| {
        let Some(file) = prefill else { return };
        let path = file.path.value.to_owned();
        let kind = SdfErrorKind::PrefillTooLong {
            path,
            file_bytes,
            region_bytes,
        };
        element.cx.error(file.path.span, kind);
    };
    if element.has("size") {
        let size = element.number("size")?;
        whole_pages(element, "size", size, page_size?);
        if let Some(file_bytes) = file_bytes.filter(|bytes| *bytes > size.value) {
            too_long(file_bytes, size.value);
        }
        return Some(size.value);
    }
    if boot_info.is_some() {
        return page_size.map(PageSize::bytes);
    }
    if prefill.is_none() && !element.has("prefill_bootinfo") {
        element.error(SdfErrorKind::SizeMissing);
    }
    let (file_bytes, page_bytes) = (file_bytes?, page_size?.bytes());
    let bytes = file_bytes.checked_next_multiple_of(page_bytes);
    if bytes.is_none() {
        too_long(file_bytes, u64::MAX - (page_bytes - 1));
    }
    bytes
}

fn prefill(element: Element<'_>) -> Option<Prefill<'_>> {
    let written = element.optional("prefill_path")?;
    let path = written.value.to_owned();
    match element.cx.options.files.len(Path::new(written.value)) {
        Ok(0) => element
            .cx
            .error(written.span, SdfErrorKind::PrefillEmpty { path }),
        Ok(bytes) => {
            return Some(Prefill {
                path: written,
                bytes: Some(bytes),
            });
        }
        Err(error) => {
            // The full text of `error` differs between operating systems.
            let reason = error.kind().to_string();
            element.cx.error(
                written.span,
                SdfErrorKind::PrefillUnreadable { path, reason },
            );
        }
    }
    Some(Prefill {
        path: written,
        bytes: None,
    })
}

fn boot_info(element: Element<'_>) -> Option<BootInfo> {
    let what = element.word("prefill_bootinfo", &BootInfo::WORDS, &BootInfo::ALL)?;
    if what != BootInfo::Fdt {
        let kind = WarningKind::NoSuchBootInfo { what: what.word() };
        element
            .cx
            .warn(element.optional("prefill_bootinfo")?.span, kind);
    }
    Some(what)
}
