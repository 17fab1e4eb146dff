//! Virtual machines and their virtual CPUs (manual, *`protection_domain`*).

use microkit_abi::limits;

use super::{map, pd};
use crate::draft::{Vcpu, Vm};
use crate::element::Element;
use crate::error::SdfErrorKind;
use crate::warning::WarningKind;

/// The maximum number of virtual CPUs in a system: the monitor has no room for more names
/// (*builder*).
pub(crate) const MAX_VCPUS: usize = 64;

/// Reads a `virtual_machine`.
pub(super) fn virtual_machine(element: Element<'_>) -> Vm<'_> {
    element.only(&["name", "budget", "period", "priority"]);
    if !element.cx.options.kernel.hypervisor {
        element.error(SdfErrorKind::NotInKernel {
            what: "virtual machines",
        });
    }
    let (budget_us, period_us) = pd::budget_and_period(element);
    let mut vm = Vm {
        span: element.span(),
        name: element.required("name"),
        priority: priority(element),
        budget_us,
        period_us,
        vcpus: Vec::new(),
        maps: Vec::new(),
    };
    for child in element.children() {
        match child.name() {
            "vcpu" => vm.vcpus.push(vcpu(child)),
            "map" => {
                child.only(&["mr", "vaddr", "perms", "cached"]);
                vm.maps.push(map::map(child));
            }
            other => child.error(SdfErrorKind::UnknownElement {
                element: other.to_owned(),
                parent: "virtual_machine",
                allowed: &["vcpu", "map"],
            }),
        }
    }
    if vm.vcpus.is_empty() {
        let (name, parent) = ("vcpu", "virtual_machine");
        element.error(SdfErrorKind::MissingElement {
            element: name,
            parent,
        });
    }
    vm
}

/// Reads the priority. The tool does not check the priority, and keeps its lowest 8 bits.
fn priority(element: Element<'_>) -> Option<u8> {
    let written = element.number_or("priority", 0)?;
    let kept = (written.value & 0xff) as u8;
    if written.value > limits::MAX_PRIORITY.into() {
        let kind = WarningKind::VmPriority {
            written: written.value,
            kept,
        };
        element.cx.warn(written.span, kind);
    }
    Some(kept)
}

fn vcpu(element: Element<'_>) -> Vcpu<'_> {
    element.only(&["id", "setvar_id", "cpu"]);
    element.ignore_content();
    let id = element.required_decimal::<u64>("id");
    let setvar_id = element.optional("setvar_id");
    if let Some(symbol) = setvar_id {
        let kind = WarningKind::VcpuSetvar {
            symbol: symbol.value.to_owned(),
        };
        element.cx.warn(symbol.span, kind);
    }
    Vcpu {
        span: element.span(),
        id: id.and_then(|id| element.in_range("id", id, 0, limits::MAX_CHANNEL_ID)),
        cpu: element
            .number("cpu")
            .and_then(|cpu| pd::core(cpu, element.cx)),
        setvar_id: setvar_id.map(|symbol| symbol.value),
    }
}
