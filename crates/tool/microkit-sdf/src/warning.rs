//! Warnings about settings that the SDK's tool accepts with little or no message.

use miette::{Diagnostic, Severity};
use thiserror::Error;

use crate::report::{DiagnosticKind, Finding};

/// One warning about an accepted system, with its place.
pub type Warning = Finding<WarningKind>;

/// The kind of a warning.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[expect(missing_docs, reason = "the message shows what each field is")]
#[non_exhaustive]
pub enum WarningKind {
    /// An element, attribute or text that has no effect.
    #[error("Microkit ignores {what}")]
    #[diagnostic(help("remove it, or move it to where it has an effect"))]
    Ignored { what: &'static str },

    /// A memory region without a mapping.
    #[error("nothing maps the memory region `{region}`")]
    #[diagnostic(help("map it, or remove it"))]
    UnusedRegion { region: String },

    /// A name that is longer than the symbol for it.
    #[error("the name `{name}` is cut to {kept} bytes at run time")]
    #[diagnostic(help("choose a shorter name"))]
    NameCut { name: String, kept: usize },

    /// A priority of a virtual machine above 254. Microkit keeps the lowest 8 bits without a check.
    #[error("the priority {written} is above 254, and becomes {kept}")]
    #[diagnostic(help("write a number from 0 to 254; Microkit keeps the lowest 8 bits"))]
    VmPriority { written: u64, kept: u8 },

    /// A `setvar_id` at a virtual CPU, which Microkit 2.3.0 accepts and ignores.
    #[error("Microkit 2.3.0 does not set `{symbol}`")]
    #[diagnostic(help("write the `id` of the virtual CPU into the program"))]
    VcpuSetvar { symbol: String },

    /// A mapping without `r`. seL4 maps the region without any access.
    #[error("without `r` this mapping gives no access to its data")]
    #[diagnostic(help("add `r` to `perms`"))]
    NotReadable,

    /// A mapping at address 0. Accesses through null pointers then succeed.
    #[error(
        "`{region}` is mapped at address 0, so that an access by a null pointer does not fault"
    )]
    #[diagnostic(help("map it at 0x1000 or higher, unless the program needs it at 0"))]
    NullPage { region: String },

    /// A cached mapping of a device region.
    #[error("`{region}` at {phys_addr:#x} is outside memory, but `{pd}` maps it cached")]
    #[diagnostic(help(
        "write `cached=\"false\"`: a cache can delay, reorder or drop accesses to a device"
    ))]
    CachedDevice {
        region: String,
        phys_addr: u64,
        pd: String,
    },

    /// Boot information that exists on x86 only.
    #[error("there is no boot information `{what}` on AArch64")]
    #[diagnostic(help("AArch64 has `fdt` only"))]
    NoSuchBootInfo { what: &'static str },

    /// A PD before the `domains` element. Microkit does not read the `domain` attribute of such a
    /// PD.
    #[error("`{pd}` is in no domain, because `domains` comes after it")]
    #[diagnostic(help("write `<domains>` first, and give each protection domain its `domain`"))]
    InNoDomain { pd: String },

    /// A `domains` element without a domain. Microkit ignores the element and its schedule.
    #[error("this schedule has no effect, because no domain is declared")]
    #[diagnostic(help("declare a `<domain>`, or remove `<domains>`"))]
    ScheduleDropped,
}

impl DiagnosticKind for WarningKind {
    const SEVERITY: Severity = Severity::Warning;
}
