//! Checks that names are unique and not reserved for Microkit, and that each reference has a
//! target.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use microkit_abi::limits;

use crate::Span;
use crate::draft::{At, Draft, Pd, SetvarValue};
use crate::element::Context;
use crate::error::SdfErrorKind;
use crate::read::MAX_VCPUS;
use crate::warning::WarningKind;
use crate::wording::nearest;

/// The name of the monitor, which has an entry among the protection domains.
const MONITOR: &str = "monitor";

/// The maximum number of names in the help for an unknown name.
const MAX_SHOWN: usize = 8;

/// Maps each name to its index.
pub(crate) struct Names<'a> {
    pds: HashMap<&'a str, usize>,
    regions: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    /// Collects the names of a draft. Reports duplicate names and names reserved for Microkit.
    pub(super) fn of(draft: &Draft<'a>, cx: &Context<'_>) -> Self {
        counts(draft, cx);
        let pds = unique("protection domain", draft.pds.iter().map(|pd| pd.name), cx);
        let regions = unique(
            "memory region",
            draft.regions.iter().map(|region| region.name),
            cx,
        );
        let vms = draft
            .pds
            .iter()
            .map(|pd| pd.vm.as_ref().and_then(|vm| vm.name));
        unique("virtual machine", vms, cx);
        microkits_own(draft, &pds, cx);
        Self { pds, regions }
    }

    pub(crate) fn pd(&self, name: &str) -> Option<usize> {
        self.pds.get(name).copied()
    }

    pub(crate) fn region(&self, name: &str) -> Option<usize> {
        self.regions.get(name).copied()
    }

    /// Returns the protection domain that `name` refers to.
    pub(super) fn pd_of<'d>(
        &self,
        draft: &'d Draft<'a>,
        name: Option<At<&str>>,
    ) -> Option<&'d Pd<'a>> {
        draft.pds.get(self.pd(name?.value)?)
    }
}

/// Maps each name to the index of its first owner.
fn unique<'a>(
    what: &'static str,
    names: impl Iterator<Item = Option<At<&'a str>>>,
    cx: &Context<'_>,
) -> HashMap<&'a str, usize> {
    let mut first_spans: HashMap<&str, Span> = HashMap::new();
    let mut indices = HashMap::new();
    for (index, name) in names.enumerate() {
        let Some(name) = name else { continue };
        match first_spans.entry(name.value) {
            Entry::Vacant(vacant) => {
                vacant.insert(name.span);
                indices.insert(name.value, index);
            }
            Entry::Occupied(first) => {
                let kind = SdfErrorKind::DuplicateName {
                    what,
                    name: name.value.to_owned(),
                };
                cx.clash(name.span, *first.get(), "the first", kind);
            }
        }
    }
    indices
}

/// Checks the numbers of elements against their limits.
fn counts(draft: &Draft<'_>, cx: &Context<'_>) {
    if let Some(first_too_many) = draft.pds.get(limits::MAX_PROTECTION_DOMAINS) {
        let kind = SdfErrorKind::TooManyProtectionDomains {
            count: draft.pds.len(),
        };
        cx.error(first_too_many.span, kind);
    }
    let vcpus: Vec<Span> = draft
        .pds
        .iter()
        .filter_map(|pd| pd.vm.as_ref())
        .flat_map(|vm| vm.vcpus.iter().map(|vcpu| vcpu.span))
        .collect();
    if let Some(first_too_many) = vcpus.get(MAX_VCPUS) {
        let kind = SdfErrorKind::TooManyVcpus {
            count: vcpus.len(),
            max: MAX_VCPUS,
        };
        cx.error(*first_too_many, kind);
    }
}

/// Reports names that are reserved for Microkit. For most of these names, the SDK's tool fails
/// without a message, because two kernel objects get the same name (*builder*).
fn microkits_own(draft: &Draft<'_>, pds: &HashMap<&str, usize>, cx: &Context<'_>) {
    let clash = |name: At<&str>, taken_by: String| {
        let name_value = name.value.to_owned();
        cx.error(
            name.span,
            SdfErrorKind::NameClash {
                name: name_value,
                taken_by,
            },
        );
    };
    for pd in &draft.pds {
        let Some(name) = pd.name else { continue };
        if name.value == MONITOR {
            cx.error(name.span, SdfErrorKind::ReservedName);
        }
        if let Some(owner) = name
            .value
            .strip_suffix("_root")
            .filter(|pd| pds.contains_key(pd))
        {
            clash(name, format!("the root CNode of `{owner}`"));
        }
        if name.value.len() > limits::NAME_BYTES {
            let kept = limits::NAME_BYTES;
            let kind = WarningKind::NameCut {
                name: name.value.to_owned(),
                kept,
            };
            cx.warn(name.span, kind);
        }
    }
    for vm in draft.pds.iter().filter_map(|pd| pd.vm.as_ref()) {
        let Some(name) = vm.name else { continue };
        if name.value == MONITOR || pds.contains_key(name.value) {
            clash(
                name,
                format!(
                    "the address space of the protection domain `{}`",
                    name.value
                ),
            );
        }
        for id in vm.vcpus.iter().filter_map(|vcpu| vcpu.id) {
            let vcpu_name = format!("{}_{}", name.value, id.value);
            let named = pds
                .get(vcpu_name.as_str())
                .and_then(|pd| draft.pds[*pd].name);
            if let Some(named) = named {
                clash(
                    named,
                    format!("virtual CPU {} of `{}`", id.value, name.value),
                );
            }
        }
    }
}

/// Reports each reference to an unknown name.
pub(super) fn references(draft: &Draft<'_>, names: &Names<'_>, cx: &Context<'_>) {
    let pd_names = Declared::of("protection domain", draft.pds.iter().map(|pd| pd.name));
    let region_names = Declared::of("memory region", draft.regions.iter().map(|mr| mr.name));
    let pd = |name: Option<At<&str>>| pd_names.find(name, |name| names.pd(name), cx);
    let region = |name: Option<At<&str>>| region_names.find(name, |name| names.region(name), cx);

    for domain in &draft.pds {
        let vm_maps = domain.vm.iter().flat_map(|vm| &vm.maps);
        for map in domain.maps.iter().chain(vm_maps) {
            region(map.region);
        }
        for setvar in &domain.setvars {
            // Only this kind of setvar can name a region other than the region of a map.
            if let Some(SetvarValue::Paddr(name)) = setvar.value {
                region(Some(name));
            }
        }
        for capability in &domain.capabilities {
            pd(capability.pd);
        }
    }
    for end in draft.channels.iter().flat_map(|channel| &channel.ends) {
        pd(end.pd);
    }
}

/// The declared names of one kind, for the help about an unknown name.
struct Declared<'a> {
    what: &'static str,
    names: Vec<&'a str>,
}

impl<'a> Declared<'a> {
    fn of(what: &'static str, names: impl Iterator<Item = Option<At<&'a str>>>) -> Self {
        let names = names.flatten().map(|name| name.value).collect();
        Self { what, names }
    }

    fn find(&self, name: Option<At<&str>>, find: impl Fn(&str) -> Option<usize>, cx: &Context<'_>) {
        let Some(name) = name else { return };
        if find(name.value).is_none() {
            let shown = self.names.iter().take(MAX_SHOWN);
            let kind = SdfErrorKind::Unknown {
                what: self.what,
                name: name.value.to_owned(),
                nearest: nearest(name.value, self.names.iter().copied()).map(str::to_owned),
                declared: shown.map(|name| (*name).to_owned()).collect(),
                more: self.names.len().saturating_sub(MAX_SHOWN),
            };
            cx.error(name.span, kind);
        }
    }
}
