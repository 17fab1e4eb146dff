//! The content of a system file before its names are resolved.
//!
//! The readers make a draft, the checks compare its elements, and `lower` makes the `System` from
//! the draft. An unreadable value is `None`. In that case an error was reported, the checks skip
//! the value, and `lower` does not run.

use crate::Span;
use crate::system::{BootInfo, CapabilityKind, Domains, PageSize, Perms, Trigger};

/// A value with its place in the file.
#[derive(Debug, Copy, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> At<T> {
    pub(crate) fn with<U>(&self, value: U) -> At<U> {
        At {
            value,
            span: self.span,
        }
    }
}

#[derive(Default)]
pub(crate) struct Draft<'a> {
    /// The PDs in the order of the file. A child comes after its parent.
    pub(crate) pds: Vec<Pd<'a>>,
    pub(crate) regions: Vec<Region<'a>>,
    pub(crate) channels: Vec<Channel<'a>>,
    /// The last `domains` element.
    pub(crate) domains: Option<Domains>,
}

pub(crate) struct Pd<'a> {
    pub(crate) span: Span,
    pub(crate) name: Option<At<&'a str>>,
    pub(crate) parent: Option<usize>,
    /// The identifier of a child at its parent.
    pub(crate) id: Option<At<u8>>,
    pub(crate) priority: Option<At<u8>>,
    pub(crate) budget_us: Option<At<u64>>,
    pub(crate) period_us: Option<At<u64>>,
    pub(crate) passive: bool,
    pub(crate) stack_bytes: Option<At<u64>>,
    pub(crate) cpu: Option<u8>,
    pub(crate) smc: bool,
    pub(crate) fpu: bool,
    pub(crate) domain: Option<u8>,
    pub(crate) image: Option<At<&'a str>>,
    pub(crate) image_for_symbols: Option<At<&'a str>>,
    pub(crate) maps: Vec<Map<'a>>,
    pub(crate) irqs: Vec<Irq>,
    /// The setvars in the tool's order: first the setvars in the PD, then the setvars of its
    /// channels.
    pub(crate) setvars: Vec<Setvar<'a>>,
    pub(crate) capabilities: Vec<Capability<'a>>,
    pub(crate) vm: Option<Vm<'a>>,
}

pub(crate) struct Vm<'a> {
    pub(crate) span: Span,
    pub(crate) name: Option<At<&'a str>>,
    pub(crate) priority: Option<u8>,
    pub(crate) budget_us: Option<At<u64>>,
    pub(crate) period_us: Option<At<u64>>,
    pub(crate) vcpus: Vec<Vcpu<'a>>,
    pub(crate) maps: Vec<Map<'a>>,
}

pub(crate) struct Vcpu<'a> {
    pub(crate) span: Span,
    pub(crate) id: Option<At<u8>>,
    pub(crate) cpu: Option<u8>,
    pub(crate) setvar_id: Option<&'a str>,
}

pub(crate) struct Map<'a> {
    pub(crate) span: Span,
    pub(crate) region: Option<At<&'a str>>,
    pub(crate) vaddr: Option<At<u64>>,
    pub(crate) perms: Perms,
    pub(crate) cached: bool,
}

pub(crate) struct Irq {
    pub(crate) span: Span,
    pub(crate) id: Option<At<u8>>,
    pub(crate) number: Option<At<u64>>,
    pub(crate) trigger: Trigger,
}

pub(crate) struct Setvar<'a> {
    pub(crate) symbol: At<&'a str>,
    /// The value, or `None` if it could not be read.
    pub(crate) value: Option<SetvarValue<'a>>,
}

#[derive(Copy, Clone)]
pub(crate) enum SetvarValue<'a> {
    Vaddr(u64),
    Id(u8),
    Size(At<&'a str>),
    PrefillSize(At<&'a str>),
    Paddr(At<&'a str>),
}

pub(crate) struct Capability<'a> {
    pub(crate) span: Span,
    pub(crate) kind: CapabilityKind,
    pub(crate) slot: Option<At<u8>>,
    pub(crate) pd: Option<At<&'a str>>,
}

pub(crate) struct Region<'a> {
    pub(crate) span: Span,
    pub(crate) name: Option<At<&'a str>>,
    pub(crate) bytes: Option<u64>,
    /// The page size from the file, or the size that `check` chooses.
    pub(crate) page_size: PageSize,
    pub(crate) page_size_written: bool,
    pub(crate) phys_addr: Option<At<u64>>,
    pub(crate) prefill: Option<Prefill<'a>>,
    pub(crate) boot_info: Option<BootInfo>,
}

#[derive(Copy, Clone)]
pub(crate) struct Prefill<'a> {
    pub(crate) path: At<&'a str>,
    /// The size in bytes, or `None` if it could not be read.
    pub(crate) bytes: Option<u64>,
}

pub(crate) struct Channel<'a> {
    pub(crate) span: Span,
    pub(crate) ends: [End<'a>; 2],
}

pub(crate) struct End<'a> {
    pub(crate) span: Span,
    pub(crate) pd: Option<At<&'a str>>,
    pub(crate) id: Option<At<u8>>,
    pub(crate) pp: bool,
    pub(crate) notify: bool,
    pub(crate) setvar_id: Option<At<&'a str>>,
}
