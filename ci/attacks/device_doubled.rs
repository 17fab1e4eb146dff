//! A program takes two owners of one register through the pointers of the library.
//!
//! refused by the compiler: no method named `split_some` found
//! refused by the compiler: type `DeviceRegion<[ReadWrite<u32>; 2]>` cannot be dereferenced
//! refused by the compiler: call to unsafe function
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use safe_mmio::fields::ReadWrite;
use sel4_microkit::{DeviceRegion, NullHandler, device_region, protection_domain};

fn double(device: DeviceRegion<[ReadWrite<u32>; 2]>) {
    let _ = device.split_some([0]);
}

fn copy(device: &DeviceRegion<[ReadWrite<u32>; 2]>) {
    let _ = *device.as_slice();
    let _ = **device;
}

fn take(device: DeviceRegion<[ReadWrite<u32>; 2]>) {
    let _ = device.into_unique_mmio_pointer();
}

#[protection_domain]
fn init() -> NullHandler {
    let device = device_region!(clock, clock_size, [ReadWrite<u32>; 2]);
    copy(&device);
    double(device);
    NullHandler::new()
}
