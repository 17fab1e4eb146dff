//! Finds cycles of waits in a Microkit system before it runs, and draws the system.
//!
//! A wait is a place where a protection domain (PD) stops until another PD acts. The PD calls a
//! protected procedure, waits for a notification inside a handler, takes a lock, or has faulted. A
//! PD has one thread, so a waiting PD does not reply. In a cycle, each PD waits for the next PD,
//! and the last PD waits for the first PD. No PD in a cycle runs again. [`check`] reports a cycle
//! for each PD that can be in a cycle.
//!
//! A program can declare its waits ([`Declaration`]). `sel4_microkit::waits!` writes the
//! declaration into the ELF file. A program without a declaration is assumed to call at any time
//! wherever the system file allows a call. A program that uses only libmicrokit has no other waits.
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
//! [`memory`] compares the system file with the memory that the programs expect. [`restarts`] finds
//! callers that wait forever if a server faults during their call.
//!
//! This crate does not perform input or output.
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

/// Reports cycles of waits and other problems of `system`. `declarations` has an entry for each
/// protection domain, in the same order. The entry is `None` for a program without a declaration.
pub fn check(system: &System, declarations: &[Option<Declaration>]) -> Report {
    let (waits, mut findings) = wait::bind(system, declarations);
    findings.extend(cycle::findings(system, &waits));
    findings.extend(lint::findings(system, declarations));
    Report::new(system.source.clone(), findings).grouped()
}
