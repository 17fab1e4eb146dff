//! Converts XML to the draft: one reader per element. Each reader reports only errors of its own
//! element.

mod channel;
mod domains;
mod map;
mod pd;
mod region;
mod vm;

use roxmltree::Document;

use crate::Span;
use crate::draft::Draft;
use crate::element::{Content, Context, Element};
use crate::error::SdfErrorKind;

pub(crate) use vm::MAX_VCPUS;

/// Reads the `system` element (manual, *System Description File*).
pub(crate) fn system<'a>(document: &'a Document<'a>, cx: &'a Context<'a>) -> Draft<'a> {
    let root = Element::new(document.root_element(), cx);
    let mut draft = Draft::default();
    if root.name() != "system" {
        root.error(SdfErrorKind::NotASystem {
            found: root.name().to_owned(),
        });
        return draft;
    }
    root.ignore_attributes();

    let mut first_domains: Option<Span> = None;
    for content in root.content() {
        let element = match content {
            Content::Element(element) => element,
            Content::Text(span) => {
                cx.error(span, SdfErrorKind::StrayText);
                continue;
            }
        };
        match element.name() {
            "protection_domain" => pd::root(element, &mut draft),
            "memory_region" => draft.regions.push(region::region(element)),
            "channel" => draft.channels.extend(channel::channel(element)),
            "domains" => {
                // A `domains` element without a `domain` is ignored.
                if draft
                    .domains
                    .as_ref()
                    .is_some_and(|domains| !domains.domains.is_empty())
                {
                    element.once(&mut first_domains, "system", "domains");
                } else {
                    first_domains = Some(element.span());
                    draft.domains = Some(domains::domains(element));
                }
            }
            "virtual_machine" => element.error(SdfErrorKind::VirtualMachineOutside),
            "io_address_space" => {
                element.error(SdfErrorKind::NotOnAArch64 {
                    what: "`io_address_space`",
                });
            }
            other => element.error(SdfErrorKind::UnknownElement {
                element: other.to_owned(),
                parent: "system",
                allowed: &["protection_domain", "memory_region", "channel", "domains"],
            }),
        }
    }
    if draft.pds.is_empty() {
        let (element, parent) = ("protection_domain", "system");
        root.error(SdfErrorKind::MissingElement { element, parent });
    }
    draft
}
