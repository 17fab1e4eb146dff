//! Virtio devices in protection domains (PDs): a library for drivers.
//!
//! [`transport`] finds a device. [`BlockDevice`] drives a disk without waiting: a request starts
//! now and is completed after the interrupt. The use of [`BlockDevice`] needs no `unsafe`. The
//! driver checks all reports of the device, and stops using the device after a wrong report. The PD
//! `block` of `microkit-block` uses this driver.
//!
//! The crate `virtio-drivers` can drive other devices, with [`Hal`] and [`give_memory`]. That crate
//! partly trusts its devices, so `give_memory` is `unsafe`.
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
//!
//! # The system file
//!
//! The device is in one of the 32 virtio slots of QEMU's `virt` machine, at physical address
//! `0xa00_0000` with interrupts from 48 on. The first device is in the last slot:
//!
//! ```xml
//! <memory_region name="virtio" size="0x1000" phys_addr="0xa003000" />
//! <memory_region name="dma" size="0x10000" />
//!
//! <!-- In the driver: -->
//! <map mr="virtio" vaddr="0x3000000" perms="rw" cached="false"
//!      setvar_vaddr="virtio" setvar_size="virtio_size" />
//! <map mr="dma" vaddr="0x5000000" perms="rw" setvar_vaddr="dma" setvar_size="dma_size" />
//! <setvar symbol="dma_paddr" region_paddr="dma" />
//! <irq irq="79" id="0" trigger="edge" />
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
