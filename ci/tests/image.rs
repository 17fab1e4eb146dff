//! Checks that `microkit-image`, which packs an image, and `kernel-aarch64`, which boots it, agree
//! on the format and the memory layout.

use kernel_aarch64::{layout, payload};
use microkit_image::{PAYLOAD_MAGIC, PAYLOAD_SYMBOL, Platform};

const PLATFORM: Platform = Platform::QEMU_VIRT_AARCH64;

#[test]
fn the_payload_has_the_same_magic_and_symbol() {
    assert_eq!(PAYLOAD_MAGIC, payload::MAGIC);
    assert_eq!(PAYLOAD_SYMBOL, payload::START_SYMBOL);
}

#[test]
fn memory_is_divided_in_the_same_way() {
    assert_eq!(PLATFORM.ram, layout::SYSTEM_MEMORY);
    assert_eq!(PLATFORM.kernel, layout::KERNEL_MEMORY);
    assert_eq!(PLATFORM.image_end, layout::HEAP.start);
    assert_eq!(PLATFORM.physical_end, 1 << layout::ADDRESS_BITS);
}

#[test]
fn both_reserve_the_same_devices_and_interrupts() {
    let devices = PLATFORM
        .kernel_devices
        .iter()
        .map(|(_, range)| range.clone());
    assert_eq!(devices.collect::<Vec<_>>(), layout::KERNEL_DEVICES);
    assert_eq!(PLATFORM.kernel_irqs, layout::KERNEL_IRQS);
}
