//! The kernel's own address space. Virtual addresses equal physical addresses, and no memory is
//! both writable and executable.

use aarch64_paging::descriptor::El23Attributes as Attributes;
use aarch64_paging::idmap::IdMap;
use aarch64_paging::paging::{El2, MemoryRegion};
use core::arch::asm;
use core::mem::forget;
use core::ops::Range;
use kernel_aarch64::layout::{
    GIC_CPU_INTERFACE, GIC_DISTRIBUTOR, KERNEL_MEMORY, PERIPHERALS, SYSTEM_MEMORY,
};
use kernel_aarch64::registers::{SCTLR_EL2, WXN};

/// The level at which table walks start, as in `TCR_EL2`.
const ROOT_LEVEL: usize = 1;

const KEPT: Attributes = Attributes::VALID
    .union(Attributes::ACCESSED)
    .union(Attributes::USER_RES1);
const DEVICE: Attributes = KEPT
    .union(Attributes::ATTRIBUTE_INDEX_0)
    .union(Attributes::XN);
const MEMORY: Attributes = KEPT
    .union(Attributes::ATTRIBUTE_INDEX_1)
    .union(Attributes::INNER_SHAREABLE);
const CODE: Attributes = MEMORY.union(Attributes::READ_ONLY);
const CONSTANTS: Attributes = CODE.union(Attributes::XN);
const DATA: Attributes = MEMORY.union(Attributes::XN);

unsafe extern "C" {
    static __text_start: u8;
    static __rodata_start: u8;
    static __data_start: u8;
    static __guard_start: u8;
    static __guard_end: u8;
}

/// Creates the kernel's page tables, and activates them.
///
/// # Safety
///
/// The caller must call this function only once, while the boot tables are active.
pub(super) unsafe fn protect() {
    let text = (&raw const __text_start).addr();
    let rodata = (&raw const __rodata_start).addr();
    let data = (&raw const __data_start).addr();
    let guard = (&raw const __guard_start).addr()..(&raw const __guard_end).addr();
    let memory = to_usize(SYSTEM_MEMORY);
    let kernel = to_usize(KERNEL_MEMORY);
    let mut map = IdMap::new(ROOT_LEVEL, El2);
    for (range, attributes) in [
        (to_usize(GIC_DISTRIBUTOR), DEVICE),
        (to_usize(GIC_CPU_INTERFACE), DEVICE),
        (to_usize(PERIPHERALS), DEVICE),
        (memory.start..kernel.start, DATA),
        (text..rodata, CODE),
        (rodata..data, CONSTANTS),
        (data..guard.start, DATA),
        (guard.end..kernel.end, DATA),
        (kernel.end..memory.end, DATA),
    ] {
        map.map_range(&MemoryRegion::new(range.start, range.end), attributes)
            .expect("the addresses have fewer than 39 bits");
    }
    let tables = map.root_address().0;
    // The kernel uses the tables from now on, so they must never be freed.
    forget(map);
    // SAFETY: 1. The new tables map the kernel's memory at the same addresses as before: code is
    // executable, and data, stack and heap are writable. 2. Instructions have the same addresses
    // with the MMU off. No instruction between the two writes of `SCTLR_EL2` accesses memory. 3.
    // The TLB is invalidated while the MMU is off, so no old entry is used with the new tables (Arm
    // ARM, *Using break-before-make*). 4. The first barrier makes the tables visible to table
    // walks. Each `isb` makes the register writes before it take effect.
    unsafe {
        asm!(
            "dsb ish",
            "msr sctlr_el2, {off}",
            "isb",
            "msr ttbr0_el2, {tables}",
            "tlbi alle2",
            "dsb nsh",
            "isb",
            "msr sctlr_el2, {on}",
            "isb",
            off = in(reg) SCTLR_EL2.bits() & !1,
            tables = in(reg) tables,
            on = in(reg) SCTLR_EL2.union(WXN).bits(),
            options(nostack, preserves_flags),
        );
    }
}

fn to_usize(range: Range<u64>) -> Range<usize> {
    range.start as usize..range.end as usize
}
