//! Typed channels, interrupts, children and memory regions of a protection domain (PD), by their
//! names in the system file. Each type has only the operations that the file grants.
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
//! A name that is not in the file is a compile error. The use of a right that the file does not
//! grant is also a compile error. The error shows the line of the file:
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

/// Declares channels, interrupts, children and memory regions of the system file in the program.
///
/// ```
/// microkit_system::system! {
///     "ping-pong-memory.system", pd = "ping";
///     /// The other player.
///     channel PONG = "pong";
///     pub region MEMORY = "memory";
/// }
/// ```
///
/// The first line names the system file and the program's PD in this file. Any number of these
/// items follow:
///
/// | item | its name in the file | the generated item |
/// | --- | --- | --- |
/// | `channel NAME = "…";` | the `setvar_id` of the PD's `<end>`, or the PD at the other end | a unit struct: `notify`, `pp_call`, `pp_call_with_mrs`, `channel`, `is_in` |
/// | `irq NAME = "…";` | the `setvar_id` of the `<irq>` | a unit struct: `irq_ack`, `channel`, `is_in` |
/// | `irq NAME = 33;` | the interrupt's number | the same |
/// | `child NAME = "…";` | the `setvar_id` of the child, or its name | a constant of type `sel4_microkit::Child` |
/// | `region NAME = "…";` | the `setvar_vaddr` of the `<map>`, or the region (`mr`) | a unit struct: `size_bytes` and `words`. With `cached="false"` it has `registers` instead of `words` |
///
/// Without `= "…"`, the macro looks up the item's own name in the file. The lookup ignores case,
/// and `_` matches each character that is invalid in a Rust name. So `region RX_QUEUE_0;` selects
/// the region `rx/queue@0`.
///
/// # Compile errors
///
/// These are compile errors that show the line of the file:
///
/// * a name that is not in the file,
/// * a name that matches several elements; the error says how to make it unique,
/// * `notify` on an `<end>` with `notify="false"`, `pp_call` on an `<end>` without `pp="true"`, and
///   `store` to a region that is mapped without `w`.
///
/// If several PDs run the program, each name must select an element with the same attributes in all
/// these PDs.
///
/// # Use in handlers
///
/// Compare a channel with the argument of a handler: `channel == PONG`, `PONG.is_in(channels)`. A
/// function that accepts any channel with the right has a parameter of type
/// [`impl MayCall`](sel4_microkit::MayCall) or [`impl MayNotify`](sel4_microkit::MayNotify):
///
/// ```
/// # microkit_system::system! {
/// #     "ping-pong-memory.system", pd = "ping";
/// #     channel PONG = "pong";
/// # }
/// use sel4_microkit::{ChannelSet, Handler, Infallible, MayNotify};
///
/// struct Ping;
///
/// fn answer(peer: impl MayNotify) {
///     peer.to_notify().notify();
/// }
///
/// impl Handler for Ping {
///     type Error = Infallible;
///
///     fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
///         if PONG.is_in(channels) {
///             answer(PONG);
///         }
///         Ok(())
///     }
/// }
/// ```
///
/// # The system file
///
/// The macro looks for the file in the folder of the package's `Cargo.toml`, in the folder of the
/// source file, and in the folder `microkit-systems` of the package and of every parent folder.
/// Cargo rebuilds the program after a change of the file.
///
/// If the element has a `setvar_id`, `setvar_vaddr` or `setvar_size`, the item declares the
/// variable with the symbol's name. Microkit's tool writes to this variable.
///
/// The `<map>` of a region needs `setvar_vaddr` and `setvar_size`, because Microkit's tool writes
/// the region's address into the program. So the address is right even if the program runs in
/// another system than at compile time. `words` panics if the region's size has changed.
pub use microkit_system_macros::system;

pub use region::{Region, Words, WordsIter, Writable};

#[doc(hidden)]
pub mod _private {
    //! Items for the code that `system!` generates.
    pub use {sel4, sel4_microkit};

    pub use crate::region::words;
}

/// Generates the method `registers` of a device's region.
#[cfg(feature = "mmio")]
#[doc(hidden)]
#[macro_export]
macro_rules! _registers {
    ($vaddr:ident, $size:ident, $($bound:tt)*) => {
        /// Returns the registers of the device. See `sel4_microkit::device_region!`.
        ///
        /// # Panics
        ///
        /// Panics if the method is called twice, or if the region is too small for a `T`.
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

/// Generates nothing without the feature `mmio`.
#[cfg(not(feature = "mmio"))]
#[doc(hidden)]
#[macro_export]
macro_rules! _registers {
    ($($any:tt)*) => {};
}
