//! Parses and checks Microkit system files. One run reports every error with its place.
//!
//! The crate reads the language of Microkit 2.3.0 for AArch64. The chapter *System Description
//! File* of Microkit's manual describes this language. The crate rejects every file that the SDK's
//! tool rejects, and gives all other files the same meaning. [`SdfErrorKind`] marks the few
//! stricter checks. [`System::warnings`] lists the settings that the tool ignores without a
//! message. *Manual* below is Microkit's manual. *Builder* marks behaviour that was observed in the
//! SDK's tool.
//!
//! ```
//! use microkit_sdf::{NoFiles, Options, parse};
//!
//! let text = r#"
//!     <system>
//!         <protection_domain name="hello" priority="10">
//!             <program_image path="hello.elf" />
//!         </protection_domain>
//!     </system>"#;
//! let system = parse("hello.system", text, Options::new(&NoFiles)).unwrap();
//! assert_eq!(system.protection_domains[0].priority, 10);
//!
//! let errors = parse("none.system", "<system></system>", Options::new(&NoFiles)).unwrap_err();
//! assert_eq!(errors.to_string(), "1 error in none.system");
//! ```
//!
//! In the crate, data flows in one direction: [`Source`] → `read` → draft → `check` → `lower` →
//! [`System`]. A stage reports an error and continues, so one run shows the errors of all stages.
#![forbid(unsafe_code)]

mod check;
mod draft;
mod element;
mod error;
mod former;
mod lower;
mod model;
mod options;
mod parsed;
mod read;
mod report;
mod source;
mod span;
mod system;
mod warning;
mod wording;

pub use error::{SdfError, SdfErrorKind, SdfErrors};
pub use model::{Refusal, RefusalKind};
pub use options::{Files, KernelConfig, NoFiles, Options, SearchPaths};
pub use parsed::{NamedProgram, Parsed};
pub use report::{DiagnosticKind, Finding, Label, Report};
pub use source::Source;
pub use span::Span;
pub use system::{
    BootInfo, Capability, CapabilityKind, Channel, Child, Domain, Domains, Duration, End, Fill,
    Irq, Map, MemoryRegion, PageSize, Perms, PhysAddr, ProgramImage, ProtectionDomain,
    ScheduleEntry, SetVar, SetVarValue, System, Trigger, Vcpu, VirtualMachine,
};
pub use warning::{Warning, WarningKind};
pub use wording::{Hex, nearest};

/// Parses and checks the system that `text` describes. Reports use `name` as the name of the file.
///
/// # Errors
///
/// Returns all errors in the order of the file. If the text is not well-formed XML, returns only
/// this error, because nothing else can be checked.
pub fn parse(name: &str, text: &str, options: Options<'_>) -> Result<System, SdfErrors> {
    Source::new(name, text).parse(options).system
}
