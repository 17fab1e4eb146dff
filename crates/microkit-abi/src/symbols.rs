//! The symbols of a PD's ELF file into which the builder writes values.
//!
//! The builder refuses an ELF file that lacks one of them. All but [`NAME`] and [`PASSIVE`] are
//! words of 64 bits, little-endian.

/// The PD's name, [`NAME_BYTES`](crate::limits::NAME_BYTES) bytes.
pub const NAME: &str = "microkit_name";

/// One byte: 1 if the PD is passive, else 0.
pub const PASSIVE: &str = "microkit_passive";

/// Bit *n* is set if channel *n* is an IRQ.
pub const IRQS: &str = "microkit_irqs";

/// Bit *n* is set if the PD may notify on channel *n*.
pub const NOTIFICATIONS: &str = "microkit_notifications";

/// Bit *n* is set if the PD may make protected procedure calls on channel *n*.
pub const PPS: &str = "microkit_pps";

/// Bit *n* is set if the PD has I/O port *n*; zero on AArch64.
pub const IOPORTS: &str = "microkit_ioports";

/// Every symbol that the builder writes in every PD.
pub const ALL: [&str; 6] = [NAME, PASSIVE, IRQS, NOTIFICATIONS, PPS, IOPORTS];
