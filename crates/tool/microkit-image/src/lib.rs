//! Lays out a checked system in memory, and packs the layout into a boot image for the model
//! kernel.
//!
//! [`plan()`] makes a [`Plan`] from a [`System`](microkit_sdf::System). The function loads the
//! programs, places everything in physical memory and in each address space, and computes the
//! values of the programs' symbols. [`Plan::report`] renders the plan as text, [`Plan::boot_spec`]
//! makes the boot spec for the model kernel, and [`pack()`] makes the image.
//! [`plan_without_programs`] is for programs that run on the host.
//!
//! This crate rejects every system that the SDK's tool 2.3.0 rejects. For the other systems, the
//! crate produces the same result as the tool: the same addresses in the address spaces and the
//! same bytes in the programs. Only the places in physical memory differ. [`PlanErrorKind`] and
//! [`ProgramError`] mark the few stricter checks. *Builder* below marks behaviour that was observed
//! in the SDK's tool.
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
//! In the crate, data flows in one direction. `layout` makes the plan: `program` reads the files,
//! `space` checks each address space, `place` allocates physical memory, `patch` finds the symbols,
//! and `contents` collects the contents of memory at boot. From the [`Plan`], `lower` makes the
//! boot spec, and `pack` makes the image. A stage reports an error and continues, so one run shows
//! the errors of all stages.
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
