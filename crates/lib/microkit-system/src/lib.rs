//! The channels, interrupts, children and memory regions of a protection domain (PD) by name, from
//! the system file, as types that can do what the file grants.
//!
//! ```
//! microkit_system::system! {
//!     "ping-pong-memory.system", pd = "ping";
//!     channel PONG = "pong";
//!     region MEMORY = "memory";
//! }
//!
//! # fn run() {
//! MEMORY.words().store(0, 7, core::sync::atomic::Ordering::Relaxed);
//! PONG.notify();
//! # }
//! assert_eq!(PONG.channel().index(), 1);
//! assert_eq!(MEMORY.size_bytes(), 0x1000);
//! ```
//!
//! A name that the file does not have, and a right that it does not grant, is a compile error that
//! shows the line of the file:
//!
//! ```compile_fail
//! # microkit_system::system! {
//! #     "ping-pong-memory.system", pd = "ping";
//! #     channel PONG = "pong";
//! # }
//! PONG.pp_call(sel4_microkit::MessageInfo::new(0, 0)); // No `pp="true"`.
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod region;

/// Gives channels, interrupts, children and memory regions of the system file names in the program.
///
/// ```
/// microkit_system::system! {
///     "ping-pong-memory.system", pd = "ping";
///     /// Whom we play with.
///     channel PONG = "pong";
///     pub region MEMORY = "memory";
/// }
/// ```
///
/// First the system file, then which of its PDs the program is, then any number of:
///
/// | item | what its name in the file is | what it is here |
/// | --- | --- | --- |
/// | `channel NAME = "…";` | the `setvar_id` of the PD's `<end>`, or else the PD at the other end | a unit struct: `notify`, `pp_call`, `pp_call_with_mrs`, `channel`, `is_in` |
/// | `irq NAME = "…";` | the `setvar_id` of the `<irq>` | a unit struct: `irq_ack`, `channel`, `is_in` |
/// | `irq NAME = 33;` | the interrupt's number | the same |
/// | `child NAME = "…";` | the `setvar_id` of the child, or else its name | a constant, a `sel4_microkit::Child` |
/// | `region NAME = "…";` | the `setvar_vaddr` of the `<map>`, or else the region (`mr`) | a unit struct: `size_bytes`, and `words`, or `registers` if it is mapped with `cached="false"` |
///
/// Without `= "…"` an item means what has its own name in the file, in small letters or in
/// capitals, and with `_` for each character that a Rust name cannot have: `region RX_QUEUE_0;` is
/// the region `rx/queue@0`.
///
/// Two things with one name are an error that says how to tell them apart. So is a name that is not
/// there. What the file does not grant is a method that cannot be called: `notify` on an `<end>` with
/// `notify="false"`, `pp_call` on one without `pp="true"`, `store` to a region mapped without `w`.
/// The errors show the line of the file.
///
/// A channel is compared with what a handler is given: `channel == PONG`, `PONG.is_in(channels)`.
/// Code that is given a channel asks for [`MayCall`](sel4_microkit::MayCall) or
/// [`MayNotify`](sel4_microkit::MayNotify).
///
/// The file is looked for beside the package's `Cargo.toml`, beside the source file, and in the
/// folder `microkit-systems` of the package and of each folder above it. The program is compiled
/// anew when the file changes. Where several PDs run one program, each must have the same things
/// under the names that it uses.
///
/// Where the file has a `setvar_id`, `setvar_vaddr` or `setvar_size`, the item declares the variable
/// of that name, which Microkit's tool looks for.
///
/// A region needs `setvar_vaddr` and `setvar_size` in its `<map>`: addresses are taken from what
/// Microkit's tool writes, so that a program in another system than the one that it was compiled for
/// is found out.
pub use microkit_system_macros::system;

pub use region::{Region, Words, WordsIter, Writable};

#[doc(hidden)]
pub mod _private {
    //! What the macro needs.
    pub use {sel4, sel4_microkit};

    pub use crate::region::words;
}

/// The method `registers` of a device's region.
#[cfg(feature = "mmio")]
#[doc(hidden)]
#[macro_export]
macro_rules! _registers {
    ($vaddr:ident, $size:ident, $($bound:tt)*) => {
        /// The region as the registers of a device, once: see `sel4_microkit::device_region!`.
        ///
        /// **Panics:** if it is called twice, and if the region is too small for a `T`.
        #[track_caller]
        pub fn registers<T: 'static>(
            self,
        ) -> $crate::_private::sel4_microkit::DeviceRegion<T>
        $($bound)*
        {
            $crate::_private::sel4_microkit::device_region!($vaddr, $size, T)
        }
    };
}

/// Without the feature there is none.
#[cfg(not(feature = "mmio"))]
#[doc(hidden)]
#[macro_export]
macro_rules! _registers {
    ($($any:tt)*) => {};
}
