//! The checked system: plain data with names resolved to indices.

mod domain;
mod memory;
mod pd;

pub use domain::{Domain, Domains, Duration, ScheduleEntry};
pub use memory::{BootInfo, Fill, Map, MemoryRegion, PageSize, Perms, PhysAddr};
pub use pd::{
    Capability, CapabilityKind, Child, Irq, ProgramImage, ProtectionDomain, SetVar, SetVarValue,
    Trigger, Vcpu, VirtualMachine,
};

use crate::warning::Warning;
use crate::{Source, Span};

/// Describes a system that the SDK's tool would accept.
///
/// References to protection domains and memory regions are indices in the two lists. The order is
/// the same as in the SDK's tool, so our image has the same numbers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct System {
    /// The system file.
    pub source: Source,
    /// The PDs in the order of the file. A child comes after its parent and before the next child
    /// of its parent. The index is the number of the PD in the monitor and in the badge of its
    /// scheduling context.
    pub protection_domains: Vec<ProtectionDomain>,
    /// The memory regions, in the order of the file.
    pub memory_regions: Vec<MemoryRegion>,
    /// The channels, in the order of the file.
    pub channels: Vec<Channel>,
    /// The domains and their schedule, if the file has domains.
    pub domains: Option<Domains>,
    /// The warnings, in the order of the file.
    pub warnings: Vec<Warning>,
}

/// A channel between two protection domains (manual, *channel*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Channel {
    /// The place in the file.
    pub span: Span,
    /// The ends, in the order of the file.
    pub ends: [End; 2],
}

/// One end of a [`Channel`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct End {
    /// The place in the file.
    pub span: Span,
    /// The index of the protection domain.
    pub pd: usize,
    /// The identifier of the channel in this protection domain.
    pub id: u8,
    /// Whether this protection domain may call the peer.
    pub pp: bool,
    /// Whether this protection domain may notify the peer.
    pub notify: bool,
}

impl System {
    /// Returns the index of the protection domain `name`.
    pub fn protection_domain(&self, name: &str) -> Option<usize> {
        self.protection_domains
            .iter()
            .position(|pd| pd.name == name)
    }

    /// Returns the number of `value`. Returns `None` for an address that the image builder chooses
    /// later ([`PhysAddr::Chosen`]).
    ///
    /// # Panics
    ///
    /// Panics if `value` is from another system with more memory regions.
    pub fn setvar_value(&self, value: SetVarValue) -> Option<u64> {
        match value {
            SetVarValue::Vaddr(vaddr) => Some(vaddr),
            SetVarValue::Id(id) => Some(id.into()),
            SetVarValue::Size { region } => Some(self.memory_regions[region].bytes),
            SetVarValue::PrefillSize { region } => match self.memory_regions[region].fill {
                Fill::File { bytes, .. } => Some(bytes),
                Fill::Zero | Fill::BootInfo(_) => None,
            },
            SetVarValue::Paddr { region } => match self.memory_regions[region].phys_addr {
                PhysAddr::Fixed(address) => Some(address),
                PhysAddr::Chosen | PhysAddr::Any => None,
            },
        }
    }
}
