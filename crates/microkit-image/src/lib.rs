//! A checked system laid out in memory, and packed into a boot image for the model kernel.
//!
//! [`plan()`] makes a [`Plan`] of a [`System`](microkit_sdf::System): it loads the programs, says
//! where everything lies in physical memory and in each address space, and what is written into
//! the symbols of the programs. [`Plan::report`] says it in text, [`Plan::boot_spec`] to the model
//! kernel, and [`pack()`] makes the image.
//!
//! What the SDK's tool 2.3.0 refuses is refused here, and what it builds is built here with the
//! same addresses in the address spaces and the same bytes in the programs; places in physical
//! memory are ours. [`PlanErrorKind`] and [`ProgramFault`] name the few things that are stricter.
//! *Builder* below is what the SDK's tool was seen to do.
//!
//! Inside, data goes one way: `System` → `program` → `space` → `place` → `patch` → `layout` →
//! [`Plan`] → `lower` → `BootSpec` → `pack`. A fault is reported where it is seen and never stops
//! others from being seen.
#![forbid(unsafe_code)]

mod contents;
mod convert;
mod elf;
mod fault;
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
mod program_fault;
mod report;
mod space;
mod wording;

pub use fault::{PlanError, PlanErrorKind, PlanErrors};
pub use files::Files;
pub use frames::Extent;
pub use layout::plan;
pub use pack::{PAYLOAD_MAGIC, PAYLOAD_SYMBOL, PackError, pack};
pub use patch::{Patch, PatchValue};
pub use plan::{Area, Fill, Map, MemoryRegion, Plan, ProtectionDomain};
pub use platform::Platform;
pub use program_fault::ProgramFault;
