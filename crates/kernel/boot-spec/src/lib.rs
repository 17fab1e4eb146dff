//! What the builder of a Microkit system hands the model kernel: which protection domains (PDs)
//! there are, what is mapped where in each, and who may call, notify and control whom.
//!
//! A [`BootSpec`] is plain data. The builder fills it in and [encodes](BootSpec::encode) it; the
//! kernel [decodes](BootSpec::decode) it and refuses what [`validate`](BootSpec::validate)
//! refuses. The encoding starts with a version, and it is canonical: a value has one encoding, and
//! bytes that decode are the encoding of what they decode to. Decoding looks at every byte before
//! it trusts it, so that hostile bytes are an error and not a panic.
//!
//! Which capability lies in which slot is not said here: it follows from this data and
//! [`microkit_abi::slots`].
//!
//! ```
//! use boot_spec::{BootSpec, ProtectionDomain};
//!
//! let spec = BootSpec {
//!     user_top: (1 << 40) - 1,
//!     domains: vec![ProtectionDomain { name: "hello".into(), ..Default::default() }],
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

/// The version of the encoding that this crate writes, and the only one that it reads.
pub const VERSION: u8 = 1;
