//! The constants on which the builder of a Microkit system and the runtime inside each protection
//! domain (PD) must agree.
//!
//! The builder puts capabilities into a PD's CSpace, and writes values into symbols of the PD's ELF
//! file. The builder also gives a badge to each capability through which another PD notifies or
//! calls this PD. The runtime inside the PD relies on these slots, badges and symbols. The numbers
//! are those of Microkit [`MICROKIT_VERSION`] for AArch64.
//!
//! Each item names its source:
//!
//! | source | meaning |
//! | --- | --- |
//! | `microkit.h` | the header in the SDK's `include` |
//! | *manual* | the Microkit user manual |
//! | *libmicrokit* | the source of Microkit's library in C |
//! | *builder* | observed behaviour of the SDK's tool |
//!
//! [`facts`] lists the facts that an SDK of any version must have. A test compares these facts with
//! the SDK that `MICROKIT_SDK` names.
//!
//! ```
//! use microkit_abi::{badge, slots};
//!
//! // The capability that notifies channel 3, and the badge that the peer receives if the
//! // peer has the identifier 5 for the channel.
//! let notification = slots::BASE_OUTPUT_NOTIFICATION + 3;
//! assert_eq!((notification, badge::notification(5)), (13, 1 << 5));
//! ```
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
