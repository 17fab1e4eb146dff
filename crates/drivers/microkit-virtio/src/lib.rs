//! Virtio devices in protection domains (PDs).
//!
//! [`transport`] finds a device; [`BlockDevice`] is the driver for disks, for PDs that wait for
//! interrupts: a request is begun, and completed later. Its user needs no `unsafe`. It checks what
//! its device says: each request that was begun is completed once, or the device is not used any
//! more.
//!
//! Other devices can be driven by the crate `virtio-drivers`, with [`Hal`] and [`give_memory`].
//! That crate trusts its devices in part, so this is `unsafe`.
//!
//! ```no_run
//! use sel4_microkit::{device_region, dma_region};
//! use microkit_virtio::{BlockDevice, SLOTS_PER_PAGE, Slot, transport};
//!
//! # fn init() -> Result<(), microkit_virtio::Error> {
//! let slots = device_region!(virtio, virtio_size, [Slot; SLOTS_PER_PAGE]);
//! let transport = transport(slots, 7).expect("QEMU puts the first device into the last slot");
//! let mut disk = BlockDevice::new(transport, dma_region!(dma, dma_size, dma_paddr))?;
//! let request = disk.begin_read(0, 1)?;
//! // When the interrupt has come:
//! disk.acknowledge_interrupt();
//! while let Some(bytes) = disk.complete(|completed, result| result.map(|data| data.len())) {
//!     assert_eq!(bytes, Ok(512));
//! }
//! # Ok(()) }
//! ```
#![no_std]

#[cfg(not(target_os = "none"))]
extern crate std;

mod block;
mod hal;
mod pages;
mod pool;
mod queue;
mod transport;

#[cfg(test)]
mod tests;

pub use block::{BLOCK_BYTES, BlockDevice, Error, MAX_BLOCKS, REQUESTS, Request};
pub use hal::{Hal, give_memory};
pub use transport::{SLOTS_PER_PAGE, Slot, VirtioTransport, transport};
