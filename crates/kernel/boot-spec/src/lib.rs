//! The boot spec: the description of a Microkit system that the model kernel boots. A spec contains
//! the protection domains (PDs), their mappings, and the rights of each PD to call, notify and
//! control other PDs.
//!
//! A [`BootSpec`] is plain data. The tool that builds the image fills in the spec and
//! [encodes](BootSpec::encode) it. The kernel [decodes](BootSpec::decode) the spec, and refuses to
//! boot if [`validate`](BootSpec::validate) finds an error.
//!
//! The encoding starts with a version. The encoding is canonical: each value has exactly one
//! encoding, and the decoder rejects every other byte string. The decoder checks every byte before
//! use, so hostile bytes cause an error and not a panic.
//!
//! A spec does not list the capabilities in the slots of a CSpace, because these capabilities
//! follow from the spec and [`microkit_abi::slots`].
//!
//! # Examples
//!
//! ```
//! use boot_spec::{BootSpec, ProtectionDomain};
//!
//! let spec = BootSpec {
//!     user_top: (1 << 40) - 1,
//!     pds: vec![ProtectionDomain { name: "hello".into(), ..Default::default() }],
//!     ..Default::default()
//! };
//! assert_eq!(BootSpec::decode(&spec.encode()), Ok(spec));
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod codec;
mod error;
pub mod snapshot;
mod spec;
mod validate;

pub use codec::DecodeError;
pub use error::SpecError;
pub use spec::{
    BootSpec, Channel, ChannelEnd, Irq, Mapping, PageSize, Parent, Perms, ProtectionDomain,
    Segment, Stack, Trigger, UserCap, UserCapKind,
};

/// The version of the encoding. This crate reads and writes only this version.
pub const VERSION: u8 = 1;
