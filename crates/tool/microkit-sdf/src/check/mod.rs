//! Checks the rules between elements. A value that could not be read is skipped.

mod ids;
mod memory;
mod names;

use crate::draft::Draft;
use crate::element::Context;
use crate::error::SdfErrorKind;
use crate::warning::WarningKind;

pub(crate) use names::Names;

/// Runs all checks, and chooses the page sizes that the file does not state.
pub(crate) fn all<'a>(draft: &mut Draft<'a>, cx: &Context<'_>) -> Names<'a> {
    let names = Names::of(draft, cx);
    names::references(draft, &names, cx);
    ids::irqs_and_channels(draft, &names, cx);
    ids::children_and_vcpus(draft, cx);
    ids::slots(draft, cx);
    ids::symbols(draft, &names, cx);
    calls(draft, &names, cx);
    memory::maps(draft, &names, cx);
    memory::addresses_of_0(draft, &names, cx);
    memory::physical(draft, cx);
    memory::devices(draft, &names, cx);
    memory::settle_page_sizes(draft, &names);
    memory::prefills(draft, &names, cx);
    domains(draft, cx);
    names
}

/// Checks that protected procedure calls go only to higher priorities (manual, *channel*).
fn calls(draft: &Draft<'_>, names: &Names<'_>, cx: &Context<'_>) {
    for channel in &draft.channels {
        let [a, b] = &channel.ends;
        if a.pp && b.pp {
            continue;
        }
        for (end, other) in [(a, b), (b, a)].into_iter().filter(|(end, _)| end.pp) {
            let [Some(caller), Some(callee)] = [end, other].map(|end| names.pd_of(draft, end.pd))
            else {
                continue;
            };
            let [Some(from), Some(to)] = [caller, callee].map(|pd| pd.priority) else {
                continue;
            };
            if from.value >= to.value {
                let [caller_name, callee_name] =
                    [caller, callee].map(|pd| pd.name.map(|name| name.value.to_owned()));
                let kind = SdfErrorKind::CallNotUpward {
                    caller: caller_name.unwrap_or_default(),
                    from: from.value,
                    callee: callee_name.unwrap_or_default(),
                    to: to.value,
                };
                cx.clash(end.span, to.span, "what it may not call", kind);
            }
        }
    }
}

/// Warns of domain settings that the tool ignores without a message.
fn domains(draft: &mut Draft<'_>, cx: &Context<'_>) {
    if let Some(empty) = draft.domains.take_if(|domains| domains.domains.is_empty()) {
        cx.warn(empty.span, WarningKind::ScheduleDropped);
    }
    if draft.domains.is_some() {
        for pd in draft.pds.iter().filter(|pd| pd.domain.is_none()) {
            let name = pd.name.map(|name| name.value).unwrap_or_default();
            cx.warn(
                pd.span,
                WarningKind::InNoDomain {
                    pd: name.to_owned(),
                },
            );
        }
    }
}
