//! Domains and their schedule (manual, *domains*).

use std::num::NonZeroU64;

use crate::Span;
use crate::draft::At;
use crate::element::Element;
use crate::error::SdfErrorKind;
use crate::options::KernelConfig;
use crate::system::{Domain, Domains, Duration, ScheduleEntry};
use crate::wording::nearest;

/// A `domain` with its number. If `id` is `None`, `number` chooses the number later.
struct Named<'a> {
    name: At<&'a str>,
    id: Option<u8>,
    span: Span,
}

/// Reads `domains`.
pub(super) fn domains(element: Element<'_>) -> Domains {
    let kernel = element.cx.options.kernel;
    element.only(&[]);
    if kernel.cores != 1 {
        element.error(SdfErrorKind::NotInKernel {
            what: "the domain scheduler",
        });
    }

    let mut named = Vec::new();
    let mut schedule: Option<Element<'_>> = None;
    let mut first_schedule = None;
    for child in element.children() {
        match child.name() {
            "domain" => domain(child, &mut named),
            "domain_schedule" => {
                child.once(&mut first_schedule, "domains", "domain_schedule");
                schedule.get_or_insert(child);
            }
            other => child.error(SdfErrorKind::UnknownElement {
                element: other.to_owned(),
                parent: "domains",
                allowed: &["domain", "domain_schedule"],
            }),
        }
    }

    let mut result = Domains {
        span: element.span(),
        domains: number(&named, element),
        start_index: 0,
        index_shift: None,
        schedule: Vec::new(),
    };
    match schedule {
        Some(schedule) => read_schedule(schedule, &mut result),
        None => {
            let (element_name, parent) = ("domain_schedule", "domains");
            element.error(SdfErrorKind::MissingElement {
                element: element_name,
                parent,
            });
        }
    }
    result
}

fn domain<'a>(element: Element<'a>, named: &mut Vec<Named<'a>>) {
    element.only(&["name", "id"]);
    element.ignore_content();
    let name = element.required("name");
    let last = u64::from(element.cx.options.kernel.domains).saturating_sub(1);
    let id = element.number("id");
    let id = id.and_then(|id| element.in_range::<_, u8>("id", id, 0, last));
    let Some(name) = name else { return };

    let cx = element.cx;
    if let Some(other) = named.iter().find(|other| other.name.value == name.value) {
        let kind = SdfErrorKind::DuplicateName {
            what: "domain",
            name: name.value.to_owned(),
        };
        cx.clash(name.span, other.name.span, "the first", kind);
    }
    if let Some(id) = id
        && let Some(other) = named.iter().find(|other| other.id == Some(id.value))
    {
        let (what, within) = ("domain", "`domains`".to_owned());
        let kind = SdfErrorKind::DuplicateId {
            what,
            id: id.value.into(),
            within,
        };
        cx.clash(id.span, other.span, "the first", kind);
    }
    named.push(Named {
        name,
        id: id.map(|id| id.value),
        span: element.span(),
    });
}

/// Gives each domain without a number the lowest free number, in the order of the file. In the
/// SDK's tool, the order changes from run to run.
fn number(named: &[Named<'_>], element: Element<'_>) -> Vec<Domain> {
    let max = element.cx.options.kernel.domains;
    let mut free = (0..max).filter(|id| named.iter().all(|domain| domain.id != Some(*id)));
    let mut too_many = None;
    let mut domains = Vec::new();
    for domain in named {
        let id = domain.id.or_else(|| free.next()).unwrap_or_else(|| {
            too_many.get_or_insert(domain.span);
            0
        });
        domains.push(Domain {
            span: domain.span,
            name: domain.name.value.to_owned(),
            id,
        });
    }
    if let Some(span) = too_many {
        element.cx.error(span, SdfErrorKind::TooManyDomains { max });
    }
    domains
}

fn read_schedule(element: Element<'_>, domains: &mut Domains) {
    element.only(&["index_shift", "start_index"]);
    let start = element.number_or("start_index", 0);
    let shift = element.number("index_shift");
    let mut entries: u64 = 0;
    for child in element.children() {
        entries += 1;
        match child.name() {
            "schedule_entry" => domains.schedule.extend(entry(child, &domains.domains)),
            "schedule_end_marker" => {
                child.only(&[]);
                child.ignore_content();
                domains
                    .schedule
                    .push(ScheduleEntry::End { span: child.span() });
            }
            other => child.error(SdfErrorKind::UnknownElement {
                element: other.to_owned(),
                parent: "domain_schedule",
                allowed: &["schedule_entry", "schedule_end_marker"],
            }),
        }
    }

    // The tool reserves one entry of the kernel's schedule.
    let max = element.cx.options.kernel.schedule_entries.saturating_sub(1);
    if entries > max {
        element.error(SdfErrorKind::ScheduleTooLong { entries, max });
    }
    if let Some(start) = start {
        domains.start_index = start.value;
        if start.value >= entries {
            let kind = SdfErrorKind::ScheduleStart {
                start: start.value,
                entries,
            };
            element.cx.error(start.span, kind);
        }
    }
    // The tool drops the schedule if no domain is declared.
    if let Some(start) = start
        && !domains.domains.is_empty()
    {
        starts_at_an_entry(element, start, shift);
    }
    if let Some(shift) = shift {
        domains.index_shift = Some(shift.value);
        if shift.value.checked_add(entries).is_none_or(|end| end > max) {
            let kind = SdfErrorKind::ScheduleShift {
                shift: shift.value,
                entries,
                max,
            };
            element.cx.error(shift.span, kind);
        }
    }
}

/// Reports an end marker at an entry that the kernel can start with. The kernel starts with index 0
/// until the schedule is complete, and with the start index afterwards.
fn starts_at_an_entry(element: Element<'_>, start: At<u64>, shift: Option<At<u64>>) {
    let is_marker = |index: u64| {
        let entry = usize::try_from(index).ok();
        let entry = entry.and_then(|index| element.children().nth(index));
        entry.is_some_and(|entry| entry.name() == "schedule_end_marker")
    };
    let is_shifted = shift.is_some_and(|shift| shift.value > 0);
    let starts = [(start.value, true), (0, !is_shifted)].into_iter();
    let mut starts = starts.filter(|(index, counts)| *counts && is_marker(*index));
    if let Some((start_index, _)) = starts.next() {
        let kind = SdfErrorKind::ScheduleStartsAtEnd { start: start_index };
        element.cx.error(start.span, kind);
    }
}

fn entry(element: Element<'_>, domains: &[Domain]) -> Option<ScheduleEntry> {
    element.only(&["domain", "duration"]);
    element.ignore_content();
    let name = element.required("domain");
    let duration = element.required("duration");
    let domain = find(element, name?, domains);
    let duration = duration.and_then(|written| {
        let duration = duration_of(written.value);
        if duration.is_none() {
            let value = written.value.to_owned();
            element
                .cx
                .error(written.span, SdfErrorKind::Duration { value });
        }
        if let Some(duration) = duration {
            bounded(element, written, duration);
        }
        duration
    });
    Some(ScheduleEntry::Run {
        span: element.span(),
        domain: domain?,
        duration: duration?,
    })
}

/// Reports a duration that the kernel rejects or that the SDK's initialiser cannot convert.
fn bounded(element: Element<'_>, written: At<&str>, duration: Duration) {
    let (number, max, unit) = match duration {
        Duration::Ticks(ticks) => (ticks, KernelConfig::MAX_DURATION_TICKS, "ticks"),
        Duration::Microseconds(us) => (us, element.cx.options.kernel.max_duration_us(), "us"),
    };
    if number.get() > max {
        let value = written.value.to_owned();
        let kind = SdfErrorKind::DurationTooLong { value, max, unit };
        element.cx.error(written.span, kind);
    }
}

/// Returns the number of the domain `name`. An unknown name is an error.
pub(super) fn find(element: Element<'_>, name: At<&str>, domains: &[Domain]) -> Option<u8> {
    let found = domains.iter().find(|domain| domain.name == name.value);
    if found.is_none() {
        let names = domains.iter().map(|domain| domain.name.as_str());
        let kind = SdfErrorKind::Unknown {
            what: "domain",
            name: name.value.to_owned(),
            nearest: nearest(name.value, names.clone()).map(str::to_owned),
            declared: names.map(str::to_owned).collect(),
            more: 0,
        };
        element.cx.error(name.span, kind);
    }
    found.map(|domain| domain.id)
}

fn duration_of(written: &str) -> Option<Duration> {
    let (number, unit) = written.split_once(' ')?;
    let number = NonZeroU64::new(crate::element::number(number)?)?;
    match unit {
        "us" => Some(Duration::Microseconds(number)),
        "ticks" => Some(Duration::Ticks(number)),
        _ => None,
    }
}
