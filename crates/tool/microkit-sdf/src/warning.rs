//! What the SDK's tool passes over in silence, or almost.

use miette::{Diagnostic, Severity};
use thiserror::Error;

use crate::report::{DiagnosticKind, Finding};

/// One thing to know of a system that is accepted, and where.
pub type Warning = Finding<WarningKind>;

/// What there is to know.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[expect(missing_docs, reason = "the message shows what each field is")]
#[non_exhaustive]
pub enum WarningKind {
    /// Something that is not looked at.
    #[error("Microkit does not look at {what}")]
    #[diagnostic(help("remove it, or move it to where it means something"))]
    Ignored { what: &'static str },

    /// A memory region that nobody maps.
    #[error("nothing maps the memory region `{region}`")]
    #[diagnostic(help("map it, or remove it"))]
    UnusedRegion { region: String },

    /// A name that is longer than what holds it.
    #[error("the name `{name}` is cut to {kept} bytes at run time")]
    #[diagnostic(help("choose a shorter name"))]
    NameCut { name: String, kept: usize },

    /// A virtual machine's priority that Microkit does not check and of which it keeps 8 bits.
    #[error("the priority {written} is above 254, and becomes {kept}")]
    #[diagnostic(help("write a number from 0 to 254; Microkit keeps the lowest 8 bits"))]
    VmPriority { written: u64, kept: u8 },

    /// `setvar_id` at a virtual CPU, which Microkit 2.3.0 accepts and does nothing about.
    #[error("Microkit 2.3.0 does not set `{symbol}`")]
    #[diagnostic(help("the program has to know the virtual CPU's `id`"))]
    VcpuSetvar { symbol: String },

    /// A mapping without `r`, of which seL4 makes one that can be neither read nor written.
    #[error("without `r` this mapping gives no access to its data")]
    #[diagnostic(help("add `r` to `perms`"))]
    NotReadable,

    /// A mapping at address 0, to which an access by a null pointer goes.
    #[error("`{region}` is mapped at address 0, so that accesses by null pointers are no faults")]
    #[diagnostic(help("map it at 0x1000 or higher, unless the program needs it at 0"))]
    NullPage { region: String },

    /// A device mapped as memory is.
    #[error("`{region}` at {phys_addr:#x} is not in memory, and `{pd}` maps it cached")]
    #[diagnostic(help(
        "write `cached=\"false\"`: through a cache, accesses to a device come late, in another order \
         or never"
    ))]
    CachedDevice {
        region: String,
        phys_addr: u64,
        pd: String,
    },

    /// Boot information that only x86 has.
    #[error("there is no boot information `{what}` on AArch64")]
    #[diagnostic(help("of these only `fdt` is there on AArch64"))]
    NoSuchBootInfo { what: &'static str },

    /// A PD before `domains`, which is not asked for its own.
    #[error("`{pd}` is in no domain, as `domains` comes after it")]
    #[diagnostic(help("write `<domains>` first, and give each protection domain its `domain`"))]
    InNoDomain { pd: String },

    /// A `domains` element that declares none, which Microkit drops with its schedule.
    #[error("this schedule is dropped, as no domain is declared")]
    #[diagnostic(help("declare a `<domain>`, or remove `<domains>`"))]
    ScheduleDropped,
}

impl DiagnosticKind for WarningKind {
    const SEVERITY: Severity = Severity::Warning;
}
