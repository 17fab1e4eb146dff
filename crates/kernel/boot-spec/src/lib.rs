//! The description of a Microkit system that the model kernel boots from: its protection domains
//! (PDs), their mappings, and which PD may call, notify and control which.
//!
//! A [`BootSpec`] is plain data. The tool that builds the image fills it in and
//! [encodes](BootSpec::encode) it. The kernel [decodes](BootSpec::decode) it, and refuses to boot
//! if [`validate`](BootSpec::validate) finds an error.
//!
//! The encoding starts with a version, and is canonical: a value has one encoding, and bytes that
//! decode to a value are its encoding. Every byte is checked before it is used, so hostile bytes
//! lead to an error and not to a panic.
//!
//! The capabilities in the slots of a CSpace are not listed here, because they follow from this
//! data and [`microkit_abi::slots`].
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

/// The version of the encoding. This crate writes and reads no other.
pub const VERSION: u8 = 1;
