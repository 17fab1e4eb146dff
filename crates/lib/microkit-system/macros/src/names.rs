//! What a name means in the system file, to one of its protection domains.

use std::collections::BTreeSet;

use microkit_sdf::{End, Map, ProtectionDomain, SetVarValue, Span, System, nearest};

use crate::identifier::{identifier, is_meant};
use crate::input::Kind;

/// What was found, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) span: Span,
    /// The symbol into which Microkit's tool writes its identifier.
    pub(crate) id_symbol: Option<String>,
    pub(crate) thing: Thing,
}

/// What it is to the program: what every protection domain that runs it must agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Thing {
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

/// How something is called in a `system!`.
#[derive(Debug, Copy, Clone)]
pub(crate) enum Key<'a> {
    Name(&'a str),
    Number(u64),
    /// The Rust name of what is meant.
    Identifier(&'a str),
}

/// One thing of the right kind.
struct Candidate {
    /// What the file calls it by a setvar.
    symbol: Option<String>,
    /// What it is called otherwise.
    name: String,
    number: Option<u64>,
    span: Span,
    thing: Result<Thing, String>,
}

/// Finds what `key` means to the protection domain of that index.
///
/// **Errors:** a sentence with the lines of the file.
pub(crate) fn find(system: &System, pd: usize, kind: Kind, key: Key<'_>) -> Result<Found, String> {
    let domain = &system.protection_domains[pd];
    let candidates = match kind {
        Kind::Channel => channels(system, pd),
        Kind::Irq => irqs(system, domain),
        Kind::Child => children(system, domain),
        Kind::Region => regions(system, domain),
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
        [one] => match &one.thing {
            Ok(thing) => Ok(Found {
                span: one.span,
                id_symbol: one.symbol.clone().filter(|_| kind != Kind::Region),
                thing: thing.clone(),
            }),
            Err(help) => Err(format!("{help}\n{}", system.source.excerpt(one.span))),
        },
        [] => Err(missing(system, domain, kind, key, &candidates)),
        _ => Err(ambiguous(system, kind, key, &hits)),
    }
}

fn missing(
    system: &System,
    domain: &ProtectionDomain,
    kind: Kind,
    key: Key<'_>,
    candidates: &[Candidate],
) -> String {
    let wanted = match key {
        Key::Name(name) => format!("called `{name}`"),
        Key::Number(number) => format!("with the number {number}"),
        Key::Identifier(item) => format!("that is `{item}` in Rust"),
    };
    let noun = noun(kind);
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
        [] => format!("it has no {noun} at all"),
        _ => format!("there are {}", listed.join(", ")),
    };
    format!(
        "the protection domain `{}` has no {noun} {wanted}: {meant}{help}\n{}",
        domain.name,
        system.source.excerpt(domain.span)
    )
}

fn ambiguous(system: &System, kind: Kind, key: Key<'_>, hits: &[&Candidate]) -> String {
    let name = match key {
        Key::Name(name) => format!("`{name}`"),
        Key::Number(number) => number.to_string(),
        Key::Identifier(item) => format!("`{item}`"),
    };
    let attribute = match kind {
        Kind::Region => "setvar_vaddr",
        Kind::Channel | Kind::Irq | Kind::Child => "setvar_id",
    };
    let places: Vec<String> = hits
        .iter()
        .map(|one| system.source.excerpt(one.span))
        .collect();
    // Names that differ in the file are told apart by writing them out.
    let names: BTreeSet<&str> = hits.iter().map(|one| one.name.as_str()).collect();
    let remedy = match names.first() {
        Some(first) if names.len() == hits.len() => {
            format!("write which one, as in `= {first:?}`")
        }
        _ => {
            format!("write {attribute}=\"NAME\" where the one that you mean is, and use that name")
        }
    };
    format!(
        "{name} can be {} things: {remedy}\n{}",
        hits.len(),
        places.join("\n")
    )
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Channel => "channel",
        Kind::Irq => "interrupt",
        Kind::Child => "child",
        Kind::Region => "memory region",
    }
}

fn channels(system: &System, pd: usize) -> Vec<Candidate> {
    let ends = system.channels.iter().flat_map(|channel| {
        let [one, other] = &channel.ends;
        [(one, other), (other, one)]
    });
    let own = ends.filter(|(end, _)| end.pd == pd);
    let domain = &system.protection_domains[pd];
    let candidate = |(end, other): (&End, &End)| {
        let peer = system.protection_domains[other.pd].name.clone();
        Candidate {
            symbol: id_symbol(system, domain, end.span),
            name: peer.clone(),
            number: None,
            span: end.span,
            thing: Ok(Thing::Channel {
                id: end.id,
                notify: end.notify,
                call: end.pp,
                peer,
            }),
        }
    };
    own.map(candidate).collect()
}

fn irqs(system: &System, domain: &ProtectionDomain) -> Vec<Candidate> {
    let candidate = |irq: &microkit_sdf::Irq| Candidate {
        symbol: id_symbol(system, domain, irq.span),
        name: irq.number.to_string(),
        number: Some(irq.number),
        span: irq.span,
        thing: Ok(Thing::Irq {
            id: irq.id,
            number: irq.number,
        }),
    };
    domain.irqs.iter().map(candidate).collect()
}

fn children(system: &System, domain: &ProtectionDomain) -> Vec<Candidate> {
    let candidate = |child: &microkit_sdf::Child| {
        let pd = &system.protection_domains[child.pd];
        Candidate {
            symbol: id_symbol(system, domain, pd.span),
            name: pd.name.clone(),
            number: None,
            span: pd.span,
            thing: Ok(Thing::Child { id: child.id }),
        }
    };
    domain.children.iter().map(candidate).collect()
}

fn regions(system: &System, domain: &ProtectionDomain) -> Vec<Candidate> {
    let symbol = |value| {
        let setvar = domain.setvars.iter().find(|setvar| setvar.value == value);
        setvar.map(|setvar| setvar.symbol.clone())
    };
    let free = free_symbols(system, domain);
    let candidate = |(map, free): (&Map, &String)| {
        let region = &system.memory_regions[map.region];
        // Two mappings are never at one address.
        let vaddr = symbol(SetVarValue::Vaddr(map.vaddr));
        let size = symbol(SetVarValue::Size { region: map.region });
        let name = &region.name;
        let thing = match (&vaddr, size) {
            _ if !map.perms.read => Err(format!("`{name}` is mapped without `r`")),
            (Some(vaddr), Some(size)) => Ok(Thing::Region {
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
                    "the program cannot know where `{name}` is: add {}",
                    lacking.join(" ")
                ))
            }
        };
        Candidate {
            symbol: vaddr,
            name: name.clone(),
            number: None,
            span: map.span,
            thing,
        }
    };
    domain.maps.iter().zip(&free).map(candidate).collect()
}

/// A symbol for each mapping that a program can have and that nothing sets yet, nor with `_size`.
fn free_symbols(system: &System, domain: &ProtectionDomain) -> Vec<String> {
    let set = domain.setvars.iter().map(|setvar| setvar.symbol.clone());
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
    domain.maps.iter().map(&mut free).collect()
}

/// The `setvar_id` of the element that begins at `element`, which is written for `domain`.
fn id_symbol(system: &System, domain: &ProtectionDomain, element: Span) -> Option<String> {
    let is_id = |setvar: &&microkit_sdf::SetVar| matches!(setvar.value, SetVarValue::Id(_));
    let mut ids = domain.setvars.iter().filter(is_id);
    // An attribute stands in the element whose name comes last before it.
    let of_element = |at: usize| {
        let starts = elements(system).filter(|span| span.start < at);
        starts.map(|span| span.start).max() == Some(element.start)
    };
    let setvar = ids.find(|setvar| of_element(setvar.span.start));
    setvar.map(|setvar| setvar.symbol.clone())
}

/// The elements that can have a `setvar_id`.
fn elements(system: &System) -> impl Iterator<Item = Span> {
    let domains = system.protection_domains.iter();
    let ends = system.channels.iter().flat_map(|channel| &channel.ends);
    let irqs = domains.clone().flat_map(|domain| &domain.irqs);
    domains
        .map(|domain| domain.span)
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

    /// What `key` is to `pd`, or the error.
    fn check(pd: &str, kind: Kind, key: Key<'_>, expect: Result<Thing, &str>) {
        let system =
            parse("names.system", FILE, Options::new(&NoFiles)).expect("the file is right");
        let pd = system.protection_domain(pd).expect("it has that PD");
        match (find(&system, pd, kind, key), expect) {
            (Ok(found), Ok(thing)) => assert_eq!(found.thing, thing),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (found, expect) => panic!("{found:?} is not {expect:?}"),
        }
    }

    fn channel(id: u8, notify: bool, call: bool, peer: &str) -> Result<Thing, &'static str> {
        Ok(Thing::Channel {
            id,
            notify,
            call,
            peer: peer.to_owned(),
        })
    }

    fn ring(write: bool, vaddr: &str) -> Result<Thing, &'static str> {
        Ok(Thing::Region {
            bytes: 0x2000,
            cached: true,
            write,
            vaddr: vaddr.to_owned(),
            size: "ring_size".to_owned(),
        })
    }

    #[test]
    fn a_channel_is_called_as_the_other_end() {
        let (kind, name) = (Kind::Channel, Key::Name);
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
            Err("`other` can be 2 things: write setvar_id"),
        );
        let listed = "there are `worker` (line 28), `other` (line 31), `urgent` (line 35)";
        check("parent", kind, name("nobody"), Err(listed));
        check("parent", kind, name("nobody"), Err("names.system:8:5"));
    }

    #[test]
    fn an_interrupt_is_called_by_its_number() {
        let irq = |id, number| Ok(Thing::Irq { id, number });
        check("parent", Kind::Irq, Key::Number(33), irq(5, 33));
        check("parent", Kind::Irq, Key::Number(34), irq(6, 34));
        check("parent", Kind::Irq, Key::Name("clock"), irq(6, 34));
        check(
            "worker",
            Kind::Irq,
            Key::Number(33),
            Err("it has no interrupt at all"),
        );
    }

    #[test]
    fn a_child_is_called_as_the_file_does() {
        check(
            "parent",
            Kind::Child,
            Key::Name("worker"),
            Ok(Thing::Child { id: 1 }),
        );
        check(
            "parent",
            Kind::Child,
            Key::Name("helper"),
            Ok(Thing::Child { id: 1 }),
        );
        check(
            "parent",
            Kind::Child,
            Key::Name("other"),
            Ok(Thing::Child { id: 2 }),
        );
        check(
            "worker",
            Kind::Child,
            Key::Name("other"),
            Err("no child called `other`"),
        );
    }

    #[test]
    fn a_region_is_called_by_its_symbol_where_it_is_mapped_twice() {
        // The symbol comes first, so that `ring` is the mapping that is called so.
        check(
            "parent",
            Kind::Region,
            Key::Name("ring"),
            ring(true, "ring"),
        );
        check(
            "parent",
            Kind::Region,
            Key::Name("mirror"),
            ring(false, "mirror"),
        );
        let lacking = "add setvar_vaddr=\"bare\" setvar_size=\"bare_size\"";
        check("parent", Kind::Region, Key::Name("bare"), Err(lacking));
    }
    #[test]
    fn a_name_that_rust_cannot_have_has_one_in_rust() {
        let (kind, item) = (Kind::Region, Key::Identifier);
        let tx = |vaddr: &str| {
            Ok(Thing::Region {
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
            Kind::Child,
            item("HELPER"),
            Ok(Thing::Child { id: 1 }),
        );
        check(
            "worker",
            Kind::Channel,
            item("PARENT"),
            channel(1, true, true, "parent"),
        );
        let irq = Ok(Thing::Irq { id: 6, number: 34 });
        check("parent", Kind::Irq, item("CLOCK"), irq);
        let missing = "no memory region that is `TX_O` in Rust: did you mean `tx`?";
        check("parent", kind, item("TX_O"), Err(missing));
    }

    #[test]
    fn names_that_are_one_in_rust_are_told_apart() {
        let kind = Kind::Region;
        let ambiguous = "`UART_9000000_RX_0` can be 2 things: write which one, as in \
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
        // What is named but lacks its size.
        check(
            "parent",
            Kind::Channel,
            Key::Identifier("OTHER"),
            Err("write setvar_id"),
        );
    }
}
