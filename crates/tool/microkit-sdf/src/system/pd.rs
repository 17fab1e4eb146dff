//! Protection domains, and what belongs to one.

use std::path::PathBuf;

use super::memory::Map;
use crate::Span;

/// A protection domain (manual, *`protection_domain`*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProtectionDomain {
    /// Its place in the file.
    pub span: Span,
    /// Its unique name.
    pub name: String,
    /// The index of its parent.
    pub parent: Option<usize>,
    /// Its identifier at its parent, if it has one.
    pub child_id: Option<u8>,
    /// Its children, in the order of the file.
    pub children: Vec<Child>,
    /// Its priority.
    pub priority: u8,
    /// Its budget in each period, in microseconds.
    pub budget_us: u64,
    /// Its period, in microseconds.
    pub period_us: u64,
    /// Whether it is passive: it gives up its scheduling context after its initialisation.
    pub passive: bool,
    /// The size of its stack in bytes, a multiple of a page.
    pub stack_bytes: u64,
    /// The core that it runs on.
    pub cpu: u8,
    /// Whether it may make SMC calls.
    pub smc: bool,
    /// Whether it may use the floating-point unit.
    pub fpu: bool,
    /// Its scheduling domain. `None` in a system without domains, and for a PD before `domains`.
    pub domain: Option<u8>,
    /// Its program.
    pub program_image: ProgramImage,
    /// The memory regions it maps, in the order of the file.
    pub maps: Vec<Map>,
    /// Its interrupts, in the order of the file.
    pub irqs: Vec<Irq>,
    /// The symbols that are set in its program: first those inside its element, then those of its
    /// channels, each in the order of the file. No two are of the same symbol.
    pub setvars: Vec<SetVar>,
    /// The capabilities in its own slots, in the order of the file.
    pub capabilities: Vec<Capability>,
    /// The virtual machine that it handles.
    pub virtual_machine: Option<VirtualMachine>,
    /// Whether it receives on an endpoint, because it has children, a virtual machine, or a
    /// channel whose other end may call it. Otherwise it receives on its notification.
    pub needs_endpoint: bool,
    /// Bit *n* is set if identifier *n* is an interrupt.
    pub irqs_mask: u64,
    /// Bit *n* is set if it may notify on channel *n*.
    pub notifications_mask: u64,
    /// Bit *n* is set if it may call on channel *n*.
    pub pps_mask: u64,
}

/// A child of a protection domain.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Child {
    /// Its identifier at the parent.
    pub id: u8,
    /// The index of the child.
    pub pd: usize,
}

/// Names the program of a protection domain, as the file writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProgramImage {
    /// The ELF file.
    pub path: PathBuf,
    /// The ELF file to look up symbols in, if it is another.
    pub path_for_symbols: Option<PathBuf>,
}

/// A hardware interrupt that a protection domain is notified of.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Irq {
    /// Its place in the file.
    pub span: Span,
    /// Its identifier in the protection domain.
    pub id: u8,
    /// The interrupt's number. Whether the board has it is not checked.
    pub number: u64,
    /// How the hardware raises it.
    pub trigger: Trigger,
}

/// How the hardware raises an interrupt.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Default)]
pub enum Trigger {
    /// It holds the line until the interrupt is handled.
    #[default]
    Level,
    /// It changes the line once.
    Edge,
}

/// A symbol of a program that is set when the image is built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetVar {
    /// Its place in the file.
    pub span: Span,
    /// The symbol.
    pub symbol: String,
    /// What it is set to. [`System::setvar_value`](super::System::setvar_value) gives the number.
    pub value: SetVarValue,
}

/// What a symbol is set to. `region` is the index of a memory region.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum SetVarValue {
    /// Where a memory region is mapped.
    Vaddr(u64),
    /// The identifier of a channel, interrupt or child.
    Id(u8),
    /// The size of a memory region, in bytes.
    Size {
        /// Its index.
        region: usize,
    },
    /// The length of the file that a memory region is filled from, in bytes.
    PrefillSize {
        /// Its index.
        region: usize,
    },
    /// The physical address of a memory region.
    Paddr {
        /// Its index.
        region: usize,
    },
}

/// A capability in one of a protection domain's own slots (manual, *cspace*).
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capability {
    /// Its place in the file.
    pub span: Span,
    /// The slot of the root CNode, from 1 on. `microkit_abi::slots::user_cptr` gives its capability
    /// pointer.
    pub slot_index: u8,
    /// What it is a capability to.
    pub kind: CapabilityKind,
    /// The index of the protection domain that owns the object.
    pub pd: usize,
}

/// Names the object of a protection domain that a [`Capability`] is to.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum CapabilityKind {
    /// Its thread control block.
    Tcb,
    /// Its scheduling context.
    SchedulingContext,
    /// Its address space.
    VSpace,
}

/// A virtual machine (manual, *`protection_domain`*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VirtualMachine {
    /// Its place in the file.
    pub span: Span,
    /// Its unique name.
    pub name: String,
    /// Its priority: the lowest 8 bits of the written number.
    pub priority: u8,
    /// Its budget in each period, in microseconds.
    pub budget_us: u64,
    /// Its period, in microseconds.
    pub period_us: u64,
    /// Its virtual CPUs, in the order of the file.
    pub vcpus: Vec<Vcpu>,
    /// The memory regions it maps, in the order of the file; `vaddr` is its physical address.
    pub maps: Vec<Map>,
}

/// A virtual CPU.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vcpu {
    /// Its place in the file.
    pub span: Span,
    /// Its identifier in the protection domain.
    pub id: u8,
    /// The core that it runs on. The default is that of its protection domain.
    pub cpu: u8,
    /// Its `setvar_id`, which Microkit 2.3.0 accepts and ignores.
    pub ignored_setvar_id: Option<String>,
}
