//! The target of a layout: the addresses that exist, and the addresses that the kernel reserves.

use std::ops::Range;

use microkit_sdf::KernelConfig;

/// Describes the properties of a machine that the layout of a system needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// Main memory. Every address outside main memory belongs to a device.
    pub ram: Range<u64>,
    /// The part of main memory that the model kernel reserves for its image and its heap. The image
    /// is loaded at the first address of this part, and contains the payload.
    pub kernel: Range<u64>,
    /// The first address after the memory for images. The kernel's heap starts at this address.
    pub image_end: u64,
    /// The devices that the kernel reserves, each with a name for messages.
    pub kernel_devices: &'static [(&'static str, Range<u64>)],
    /// The first address above all physical addresses.
    pub physical_end: u64,
    /// The highest interrupt number of the interrupt controller.
    pub last_irq: u32,
    /// The interrupts that the kernel reserves for its timer and for virtual machines.
    pub kernel_irqs: &'static [u32],
    /// The last virtual address that a protection domain may use.
    pub user_top: u64,
}

impl Platform {
    /// The board `qemu_virt_aarch64`.
    ///
    /// `kernel` and `image_end` are values of the model kernel. The other values come from the SDK.
    /// Main memory, `kernel_devices` and `physical_end` are from `platform_gen.json`: the kernel's
    /// devices are the gaps between the devices in this file, and the last device ends at
    /// `physical_end`. The interrupts are the interrupts of `qemu-arm-virt` in seL4 16.0.0.
    /// `user_top` is `vspace_user_top` of `address_space_constants.json`.
    pub const QEMU_VIRT_AARCH64: Self = Self {
        ram: 0x6000_0000..0xc000_0000,
        kernel: 0x7000_0000..0x8000_0000,
        image_end: 0x7c00_0000,
        kernel_devices: &[
            ("the interrupt distributor", 0x800_0000..0x800_1000),
            (
                "the interrupt controller's CPU interface",
                0x801_0000..0x801_1000,
            ),
            (
                "the interrupt controller's hypervisor interface",
                0x803_0000..0x803_1000,
            ),
        ],
        physical_end: 1 << 40,
        last_irq: 159,
        kernel_irqs: &[25, 26, 27],
        user_top: KernelConfig::QEMU_VIRT_AARCH64.user_top,
    };
}

/// Returns whether two ranges share an address. An empty range shares no address.
pub(crate) fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start.max(other.start) < one.end.min(other.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_inside_main_memory_and_its_devices_outside() {
        let platform = Platform::QEMU_VIRT_AARCH64;
        assert!(platform.ram.start <= platform.kernel.start);
        assert!(platform.kernel.end <= platform.ram.end);
        assert!(platform.kernel.contains(&platform.image_end));
        assert!(platform.ram.end <= platform.physical_end);
        for (_, device) in platform.kernel_devices {
            assert!(!overlap(device, &platform.ram));
        }
    }

    #[test]
    fn ranges_that_touch_or_are_empty_do_not_overlap() {
        let check = |one: Range<u64>, other: Range<u64>, expect| {
            assert_eq!(overlap(&one, &other), expect, "{one:?} {other:?}");
            assert_eq!(overlap(&other, &one), expect, "{other:?} {one:?}");
        };
        check(0..4, 4..8, false);
        check(0..5, 4..8, true);
        check(0..9, 4..8, true);
        check(5..5, 4..8, false);
    }
}
