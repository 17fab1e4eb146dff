//! Protection domains, and what belongs to one.

use std::path::PathBuf;

use super::memory::Map;
use crate::Span;

/// A protection domain (manual, *protection_domain*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProtectionDomain {
    /// Where it is.
    pub span: Span,
    /// Its name, which no other has.
    pub name: String,
    /// The index of its parent.
    pub parent: Option<usize>,
    /// What its parent calls it, if it has one.
    pub child_id: Option<u8>,
    /// Its children, in the order of the file.
    pub children: Vec<Child>,
    /// Its priority.
    pub priority: u8,
    /// How long it may run in each period, in microseconds.
    pub budget_us: u64,
    /// How long a period is, in microseconds.
    pub period_us: u64,
    /// Whether it gives up its scheduling context once it is initialised.
    pub passive: bool,
    /// How large its stack is, in bytes; whole pages.
    pub stack_bytes: u64,
    /// The core it runs on.
    pub cpu: u8,
    /// Whether it may make SMC calls.
    pub smc: bool,
    /// Whether it may use the floating-point unit.
    pub fpu: bool,
    /// The domain it is in. `None` in a system without domains, and for a PD before `domains`.
    pub domain: Option<u8>,
    /// Its program.
    pub program_image: ProgramImage,
    /// The memory regions it maps, in the order of the file.
    pub maps: Vec<Map>,
    /// Its interrupts, in the order of the file.
    pub irqs: Vec<Irq>,
    /// What is written into its program: first what is inside it, in the order of the file, then
    /// the identifiers of its channels, in theirs. No two have one symbol.
    pub setvars: Vec<SetVar>,
    /// The capabilities in its own slots, in the order of the file.
    pub capabilities: Vec<Capability>,
    /// The virtual machine it looks after.
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
    /// What the parent calls it.
    pub id: u8,
    /// The index of the child.
    pub pd: usize,
}

/// Where a protection domain's program is, as the file writes it.
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
    /// Where it is.
    pub span: Span,
    /// What the protection domain calls it.
    pub id: u8,
    /// The interrupt's number. Whether the board has it is not checked.
    pub number: u64,
    /// What the hardware does to raise it.
    pub trigger: Trigger,
}

/// What the hardware does to raise an interrupt.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Default)]
pub enum Trigger {
    /// It holds a line until it is served.
    #[default]
    Level,
    /// It changes a line once.
    Edge,
}

/// A symbol of a program that is set when the image is built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetVar {
    /// Where it is.
    pub span: Span,
    /// The symbol.
    pub symbol: String,
    /// What it is set to; [`System::setvar_value`](super::System::setvar_value) says in a number.
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
    /// Where it is.
    pub span: Span,
    /// The slot of the root CNode, from 1 on; `microkit_abi::slots::user_cptr` says how to reach
    /// it.
    pub slot_index: u8,
    /// What it is a capability to.
    pub kind: CapabilityKind,
    /// The index of the protection domain whose it is.
    pub pd: usize,
}

/// What of a protection domain a [`Capability`] is to.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum CapabilityKind {
    /// Its thread control block.
    Tcb,
    /// Its scheduling context.
    SchedulingContext,
    /// Its address space.
    VSpace,
}

/// A virtual machine (manual, *protection_domain*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VirtualMachine {
    /// Where it is.
    pub span: Span,
    /// Its name, which no other has.
    pub name: String,
    /// Its priority: the lowest 8 bits of what is written.
    pub priority: u8,
    /// How long it may run in each period, in microseconds.
    pub budget_us: u64,
    /// How long a period is, in microseconds.
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
    /// Where it is.
    pub span: Span,
    /// What the protection domain calls it.
    pub id: u8,
    /// The core it runs on: its protection domain's, unless it says otherwise.
    pub cpu: u8,
    /// Its `setvar_id`, which Microkit 2.3.0 accepts and does nothing about.
    pub ignored_setvar_id: Option<String>,
}
