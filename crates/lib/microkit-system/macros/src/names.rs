//! Finds the element of the system file for a name that one protection domain (PD) uses.
//!
//! All elements of the right kind are candidates. A `setvar_…` symbol takes precedence over the
//! element's other name, because the symbol is the means to make a name unique.

use std::collections::BTreeSet;

use microkit_sdf::{End, Map, ProtectionDomain, SetVarValue, Span, System, nearest};

use crate::identifier::{identifier, is_meant};
use crate::input::ElementKind;

/// The element that `find` returns, with its position in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) span: Span,
    /// The symbol to which Microkit's tool writes the element's identifier.
    pub(crate) id_symbol: Option<String>,
    pub(crate) element: Element,
}

/// The attributes that must be equal for every PD that runs the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Element {
    Channel {
        id: u8,
        notify: bool,
        call: bool,
        peer: String,
    },
    Irq {
        id: u8,
        number: u64,
    },
    Child {
        id: u8,
    },
    Region {
        bytes: u64,
        cached: bool,
        write: bool,
        vaddr: String,
        size: String,
    },
}

/// The key of an item of `system!`, which selects an element.
#[derive(Debug, Copy, Clone)]
pub(crate) enum Key<'a> {
    Name(&'a str),
    Number(u64),
    /// The item's own name.
    Identifier(&'a str),
}

/// An element of the right kind.
struct Candidate {
    /// The symbol of the element's `setvar_id` or `setvar_vaddr`.
    symbol: Option<String>,
    /// The element's other name: the peer, the number, the child or the region.
    name: String,
    number: Option<u64>,
    span: Span,
    element: Result<Element, String>,
}

/// Finds the element that `key` selects, for the PD with the index `pd_index`.
///
/// # Errors
///
/// Returns a message that quotes the lines of the file.
pub(crate) fn find(
    system: &System,
    pd_index: usize,
    kind: ElementKind,
    key: Key<'_>,
) -> Result<Found, String> {
    let pd = &system.protection_domains[pd_index];
    let candidates = match kind {
        ElementKind::Channel => channels(system, pd_index),
        ElementKind::Irq => irqs(system, pd),
        ElementKind::Child => children(system, pd),
        ElementKind::Region => regions(system, pd),
    };
    let matching = |test: &dyn Fn(&Candidate) -> bool| -> Vec<&Candidate> {
        candidates.iter().filter(|one| test(one)).collect()
    };
    let mut hits = match key {
        Key::Name(name) => matching(&|one| one.symbol.as_deref() == Some(name)),
        Key::Number(number) => matching(&|one| one.number == Some(number)),
        Key::Identifier(item) => {
            matching(&|one| one.symbol.as_deref().is_some_and(|s| is_meant(s, item)))
        }
    };
    if hits.is_empty() {
        hits = match key {
            Key::Name(name) => matching(&|one| one.name == name),
            Key::Number(_) => hits,
            Key::Identifier(item) => matching(&|one| is_meant(&one.name, item)),
        };
    }
    match hits[..] {
        [one] => match &one.element {
            Ok(element) => Ok(Found {
                span: one.span,
                id_symbol: one.symbol.clone().filter(|_| kind != ElementKind::Region),
                element: element.clone(),
            }),
            Err(help) => Err(format!("{help}\n{}", system.source.excerpt(one.span))),
        },
        [] => Err(missing(system, pd, kind, key, &candidates)),
        _ => Err(ambiguous(system, kind, key, &hits)),
    }
}

fn missing(
    system: &System,
    pd: &ProtectionDomain,
    kind: ElementKind,
    key: Key<'_>,
    candidates: &[Candidate],
) -> String {
    let wanted = match key {
        Key::Name(name) => format!("called `{name}`"),
        Key::Number(number) => format!("with the number {number}"),
        Key::Identifier(item) => format!("whose Rust name is `{item}`"),
    };
    let [one, _] = nouns(kind);
    let names = candidates
        .iter()
        .flat_map(|one| [one.symbol.as_ref(), Some(&one.name)]);
    let names: Vec<&str> = names.flatten().map(String::as_str).collect();
    let meant = match key {
        Key::Name(name) => nearest(name, names),
        Key::Number(_) => None,
        Key::Identifier(item) => {
            let lower = item.to_ascii_lowercase();
            nearest(&lower, names)
        }
    };
    let meant = meant.map_or(String::new(), |name| format!("did you mean `{name}`? "));
    let listed: Vec<String> = candidates
        .iter()
        .map(|one| {
            let name = one.symbol.as_deref().unwrap_or(&one.name);
            format!("`{name}` (line {})", system.source.line(one.span))
        })
        .collect();
    let help = match listed.as_slice() {
        [] => format!("it has no {one} at all"),
        _ => format!("it has {}", listed.join(", ")),
    };
    format!(
        "PD `{}` has no {one} {wanted}: {meant}{help}\n{}",
        pd.name,
        system.source.excerpt(pd.span)
    )
}

fn ambiguous(system: &System, kind: ElementKind, key: Key<'_>, hits: &[&Candidate]) -> String {
    let name = match key {
        Key::Name(name) => format!("`{name}`"),
        Key::Number(number) => number.to_string(),
        Key::Identifier(item) => format!("`{item}`"),
    };
    let attribute = match kind {
        ElementKind::Region => "setvar_vaddr",
        ElementKind::Channel | ElementKind::Irq | ElementKind::Child => "setvar_id",
    };
    let places: Vec<String> = hits
        .iter()
        .map(|one| system.source.excerpt(one.span))
        .collect();
    // If the names differ, the item can use one of these names. Otherwise the file needs a symbol.
    let names: BTreeSet<&str> = hits.iter().map(|one| one.name.as_str()).collect();
    let remedy = match names.first() {
        Some(first) if names.len() == hits.len() => {
            format!("state the one that you mean, as in `= {first:?}`")
        }
        _ => {
            format!("add {attribute}=\"NAME\" to the one that you mean, and use that name here")
        }
    };
    let [_, many] = nouns(kind);
    format!(
        "{name} matches {} {many}: {remedy}\n{}",
        hits.len(),
        places.join("\n")
    )
}

/// Returns the singular and the plural of the element kind.
fn nouns(kind: ElementKind) -> [&'static str; 2] {
    match kind {
        ElementKind::Channel => ["channel", "channels"],
        ElementKind::Irq => ["interrupt", "interrupts"],
        ElementKind::Child => ["child", "children"],
        ElementKind::Region => ["memory region", "mappings"],
    }
}

fn channels(system: &System, pd_index: usize) -> Vec<Candidate> {
    let ends = system.channels.iter().flat_map(|channel| {
        let [one, other] = &channel.ends;
        [(one, other), (other, one)]
    });
    let own = ends.filter(|(end, _)| end.pd == pd_index);
    let pd = &system.protection_domains[pd_index];
    let candidate = |(end, other): (&End, &End)| {
        let peer = system.protection_domains[other.pd].name.clone();
        Candidate {
            symbol: id_symbol(system, pd, end.span),
            name: peer.clone(),
            number: None,
            span: end.span,
            element: Ok(Element::Channel {
                id: end.id,
                notify: end.notify,
                call: end.pp,
                peer,
            }),
        }
    };
    own.map(candidate).collect()
}

fn irqs(system: &System, pd: &ProtectionDomain) -> Vec<Candidate> {
    let candidate = |irq: &microkit_sdf::Irq| Candidate {
        symbol: id_symbol(system, pd, irq.span),
        name: irq.number.to_string(),
        number: Some(irq.number),
        span: irq.span,
        element: Ok(Element::Irq {
            id: irq.id,
            number: irq.number,
        }),
    };
    pd.irqs.iter().map(candidate).collect()
}

fn children(system: &System, pd: &ProtectionDomain) -> Vec<Candidate> {
    let candidate = |child: &microkit_sdf::Child| {
        let child_pd = &system.protection_domains[child.pd];
        Candidate {
            symbol: id_symbol(system, pd, child_pd.span),
            name: child_pd.name.clone(),
            number: None,
            span: child_pd.span,
            element: Ok(Element::Child { id: child.id }),
        }
    };
    pd.children.iter().map(candidate).collect()
}

fn regions(system: &System, pd: &ProtectionDomain) -> Vec<Candidate> {
    let symbol = |value| {
        let setvar = pd.setvars.iter().find(|setvar| setvar.value == value);
        setvar.map(|setvar| setvar.symbol.clone())
    };
    let free = free_symbols(system, pd);
    let candidate = |(map, free): (&Map, &String)| {
        let region = &system.memory_regions[map.region];
        // The address identifies the mapping, because two mappings never have the same address.
        let vaddr = symbol(SetVarValue::Vaddr(map.vaddr));
        let size = symbol(SetVarValue::Size { region: map.region });
        let name = &region.name;
        let element = match (&vaddr, size) {
            _ if !map.perms.read => Err(format!(
                "`{name}` is mapped without `r`: add `r` to `perms`"
            )),
            (Some(vaddr), Some(size)) => Ok(Element::Region {
                bytes: region.bytes,
                cached: map.cached,
                write: map.perms.write,
                vaddr: vaddr.clone(),
                size,
            }),
            (vaddr, size) => {
                let symbol = vaddr.as_ref().unwrap_or(free);
                let lacking = [
                    ("setvar_vaddr", symbol.clone(), vaddr.is_none()),
                    ("setvar_size", format!("{symbol}_size"), size.is_none()),
                ];
                let lacking: Vec<String> = lacking
                    .iter()
                    .filter(|(_, _, lacks)| *lacks)
                    .map(|(attribute, symbol, _)| format!("{attribute}=\"{symbol}\""))
                    .collect();
                Err(format!(
                    "the program needs variables for the address and the size of `{name}`: add {}",
                    lacking.join(" ")
                ))
            }
        };
        Candidate {
            symbol: vaddr,
            name: name.clone(),
            number: None,
            span: map.span,
            element,
        }
    };
    pd.maps.iter().zip(&free).map(candidate).collect()
}

/// Suggests a symbol for each mapping. The symbol is unused, with and without the suffix `_size`.
fn free_symbols(system: &System, pd: &ProtectionDomain) -> Vec<String> {
    let set = pd.setvars.iter().map(|setvar| setvar.symbol.clone());
    let mut taken: BTreeSet<String> = set.collect();
    let mut free = |map: &Map| {
        let name = identifier(&system.memory_regions[map.region].name);
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut candidates = std::iter::once(name.clone()).chain(numbered);
        let is_free = |symbol: &String| {
            let size = format!("{symbol}_size");
            !taken.contains(symbol) && !taken.contains(&size)
        };
        let symbol = candidates.find(is_free).unwrap_or_default();
        taken.extend([symbol.clone(), format!("{symbol}_size")]);
        symbol
    };
    pd.maps.iter().map(&mut free).collect()
}

/// Finds the `setvar_id` symbol of the element that starts at `element`, in the symbols of `pd`.
fn id_symbol(system: &System, pd: &ProtectionDomain, element: Span) -> Option<String> {
    let is_id = |setvar: &&microkit_sdf::SetVar| matches!(setvar.value, SetVarValue::Id(_));
    let mut ids = pd.setvars.iter().filter(is_id);
    // The parser keeps only the position of the attribute. The attribute belongs to the last
    // element that starts before this position.
    let of_element = |at: usize| {
        let starts = elements(system).filter(|span| span.start < at);
        starts.map(|span| span.start).max() == Some(element.start)
    };
    let setvar = ids.find(|setvar| of_element(setvar.span.start));
    setvar.map(|setvar| setvar.symbol.clone())
}

/// Returns the elements that can have a `setvar_id`.
fn elements(system: &System) -> impl Iterator<Item = Span> {
    let pds = system.protection_domains.iter();
    let ends = system.channels.iter().flat_map(|channel| &channel.ends);
    let irqs = pds.clone().flat_map(|pd| &pd.irqs);
    pds.map(|pd| pd.span)
        .chain(irqs.map(|irq| irq.span))
        .chain(ends.map(|end| end.span))
}

#[cfg(test)]
mod tests {
    use microkit_sdf::{NoFiles, Options, parse};

    use super::*;

    const FILE: &str = r#"<system>
    <memory_region name="ring" size="0x2000" />
    <memory_region name="bare" size="0x1000" />
    <memory_region name="uart@9000000/rx-0" size="0x1000" />
    <memory_region name="uart@9000000/rx/0" size="0x1000" />
    <memory_region name="tx/0" size="0x1000" />
    <memory_region name="type" size="0x1000" />
    <protection_domain name="parent" priority="3">
        <program_image path="parent.elf" />
        <map mr="ring" vaddr="0x4000000" perms="rw" setvar_vaddr="ring" setvar_size="ring_size" />
        <map mr="ring" vaddr="0x5000000" perms="r" setvar_vaddr="mirror" />
        <map mr="bare" vaddr="0x6000000" perms="rw" />
        <map mr="uart@9000000/rx-0" vaddr="0x7000000" perms="rw" />
        <map mr="uart@9000000/rx/0" vaddr="0x8000000" perms="rw" />
        <map mr="tx/0" vaddr="0x9000000" perms="rw" setvar_vaddr="tx" setvar_size="tx_size" />
        <map mr="type" vaddr="0xa000000" perms="rw" />
        <irq irq="33" id="5" />
        <irq irq="34" id="6" setvar_id="clock" />
        <protection_domain name="worker" id="1" priority="2" setvar_id="helper">
            <program_image path="worker.elf" />
        </protection_domain>
        <protection_domain name="other" id="2" priority="2">
            <program_image path="worker.elf" />
        </protection_domain>
    </protection_domain>
    <channel>
        <end pd="worker" id="1" pp="true" />
        <end pd="parent" id="1" notify="false" />
    </channel>
    <channel>
        <end pd="parent" id="2" />
        <end pd="other" id="1" />
    </channel>
    <channel>
        <end pd="parent" id="3" setvar_id="urgent" />
        <end pd="other" id="2" />
    </channel>
</system>"#;

    /// Asserts that `find` returns `expect` for `key` in `pd`.
    fn check(pd: &str, kind: ElementKind, key: Key<'_>, expect: Result<Element, &str>) {
        let system =
            parse("names.system", FILE, Options::new(&NoFiles)).expect("the file is right");
        let pd = system.protection_domain(pd).expect("it has that PD");
        match (find(&system, pd, kind, key), expect) {
            (Ok(found), Ok(element)) => assert_eq!(found.element, element),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (found, expect) => panic!("{found:?} is not {expect:?}"),
        }
    }

    fn channel(id: u8, notify: bool, call: bool, peer: &str) -> Result<Element, &'static str> {
        Ok(Element::Channel {
            id,
            notify,
            call,
            peer: peer.to_owned(),
        })
    }

    fn ring(write: bool, vaddr: &str) -> Result<Element, &'static str> {
        Ok(Element::Region {
            bytes: 0x2000,
            cached: true,
            write,
            vaddr: vaddr.to_owned(),
            size: "ring_size".to_owned(),
        })
    }

    #[test]
    fn a_channel_has_the_name_of_the_peer() {
        let (kind, name) = (ElementKind::Channel, Key::Name);
        check(
            "parent",
            kind,
            name("worker"),
            channel(1, false, false, "worker"),
        );
        check(
            "worker",
            kind,
            name("parent"),
            channel(1, true, true, "parent"),
        );
        check(
            "parent",
            kind,
            name("urgent"),
            channel(3, true, false, "other"),
        );
        check(
            "parent",
            kind,
            name("other"),
            Err("`other` matches 2 channels: add setvar_id"),
        );
        let listed = "it has `worker` (line 28), `other` (line 31), `urgent` (line 35)";
        check("parent", kind, name("nobody"), Err(listed));
        check("parent", kind, name("nobody"), Err("names.system:8:5"));
    }

    #[test]
    fn an_interrupt_is_named_by_its_number() {
        let irq = |id, number| Ok(Element::Irq { id, number });
        check("parent", ElementKind::Irq, Key::Number(33), irq(5, 33));
        check("parent", ElementKind::Irq, Key::Number(34), irq(6, 34));
        check("parent", ElementKind::Irq, Key::Name("clock"), irq(6, 34));
        check(
            "worker",
            ElementKind::Irq,
            Key::Number(33),
            Err("it has no interrupt at all"),
        );
    }

    #[test]
    fn a_child_has_its_name_in_the_file() {
        check(
            "parent",
            ElementKind::Child,
            Key::Name("worker"),
            Ok(Element::Child { id: 1 }),
        );
        check(
            "parent",
            ElementKind::Child,
            Key::Name("helper"),
            Ok(Element::Child { id: 1 }),
        );
        check(
            "parent",
            ElementKind::Child,
            Key::Name("other"),
            Ok(Element::Child { id: 2 }),
        );
        check(
            "worker",
            ElementKind::Child,
            Key::Name("other"),
            Err("no child called `other`"),
        );
    }

    #[test]
    fn a_region_that_is_mapped_twice_is_named_by_its_symbol() {
        // A symbol takes precedence over a region's name. So `ring` is the mapping with the symbol.
        check(
            "parent",
            ElementKind::Region,
            Key::Name("ring"),
            ring(true, "ring"),
        );
        check(
            "parent",
            ElementKind::Region,
            Key::Name("mirror"),
            ring(false, "mirror"),
        );
        let lacking = "add setvar_vaddr=\"bare\" setvar_size=\"bare_size\"";
        check(
            "parent",
            ElementKind::Region,
            Key::Name("bare"),
            Err(lacking),
        );
    }

    #[test]
    fn an_item_without_a_name_means_the_element_with_its_rust_name() {
        let (kind, item) = (ElementKind::Region, Key::Identifier);
        let tx = |vaddr: &str| {
            Ok(Element::Region {
                bytes: 0x1000,
                cached: true,
                write: true,
                vaddr: vaddr.to_owned(),
                size: format!("{vaddr}_size"),
            })
        };
        check("parent", kind, item("TX_0"), tx("tx"));
        check("parent", kind, item("tx"), tx("tx"));
        check("parent", kind, item("RING"), ring(true, "ring"));
        check(
            "parent",
            ElementKind::Child,
            item("HELPER"),
            Ok(Element::Child { id: 1 }),
        );
        check(
            "worker",
            ElementKind::Channel,
            item("PARENT"),
            channel(1, true, true, "parent"),
        );
        let irq = Ok(Element::Irq { id: 6, number: 34 });
        check("parent", ElementKind::Irq, item("CLOCK"), irq);
        let missing = "no memory region whose Rust name is `TX_O`: did you mean `tx`?";
        check("parent", kind, item("TX_O"), Err(missing));
    }

    #[test]
    fn two_elements_with_one_rust_name_are_ambiguous() {
        let kind = ElementKind::Region;
        let ambiguous = "`UART_9000000_RX_0` matches 2 mappings: state the one that you mean, as in \
                         `= \"uart@9000000/rx-0\"`";
        check(
            "parent",
            kind,
            Key::Identifier("UART_9000000_RX_0"),
            Err(ambiguous),
        );
        let first = "add setvar_vaddr=\"uart_9000000_rx_0\" setvar_size=\"uart_9000000_rx_0_size\"";
        check("parent", kind, Key::Name("uart@9000000/rx-0"), Err(first));
        let second = "add setvar_vaddr=\"uart_9000000_rx_0_2\" \
                      setvar_size=\"uart_9000000_rx_0_2_size\"";
        check("parent", kind, Key::Name("uart@9000000/rx/0"), Err(second));
        check(
            "parent",
            kind,
            Key::Name("type"),
            Err("add setvar_vaddr=\"type_\""),
        );
        // Two channels to one peer have the same name in the file, so they need a `setvar_id`.
        check(
            "parent",
            ElementKind::Channel,
            Key::Identifier("OTHER"),
            Err("add setvar_id"),
        );
    }
}
