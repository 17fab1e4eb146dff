//! A checked system laid out in memory, and packed into a boot image for the model kernel.
//!
//! [`plan()`] makes a [`Plan`] of a [`System`](microkit_sdf::System): it loads the programs, says
//! where everything lies in physical memory and in each address space, and what is written into
//! the symbols of the programs. [`Plan::report`] says it in text, [`Plan::boot_spec`] to the model
//! kernel, and [`pack()`] makes the image. [`plan_without_programs`] is for programs that run on
//! the host.
//!
//! What the SDK's tool 2.3.0 refuses is refused here, and what it builds is built here with the
//! same addresses in the address spaces and the same bytes in the programs; places in physical
//! memory are ours. [`PlanErrorKind`] and [`ProgramError`] name the few things that are stricter.
//! *Builder* below is what the SDK's tool was seen to do.
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
//! Inside, data goes one way. `layout` makes the plan: `program` reads what the files say, `space`
//! looks at each address space, `place` hands out physical memory, `patch` finds the symbols,
//! `contents` gathers what memory holds at boot. From the [`Plan`] on, `lower` makes the boot spec
//! and `pack` the image. An error is reported where it is seen and never stops others from being
//! seen.
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
