//! The system file maps one device under two symbols, so that the device gets two owners.
//!
//! refused by check: uses `clock` as a device, alone, and it is mapped once more
//| <memory_region name="clock" size="0x1000" phys_addr="0x9010000" />
//| <protection_domain name="pd" priority="100">
//|     <program_image path="device_of_two.elf" />
//|     <map mr="clock" vaddr="0x4000000" perms="rw" cached="false" setvar_vaddr="one" setvar_size="one_size" />
//|     <map mr="clock" vaddr="0x5000000" perms="rw" cached="false" setvar_vaddr="other" setvar_size="other_size" />
//| </protection_domain>
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{NullHandler, device_region, protection_domain};

#[protection_domain]
fn init() -> NullHandler {
    let one = device_region!(one, one_size, [u32; 8]);
    let other = device_region!(other, other_size, [u32; 8]);
    let _ = (one, other);
    NullHandler::new()
}
