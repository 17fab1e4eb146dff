//! The memory map of QEMU's `virt` machine. The sources are QEMU's `hw/arm/virt.c`, and the memory
//! that the Microkit SDK gives to systems on `qemu_virt_aarch64`.

use core::ops::Range;

/// The memory that a system can use. seL4 provides the same memory on this board. Memory that a
/// system maps here is zero at boot, except for segments.
pub const SYSTEM_MEMORY: Range<u64> = 0x6000_0000..0xc000_0000;

/// The part of [`SYSTEM_MEMORY`] that is reserved for the kernel: its image, the payload behind the
/// image, and its heap.
pub const KERNEL_MEMORY: Range<u64> = 0x7000_0000..0x8000_0000;

/// The address at which the image is loaded and entered. `kernel.ld` contains the same address.
pub const IMAGE_START: u64 = KERNEL_MEMORY.start;

/// The heap. Boot allocates page tables and kernel objects from the heap. The image ends before the
/// heap.
pub const HEAP: Range<u64> = 0x7c00_0000..KERNEL_MEMORY.end;

/// The registers of the `GICv2`'s distributor.
pub const GIC_DISTRIBUTOR: Range<u64> = 0x0800_0000..0x0800_1000;

/// The registers of the `GICv2`'s CPU interface.
pub const GIC_CPU_INTERFACE: Range<u64> = 0x0801_0000..0x0801_1000;

/// The `GICv2` registers with which a hypervisor controls virtual interrupts.
pub const GIC_HYPERVISOR: Range<u64> = 0x0803_0000..0x0803_1000;

/// The registers of the PL011 serial port. The kernel prints on this port, and a PD may also drive
/// it.
pub const UART: Range<u64> = 0x0900_0000..0x0900_1000;

/// The registers of the PL061 GPIO controller. One line of the controller is the power button.
pub const GPIO: Range<u64> = 0x0903_0000..0x0903_1000;

/// The IRQ of the GPIO controller.
pub const GPIO_IRQ: u32 = 39;

/// The number of the power button's line at the GPIO controller.
pub const POWER_BUTTON_LINE: u32 = 3;

/// The block of 2 MiB that contains [`UART`] and [`GPIO`]. The kernel maps this whole block.
pub const PERIPHERALS: Range<u64> = 0x0900_0000..0x0920_0000;

/// The devices that no PD may map, because the kernel uses them. seL4 reserves the same devices.
pub const KERNEL_DEVICES: [Range<u64>; 3] = [GIC_DISTRIBUTOR, GIC_CPU_INTERFACE, GIC_HYPERVISOR];

/// The IRQ of the hypervisor's physical timer, which the kernel uses.
pub const TIMER_IRQ: u32 = 26;

/// The IRQs that no PD may handle: the maintenance IRQ of virtual interrupts, the kernel's timer,
/// and the virtual timer. seL4 reserves the same IRQs.
pub const KERNEL_IRQS: [u32; 3] = [25, TIMER_IRQ, 27];

/// The number of bits of virtual and physical addresses, as in the SDK's seL4 for this board.
pub const ADDRESS_BITS: u32 = 40;

/// Returns the intersection of a range with another range. If the ranges do not overlap, the result
/// is an empty range at the start or the end of `other`.
pub fn within(range: &Range<u64>, other: &Range<u64>) -> Range<u64> {
    let start = range.start.clamp(other.start, other.end);
    start..range.end.clamp(start, other.end)
}

/// Returns whether two ranges share an address.
pub fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    !within(one, other).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_memory_is_in_order() {
        assert_eq!(within(&KERNEL_MEMORY, &SYSTEM_MEMORY), KERNEL_MEMORY);
        assert_eq!(within(&HEAP, &KERNEL_MEMORY), HEAP);
        const { assert!(IMAGE_START < HEAP.start) }
        assert_eq!(within(&UART, &PERIPHERALS), UART);
        assert_eq!(within(&GPIO, &PERIPHERALS), GPIO);
    }

    #[test]
    fn the_kernel_is_linked_to_where_it_is_loaded() {
        let script = include_str!("../kernel.ld");
        assert!(script.contains(&alloc::format!("\n    . = {IMAGE_START:#x};\n")));
    }

    #[test]
    fn ranges_overlap_where_they_share_an_address() {
        let check = |one: Range<u64>, other: Range<u64>, expect: Range<u64>| {
            assert_eq!(within(&one, &other), expect, "{one:?} in {other:?}");
            assert_eq!(overlap(&one, &other), !expect.is_empty());
            assert_eq!(overlap(&other, &one), !expect.is_empty());
        };
        check(10..20, 0..30, 10..20);
        check(10..20, 15..30, 15..20);
        check(10..20, 0..15, 10..15);
        check(10..20, 12..14, 12..14);
        check(10..20, 20..30, 20..20);
        check(10..20, 0..10, 10..10);
        check(10..20, 40..50, 40..40);
        check(10..20, 0..5, 5..5);
    }
}
