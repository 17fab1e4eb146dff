//! Mappings of memory regions (manual, *`protection_domain`*).

use crate::draft::Map;
use crate::element::Element;
use crate::error::SdfErrorKind;
use crate::system::Perms;
use crate::warning::WarningKind;

/// Reads a `map` without its setvars. Only a map of a PD can have setvars.
pub(super) fn map<'a>(element: Element<'a>) -> Map<'a> {
    element.ignore_content();
    Map {
        span: element.span(),
        region: element.required("mr"),
        vaddr: element.required_number("vaddr"),
        perms: perms(element),
        cached: element.flag("cached", true),
    }
}

fn perms(element: Element<'_>) -> Perms {
    let Some(written) = element.optional("perms") else {
        return Perms {
            read: true,
            write: true,
            execute: false,
        };
    };
    let value = written.value;
    if !value.chars().all(|letter| "rwx".contains(letter)) {
        element.cx.error(
            written.span,
            SdfErrorKind::Perms {
                value: value.to_owned(),
            },
        );
    }
    let perms = Perms {
        read: value.contains('r'),
        write: value.contains('w'),
        execute: value.contains('x'),
    };
    if !perms.read && perms.write && !perms.execute {
        element.cx.error(written.span, SdfErrorKind::WriteOnly);
    } else if !perms.read && (perms.write || !perms.execute) {
        element.cx.warn(written.span, WarningKind::NotReadable);
    }
    perms
}
