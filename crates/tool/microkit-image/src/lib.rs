//! Lays out a checked system in memory, and packs it into a boot image for the model kernel.
//!
//! [`plan()`] makes a [`Plan`] from a [`System`](microkit_sdf::System). It loads the programs,
//! places everything in physical memory and in each address space, and finds the values of the
//! programs' symbols. [`Plan::report`] describes the plan as text, [`Plan::boot_spec`] describes it
//! to the model kernel, and [`pack()`] makes the image. [`plan_without_programs`] is for programs
//! that run on the host.
//!
//! This crate refuses what the SDK's tool 2.3.0 refuses. It builds what the tool builds, with the
//! same addresses in the address spaces and the same bytes in the programs. Places in physical
//! memory are our own. [`PlanErrorKind`] and [`ProgramError`] name the few things that are
//! stricter. *Builder* below marks behaviour that was observed in the SDK's tool.
//!
//! ```no_run
//! use microkit_image::{Platform, pack, plan};
//! use microkit_sdf::{Options, SearchPaths, parse};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let files = SearchPaths(vec!["target/programs".into()]);
//! let text = std::fs::read_to_string("hello.system")?;
//! let system = parse("hello.system", &text, Options::new(&files))?;
//! let plan = plan(&system, &Platform::QEMU_VIRT_AARCH64, &files)?;
//! print!("{}", plan.report());
//! let image = pack(&plan, &std::fs::read("kernel-aarch64")?)?;
//! std::fs::write("hello.img", image)?;
//! # Ok(())
//! # }
//! ```
//!
//! Inside, data goes one way. `layout` makes the plan: `program` reads the files, `space` checks
//! each address space, `place` allocates physical memory, `patch` finds the symbols, and `contents`
//! gathers what memory holds at boot. From the [`Plan`], `lower` makes the boot spec and `pack` the
//! image. A stage reports an error and goes on, so that one run shows all of them.
#![forbid(unsafe_code)]

mod contents;
mod convert;
mod elf;
mod error;
mod files;
mod frames;
mod layout;
mod lower;
mod pack;
mod patch;
mod place;
mod plan;
mod platform;
mod program;
mod program_error;
mod report;
mod space;
mod wording;
mod words;

pub use error::{PlanError, PlanErrorKind, PlanErrors};
pub use files::Files;
pub use frames::Extent;
pub use layout::{plan, plan_without_programs};
pub use pack::{PAYLOAD_MAGIC, PAYLOAD_SYMBOL, PackError, pack};
pub use patch::{Patch, PatchValue};
pub use plan::{Area, Fill, Map, MemoryRegion, Plan, ProtectionDomain};
pub use platform::Platform;
pub use program_error::ProgramError;
