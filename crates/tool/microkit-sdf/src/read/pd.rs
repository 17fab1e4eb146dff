//! Protection domains and their inner elements (manual, *`protection_domain`*).

use microkit_abi::{badge, limits, slots};

use super::{domains, map, vm};
use crate::Span;
use crate::draft::{At, Capability, Draft, Irq, Pd, Setvar, SetvarValue};
use crate::element::{Context, Element};
use crate::error::SdfErrorKind;
use crate::system::{CapabilityKind, Trigger};

/// The attributes of a child.
const CHILD_ATTRIBUTES: &[&str] = &[
    "name",
    "priority",
    "budget",
    "period",
    "passive",
    "stack_size",
    "cpu",
    "smc",
    "fpu",
    "domain",
    "id",
    "setvar_id",
];

/// The attributes of a root protection domain: all attributes of a child except the last two.
const ROOT_ATTRIBUTES: &[&str] = CHILD_ATTRIBUTES.split_at(CHILD_ATTRIBUTES.len() - 2).0;

/// Reads a protection domain directly inside `system`, with its children.
pub(super) fn root<'a>(element: Element<'a>, draft: &mut Draft<'a>) {
    element.only(ROOT_ATTRIBUTES);
    pd(element, None, 1, draft);
}

/// Reads a protection domain, and then its children.
fn pd<'a>(element: Element<'a>, parent: Option<usize>, depth: usize, draft: &mut Draft<'a>) {
    let (budget_us, period_us) = budget_and_period(element);
    let index = draft.pds.len();
    draft.pds.push(Pd {
        span: element.span(),
        name: element.required("name"),
        parent,
        id: parent.and_then(|_| child_id(element)),
        priority: priority(element),
        budget_us,
        period_us,
        passive: element.flag("passive", false),
        stack_bytes: stack_bytes(element),
        cpu: cpu(element),
        smc: smc(element),
        fpu: element.flag("fpu", true),
        domain: domain(element, draft),
        image: None,
        image_for_symbols: None,
        maps: Vec::new(),
        irqs: Vec::new(),
        setvars: Vec::new(),
        capabilities: Vec::new(),
        vm: None,
    });

    let mut first = FirstOf::default();
    for child in element.children() {
        if child.name() == "protection_domain" {
            child.only(CHILD_ATTRIBUTES);
            // Nested PDs are read down to one level more than the maximum number of PDs. This is
            // enough for the check that reports too many PDs.
            if depth <= limits::MAX_PROTECTION_DOMAINS {
                let child_index = draft.pds.len();
                pd(child, Some(index), depth + 1, draft);
                let id = draft.pds[child_index].id;
                let id = id.map(|id| SetvarValue::Id(id.value));
                draft.pds[index]
                    .setvars
                    .extend(setvar(child, "setvar_id", id));
            }
        } else {
            inside(child, &mut draft.pds[index], &mut first);
        }
    }
    if first.program_image.is_none() {
        let (name, parent) = ("program_image", "protection_domain");
        element.error(SdfErrorKind::MissingElement {
            element: name,
            parent,
        });
    }
}

/// The places of the elements that may occur only once in a protection domain.
#[derive(Default)]
struct FirstOf {
    program_image: Option<Span>,
    virtual_machine: Option<Span>,
    cspace: Option<Span>,
}

/// Reads an inner element of a protection domain, except a child.
fn inside<'a>(element: Element<'a>, pd: &mut Pd<'a>, first: &mut FirstOf) {
    const PARENT: &str = "protection_domain";
    match element.name() {
        "program_image" => {
            element.once(&mut first.program_image, PARENT, "program_image");
            element.only(&["path", "path_for_symbols"]);
            element.ignore_content();
            pd.image = element.required("path");
            pd.image_for_symbols = element.optional("path_for_symbols");
        }
        "map" => {
            element.only(&[
                "mr",
                "vaddr",
                "perms",
                "cached",
                "setvar_vaddr",
                "setvar_size",
                "setvar_prefill_size",
            ]);
            let map = map::map(element);
            let vaddr = map.vaddr.map(|vaddr| SetvarValue::Vaddr(vaddr.value));
            let size = map.region.map(SetvarValue::Size);
            let prefill_size = map.region.map(SetvarValue::PrefillSize);
            pd.setvars.extend(setvar(element, "setvar_vaddr", vaddr));
            pd.setvars.extend(setvar(element, "setvar_size", size));
            pd.setvars
                .extend(setvar(element, "setvar_prefill_size", prefill_size));
            pd.maps.push(map);
        }
        "irq" => irq(element, pd),
        "setvar" => {
            element.only(&["symbol", "region_paddr"]);
            element.ignore_content();
            let symbol = element.required("symbol");
            let value = element.required("region_paddr").map(SetvarValue::Paddr);
            pd.setvars
                .extend(symbol.map(|symbol| Setvar { symbol, value }));
        }
        "virtual_machine" => {
            element.once(&mut first.virtual_machine, PARENT, "virtual_machine");
            pd.vm = Some(vm::virtual_machine(element));
        }
        "cspace" => {
            element.once(&mut first.cspace, PARENT, "cspace");
            cspace(element, pd);
        }
        "ioport" => element.error(SdfErrorKind::NotOnAArch64 { what: "`ioport`" }),
        "iomap" => element.error(SdfErrorKind::NotOnAArch64 { what: "`iomap`" }),
        other => element.error(SdfErrorKind::UnknownElement {
            element: other.to_owned(),
            parent: PARENT,
            allowed: &[
                "program_image",
                "map",
                "irq",
                "setvar",
                "protection_domain",
                "virtual_machine",
                "cspace",
            ],
        }),
    }
}

/// Returns the setvar in `attribute` if the attribute exists.
fn setvar<'a>(
    element: Element<'a>,
    attribute: &str,
    value: Option<SetvarValue<'a>>,
) -> Option<Setvar<'a>> {
    element
        .optional(attribute)
        .map(|symbol| Setvar { symbol, value })
}

/// Reads `budget` and `period`. The default budget is a constant, and the default period is the
/// budget.
pub(super) fn budget_and_period(element: Element<'_>) -> (Option<At<u64>>, Option<At<u64>>) {
    let budget = element.number_or("budget", limits::DEFAULT_BUDGET_US);
    let period = if element.has("period") {
        element.number("period")
    } else {
        budget
    };
    let kernel = element.cx.options.kernel;
    // A missing name is a separate error.
    let owner = || {
        let name = element.optional("name");
        name.map_or_else(|| "this".to_owned(), |name| format!("`{}`", name.value))
    };
    if let Some(budget) = budget
        && budget.value < kernel.min_budget_us()
    {
        let kind = SdfErrorKind::BudgetTooSmall {
            owner: owner(),
            budget_us: budget.value,
            min_us: kernel.min_budget_us(),
        };
        element.cx.error(budget.span, kind);
    }
    if let Some(period) = period
        && period.value > kernel.max_period_us()
    {
        let kind = SdfErrorKind::PeriodTooLong {
            owner: owner(),
            period_us: period.value,
            max_us: kernel.max_period_us(),
        };
        element.cx.error(period.span, kind);
    }
    if let (Some(budget), Some(period)) = (budget, period)
        && budget.value > period.value
    {
        let kind = SdfErrorKind::BudgetAbovePeriod {
            owner: owner(),
            budget_us: budget.value,
            period_us: period.value,
        };
        element.cx.error(period.span, kind);
    }
    (budget, period)
}

/// Checks that the kernel has this core, and returns its number.
pub(super) fn core(cpu: At<u64>, cx: &Context<'_>) -> Option<u8> {
    let cores = cx.options.kernel.cores;
    let there = u8::try_from(cpu.value).ok().filter(|cpu| *cpu < cores);
    if there.is_none() {
        cx.error(
            cpu.span,
            SdfErrorKind::NoSuchCpu {
                cpu: cpu.value,
                cores,
            },
        );
    }
    there
}

fn cpu(element: Element<'_>) -> Option<u8> {
    core(element.number_or("cpu", 0)?, element.cx)
}

/// Reads the `id` of a child. The tool does not check the `id`, but the badge of a fault holds only
/// 8 bits.
fn child_id(element: Element<'_>) -> Option<At<u8>> {
    let id = element.required_number("id")?;
    element.in_range("id", id, 0, badge::CHILD_MASK)
}

fn priority(element: Element<'_>) -> Option<At<u8>> {
    let priority = element.number_or("priority", 0)?;
    element.in_range("priority", priority, 0, limits::MAX_PRIORITY.into())
}

fn stack_bytes(element: Element<'_>) -> Option<At<u64>> {
    const PAGE: u64 = limits::SMALL_PAGE_BYTES;
    let bytes = element.number_or("stack_size", limits::DEFAULT_STACK_BYTES)?;
    let (min, max) = (limits::MIN_STACK_BYTES, limits::MAX_STACK_BYTES);
    let bytes: At<u64> = element.in_range("stack_size", bytes, min, max)?;
    if !bytes.value.is_multiple_of(PAGE) {
        let why = "a stack is whole pages";
        let (attribute, value) = ("stack_size", bytes.value);
        let kind = SdfErrorKind::NotAligned {
            attribute,
            value,
            multiple: PAGE,
            why,
        };
        element.cx.error(bytes.span, kind);
    }
    Some(bytes)
}

fn smc(element: Element<'_>) -> bool {
    let smc = element.flag("smc", false);
    if smc && !element.cx.options.kernel.smc {
        element.error(SdfErrorKind::NotInKernel { what: "SMC calls" });
    }
    smc
}

/// Reads the domain of a PD. The attribute is required after a `domains` element, and not allowed
/// before a `domains` element.
fn domain(element: Element<'_>, draft: &Draft<'_>) -> Option<u8> {
    match &draft.domains {
        Some(domains) if !domains.domains.is_empty() => {
            let name = element.required("domain")?;
            domains::find(element, name, &domains.domains)
        }
        _ => {
            let domain = element.optional("domain")?;
            let name = domain.value.to_owned();
            element
                .cx
                .error(domain.span, SdfErrorKind::NoDomains { name });
            None
        }
    }
}

fn irq<'a>(element: Element<'a>, pd: &mut Pd<'a>) {
    element.ignore_content();
    let id = element.decimal_id(limits::MAX_CHANNEL_ID);
    pd.setvars.extend(setvar(
        element,
        "setvar_id",
        id.map(|id| SetvarValue::Id(id.value)),
    ));
    if !element.has("irq") && (element.has("pin") || element.has("pcidev")) {
        element.error(SdfErrorKind::NotOnAArch64 {
            what: "an `irq` with `pin` or `pcidev`",
        });
        return;
    }
    element.only(&["irq", "id", "setvar_id", "trigger"]);
    let triggers = [Trigger::Level, Trigger::Edge];
    pd.irqs.push(Irq {
        span: element.span(),
        id,
        number: element.required_decimal("irq"),
        trigger: element
            .word("trigger", &["level", "edge"], &triggers)
            .unwrap_or_default(),
    });
}

/// Reads a `cspace` (manual, *cspace*).
fn cspace<'a>(element: Element<'a>, pd: &mut Pd<'a>) {
    element.only(&[]);
    for child in element.children() {
        let kind = match child.name() {
            "cap_tcb" => CapabilityKind::Tcb,
            "cap_sc" => CapabilityKind::SchedulingContext,
            "cap_vspace" => CapabilityKind::VSpace,
            other => {
                child.error(SdfErrorKind::UnknownElement {
                    element: other.to_owned(),
                    parent: "cspace",
                    allowed: &["cap_tcb", "cap_sc", "cap_vspace"],
                });
                continue;
            }
        };
        child.only(&["slot", "pd"]);
        child.ignore_content();
        // Slot 0 holds the CNode that Microkit fills itself.
        let last = (1 << slots::ROOT_CNODE_BITS) - 1;
        let slot = child.required_number("slot");
        pd.capabilities.push(Capability {
            span: child.span(),
            kind,
            slot: slot.and_then(|slot| child.in_range("slot", slot, 1, last)),
            pd: child.required("pd"),
        });
    }
}
