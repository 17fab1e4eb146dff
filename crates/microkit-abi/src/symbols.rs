//! The symbols of a PD's ELF file into which the builder writes values.
//!
//! The builder rejects an ELF file that lacks one of these symbols. All except [`NAME`] and
//! [`PASSIVE`] are 64-bit words, little-endian.

/// The name of the PD, in [`NAME_BYTES`](crate::limits::NAME_BYTES) bytes.
pub const NAME: &str = "microkit_name";

/// One byte: 1 if the PD is passive, otherwise 0.
pub const PASSIVE: &str = "microkit_passive";

/// Bit *n* is set if channel *n* is an IRQ.
pub const IRQS: &str = "microkit_irqs";

/// Bit *n* is set if the PD may notify on channel *n*.
pub const NOTIFICATIONS: &str = "microkit_notifications";

/// Bit *n* is set if the PD may make protected procedure calls on channel *n*.
pub const PPS: &str = "microkit_pps";

/// Bit *n* is set if the PD has I/O port *n*. Zero on AArch64.
pub const IOPORTS: &str = "microkit_ioports";

/// All symbols that the builder writes in every PD.
pub const ALL: [&str; 6] = [NAME, PASSIVE, IRQS, NOTIFICATIONS, PPS, IOPORTS];
