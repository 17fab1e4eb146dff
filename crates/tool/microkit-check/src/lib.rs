//! Who waits for whom in a Microkit system: cycles of waits are found before the system runs, and
//! the whole is drawn.
//!
//! A wait is a place where a protection domain (PD) stops until another goes on: it calls a
//! protected procedure, waits for a notification inside a handler, takes a lock, or has faulted. A
//! PD has one thread, so a PD that waits answers nobody. If each of some PDs waits for the next,
//! and the last for the first, none of them runs again; that is a cycle. [`check`] tells of one for
//! each PD that can be in any.
//!
//! What a program waits for it can say of itself ([`Declaration`]; `sel4_microkit::waits!` writes
//! one into the ELF file). Of a program that says nothing it is taken that it calls wherever the
//! system file lets it, at any time; that is all that a PD can wait for with libmicrokit alone.
//!
//! ```
//! use microkit_check::{Declaration, check};
//! use microkit_sdf::{NoFiles, Options, parse};
//!
//! let text = r#"
//!     <system>
//!         <protection_domain name="client" priority="10">
//!             <program_image path="client.elf" />
//!         </protection_domain>
//!         <protection_domain name="server" priority="20">
//!             <program_image path="server.elf" />
//!         </protection_domain>
//!         <channel>
//!             <end pd="client" id="1" pp="true" />
//!             <end pd="server" id="7" />
//!         </channel>
//!     </system>"#;
//! let system = parse("example.system", text, Options::new(&NoFiles)).unwrap();
//! assert!(check(&system, &[]).findings().is_empty());
//!
//! // The server waits for its caller, which waits for the server.
//! let server = Declaration::parse("version 1\nwait 7 in protected\n").unwrap();
//! let report = check(&system, &[None, Some(server)]);
//! assert_eq!(report.to_string(), "1 error in example.system");
//! ```
//!
//! [`memory`] compares the system file with what the programs expect of their memory, and
//! [`restarts`] finds callers that wait forever if a server dies in their call.
//!
//! No input or output is done here.
#![forbid(unsafe_code)]

mod cycle;
mod declaration;
mod draw;

mod finding;
mod lint;
mod memory;
mod restart;
mod wait;

pub use declaration::{Context, Declaration, DeclarationError, SECTION, Statement, Step};
pub use draw::{Choice, svg};

pub use finding::{Finding, FindingKind, Label, Report};
pub use lint::budgets;
pub use memory::{MemoryUse, MemoryUseError, RegionKind, RegionUse, memory};
pub use restart::{RESTART_SECTION, restarts};
pub use wait::{During, Target, Wait, WaitKind, waits};

use microkit_sdf::System;

/// Everything that is found in `system`, of whose protection domains the programs say
/// `declarations`; one for each, in their order, and `None` for each that is missing.
pub fn check(system: &System, declarations: &[Option<Declaration>]) -> Report {
    let (waits, mut findings) = wait::bind(system, declarations);
    findings.extend(cycle::findings(system, &waits));
    findings.extend(lint::findings(system, declarations));
    Report::new(system.source.clone(), findings).grouped()
}
