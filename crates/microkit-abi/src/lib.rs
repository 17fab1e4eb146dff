//! The facts on which the builder of a Microkit system and the runtime inside each protection
//! domain (PD) must agree, written down once.
//!
//! The builder puts capabilities into a PD's CSpace, badges onto the capabilities that others
//! hold to it, and values into symbols of its ELF file; the runtime inside the PD relies on
//! finding them there. The numbers are those of Microkit [`MICROKIT_VERSION`] for AArch64. Each
//! item names the place that it was read from: `microkit.h` is the header in the SDK's
//! `include`, *manual* is the Microkit user manual, *builder* is what the SDK's tool was seen to
//! do. [`facts`] lists what an SDK of any version must agree with, and a test compares it with the
//! SDK that there is.
#![no_std]
#![forbid(unsafe_code)]

pub mod badge;
pub mod facts;
pub mod limits;
pub mod regions;
pub mod slots;
pub mod symbols;

/// The Microkit release whose layout this crate describes.
pub const MICROKIT_VERSION: &str = "2.3.0";

/// The seL4 release that ships inside the Microkit SDK [`MICROKIT_VERSION`].
pub const SEL4_VERSION: &str = "16.0.0";
