//! Protection domains and their parts.

use std::path::PathBuf;

use super::memory::Map;
use crate::Span;

/// A protection domain (manual, *`protection_domain`*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProtectionDomain {
    /// The place in the file.
    pub span: Span,
    /// The unique name.
    pub name: String,
    /// The index of the parent PD, if the PD has a parent.
    pub parent: Option<usize>,
    /// The identifier at the parent, if the PD has a parent.
    pub child_id: Option<u8>,
    /// The children, in the order of the file.
    pub children: Vec<Child>,
    /// The priority.
    pub priority: u8,
    /// The budget in each period, in microseconds.
    pub budget_us: u64,
    /// The period, in microseconds.
    pub period_us: u64,
    /// Whether the PD is passive. A passive PD gives up its scheduling context after its
    /// initialisation.
    pub passive: bool,
    /// The size of the stack in bytes, a multiple of a page.
    pub stack_bytes: u64,
    /// The core that the PD runs on.
    pub cpu: u8,
    /// Whether the PD may make SMC calls.
    pub smc: bool,
    /// Whether the PD may use the floating-point unit.
    pub fpu: bool,
    /// The scheduling domain. `None` in a system without domains, and for a PD before the `domains`
    /// element.
    pub domain: Option<u8>,
    /// The program.
    pub program_image: ProgramImage,
    /// The mapped memory regions, in the order of the file.
    pub maps: Vec<Map>,
    /// The interrupts, in the order of the file.
    pub irqs: Vec<Irq>,
    /// The symbols that are set in the program, without duplicates. The symbols inside the PD's
    /// element come first, then the symbols of its channels. Both groups are in the order of the
    /// file.
    pub setvars: Vec<SetVar>,
    /// The capabilities in the PD's own slots, in the order of the file.
    pub capabilities: Vec<Capability>,
    /// The virtual machine that the PD handles.
    pub virtual_machine: Option<VirtualMachine>,
    /// Whether the PD receives on an endpoint. An endpoint is necessary if the PD has children, a
    /// virtual machine, or a channel with a peer that may call the PD. Otherwise the PD receives on
    /// its notification.
    pub needs_endpoint: bool,
    /// Bit *n* is set if identifier *n* is an interrupt.
    pub irqs_mask: u64,
    /// Bit *n* is set if the PD may notify on channel *n*.
    pub notifications_mask: u64,
    /// Bit *n* is set if the PD may call on channel *n*.
    pub pps_mask: u64,
}

/// A child of a protection domain.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Child {
    /// The identifier at the parent.
    pub id: u8,
    /// The index of the child.
    pub pd: usize,
}

/// The program of a protection domain, with the paths in the system file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProgramImage {
    /// The ELF file.
    pub path: PathBuf,
    /// The ELF file with the symbols, if this file is not `path`.
    pub path_for_symbols: Option<PathBuf>,
}

/// A hardware interrupt that notifies a protection domain.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Irq {
    /// The place in the file.
    pub span: Span,
    /// The identifier in the protection domain.
    pub id: u8,
    /// The interrupt's number. No check ensures that the board has this interrupt.
    pub number: u64,
    /// The trigger mode of the interrupt.
    pub trigger: Trigger,
}

/// The trigger mode of an interrupt.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Default)]
pub enum Trigger {
    /// The hardware holds the line active until the interrupt is handled.
    #[default]
    Level,
    /// The hardware changes the line once.
    Edge,
}

/// A symbol of a program that is set when the image is built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetVar {
    /// The place in the file.
    pub span: Span,
    /// The symbol.
    pub symbol: String,
    /// The value. [`System::setvar_value`](super::System::setvar_value) converts the value to a
    /// number.
    pub value: SetVarValue,
}

/// The value for a symbol. `region` is the index of a memory region.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum SetVarValue {
    /// The virtual address of a mapped memory region.
    Vaddr(u64),
    /// The identifier of a channel, interrupt or child.
    Id(u8),
    /// The size of a memory region, in bytes.
    Size {
        /// The index of the memory region.
        region: usize,
    },
    /// The length of the file that fills a memory region, in bytes.
    PrefillSize {
        /// The index of the memory region.
        region: usize,
    },
    /// The physical address of a memory region.
    Paddr {
        /// The index of the memory region.
        region: usize,
    },
}

/// A capability in one of a protection domain's own slots (manual, *cspace*).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capability {
    /// The place in the file.
    pub span: Span,
    /// The slot of the root CNode. The first slot is 1. `microkit_abi::slots::user_cptr` returns
    /// the capability pointer of the slot.
    pub slot_index: u8,
    /// The kind of object that the capability refers to.
    pub kind: CapabilityKind,
    /// The index of the protection domain that owns the object.
    pub pd: usize,
}

/// Names the kind of object that a [`Capability`] refers to.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum CapabilityKind {
    /// The thread control block.
    Tcb,
    /// The scheduling context.
    SchedulingContext,
    /// The address space.
    VSpace,
}

/// A virtual machine (manual, *`protection_domain`*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VirtualMachine {
    /// The place in the file.
    pub span: Span,
    /// The unique name.
    pub name: String,
    /// The priority: the lowest 8 bits of the number in the file.
    pub priority: u8,
    /// The budget in each period, in microseconds.
    pub budget_us: u64,
    /// The period, in microseconds.
    pub period_us: u64,
    /// The virtual CPUs, in the order of the file.
    pub vcpus: Vec<Vcpu>,
    /// The mapped memory regions, in the order of the file. `vaddr` is a guest-physical address.
    pub maps: Vec<Map>,
}

/// A virtual CPU.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vcpu {
    /// The place in the file.
    pub span: Span,
    /// The identifier in the protection domain.
    pub id: u8,
    /// The core that the virtual CPU runs on. The default is the core of the protection domain.
    pub cpu: u8,
    /// The `setvar_id`, which Microkit 2.3.0 accepts and ignores.
    pub ignored_setvar_id: Option<String>,
}
