//! What a name means in the system file, to one of its protection domains.

use microkit_sdf::{End, Map, ProtectionDomain, SetVarValue, Span, System};

use crate::excerpt::{excerpt, line};
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
    };
    if let (true, Key::Name(name)) = (hits.is_empty(), key) {
        hits = matching(&|one| one.name == name);
    }
    match hits[..] {
        [one] => match &one.thing {
            Ok(thing) => Ok(Found {
                span: one.span,
                id_symbol: one.symbol.clone().filter(|_| kind != Kind::Region),
                thing: thing.clone(),
            }),
            Err(help) => Err(format!("{help}\n{}", excerpt(&system.source, one.span))),
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
    };
    let noun = noun(kind);
    let listed: Vec<String> = candidates
        .iter()
        .map(|one| {
            let name = one.symbol.as_deref().unwrap_or(&one.name);
            format!("`{name}` (line {})", line(&system.source, one.span))
        })
        .collect();
    let help = match listed.as_slice() {
        [] => format!("it has no {noun} at all"),
        _ => format!("there are {}", listed.join(", ")),
    };
    format!(
        "the protection domain `{}` has no {noun} {wanted}: {help}\n{}",
        domain.name,
        excerpt(&system.source, domain.span)
    )
}

fn ambiguous(system: &System, kind: Kind, key: Key<'_>, hits: &[&Candidate]) -> String {
    let name = match key {
        Key::Name(name) => format!("`{name}`"),
        Key::Number(number) => number.to_string(),
    };
    let attribute = match kind {
        Kind::Region => "setvar_vaddr",
        Kind::Channel | Kind::Irq | Kind::Child => "setvar_id",
    };
    let places: Vec<String> = hits
        .iter()
        .map(|one| excerpt(&system.source, one.span))
        .collect();
    format!(
        "{name} can be {} things: write {attribute}=\"NAME\" where the one that you mean is, and \
         use that name\n{}",
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
    let candidate = |map: &Map| {
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
                let lacking = [
                    ("setvar_vaddr", name.clone(), vaddr.is_none()),
                    ("setvar_size", format!("{name}_size"), size.is_none()),
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
    domain.maps.iter().map(candidate).collect()
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
    <protection_domain name="parent" priority="3">
        <program_image path="parent.elf" />
        <map mr="ring" vaddr="0x4000000" perms="rw" setvar_vaddr="ring" setvar_size="ring_size" />
        <map mr="ring" vaddr="0x5000000" perms="r" setvar_vaddr="mirror" />
        <map mr="bare" vaddr="0x6000000" perms="rw" />
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
        let listed = "there are `worker` (line 20), `other` (line 23), `urgent` (line 27)";
        check("parent", kind, name("nobody"), Err(listed));
        check("parent", kind, name("nobody"), Err("names.system:4:5"));
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
}
