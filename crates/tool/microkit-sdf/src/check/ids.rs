//! Checks that identifiers, slots and symbols are unique.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use microkit_abi::slots;

use super::Names;
use crate::Span;
use crate::draft::{At, Draft, Pd, SetvarValue};
use crate::element::Context;
use crate::error::SdfErrorKind;

/// The items seen so far, each with its place.
struct Seen<T>(HashMap<T, Span>);

impl<T: Copy + Eq + Hash> Seen<T> {
    fn new() -> Self {
        Self(HashMap::new())
    }

    /// Records `item`. Reports an item that was seen before.
    fn see(&mut self, item: At<T>, cx: &Context<'_>, kind: impl FnOnce(T) -> SdfErrorKind) {
        match self.0.entry(item.value) {
            Entry::Vacant(vacant) => {
                vacant.insert(item.span);
            }
            Entry::Occupied(first) => {
                cx.clash(item.span, *first.get(), "the first", kind(item.value));
            }
        }
    }
}

/// Makes the error for a number that is used twice in `pd`.
fn twice<T: Into<u64>>(what: &'static str, pd: &Pd<'_>) -> impl FnOnce(T) -> SdfErrorKind {
    let within = within(pd);
    move |id| SdfErrorKind::DuplicateId {
        what,
        id: id.into(),
        within,
    }
}

fn within(pd: &Pd<'_>) -> String {
    pd.name.map_or_else(
        || "this protection domain".to_owned(),
        |name| format!("`{}`", name.value),
    )
}

/// Checks interrupts and channels. An interrupt belongs to one PD. In each PD, interrupts and
/// channels share one set of identifiers.
pub(super) fn irqs_and_channels(draft: &Draft<'_>, names: &Names<'_>, cx: &Context<'_>) {
    let mut numbers = Seen::new();
    let mut ids: Vec<Seen<u8>> = draft.pds.iter().map(|_| Seen::new()).collect();
    for (pd, ids) in draft.pds.iter().zip(&mut ids) {
        for irq in &pd.irqs {
            if let Some(number) = irq.number {
                numbers.see(number, cx, |id| SdfErrorKind::DuplicateId {
                    what: "interrupt",
                    id,
                    within: "the system".to_owned(),
                });
            }
            if let Some(id) = irq.id {
                ids.see(id, cx, twice("channel identifier", pd));
            }
        }
    }
    for end in draft.channels.iter().flat_map(|channel| &channel.ends) {
        let index = end.pd.and_then(|name| names.pd(name.value));
        if let (Some(index), Some(id)) = (index, end.id) {
            ids[index].see(id, cx, twice("channel identifier", &draft.pds[index]));
        }
    }
}

/// Checks children and virtual CPUs. In each PD, children and virtual CPUs share the identifiers
/// that a fault reports. The identifiers also select the slots of TCBs and VCPUs. These slots must
/// not overlap.
pub(super) fn children_and_vcpus(draft: &Draft<'_>, cx: &Context<'_>) {
    let mut children: Vec<Vec<At<u8>>> = draft.pds.iter().map(|_| Vec::new()).collect();
    for pd in &draft.pds {
        if let (Some(parent), Some(id)) = (pd.parent, pd.id) {
            children[parent].push(id);
        }
    }
    for (pd, children) in draft.pds.iter().zip(&children) {
        let vcpus = || {
            pd.vm
                .iter()
                .flat_map(|vm| &vm.vcpus)
                .filter_map(|vcpu| vcpu.id)
        };
        let mut ids = Seen::new();
        for vcpu in vcpus() {
            ids.see(vcpu, cx, twice("virtual CPU", pd));
        }
        for child in children {
            ids.see(*child, cx, twice("child or virtual CPU identifier", pd));
            let slot = slots::BASE_TCB + u64::from(child.value);
            let taken = vcpus().find(|vcpu| {
                let id = u64::from(vcpu.value);
                slot == slots::BASE_VM_TCB + id || slot == slots::BASE_VCPU + id
            });
            if let Some(vcpu) = taken {
                let kind = SdfErrorKind::ChildInVcpuSlot {
                    child: child.value.into(),
                    vcpu: vcpu.value.into(),
                };
                cx.clash(child.span, vcpu.span, "the virtual CPU", kind);
            }
        }
    }
}

/// Checks that each slot of a `cspace` is used at most once.
pub(super) fn slots(draft: &Draft<'_>, cx: &Context<'_>) {
    for pd in &draft.pds {
        let mut slots = Seen::new();
        for slot in pd
            .capabilities
            .iter()
            .filter_map(|capability| capability.slot)
        {
            slots.see(slot, cx, twice("slot", pd));
        }
    }
}

/// Checks that each symbol of a program is set once. Adds the setvars of the channels to each PD.
pub(super) fn symbols<'a>(draft: &mut Draft<'a>, names: &Names<'a>, cx: &Context<'_>) {
    for end in draft.channels.iter().flat_map(|channel| &channel.ends) {
        let index = end.pd.and_then(|name| names.pd(name.value));
        if let (Some(index), Some(symbol)) = (index, end.setvar_id) {
            let value = end.id.map(|id| SetvarValue::Id(id.value));
            draft.pds[index]
                .setvars
                .push(crate::draft::Setvar { symbol, value });
        }
    }
    for pd in &draft.pds {
        let mut symbols = Seen::new();
        for setvar in &pd.setvars {
            symbols.see(setvar.symbol, cx, |symbol| SdfErrorKind::DuplicateSetvar {
                symbol: symbol.to_owned(),
                pd: within(pd),
            });
        }
    }
}
