//! Limits, defaults and sizes of a Microkit system.

/// The largest identifier of a channel or IRQ in a system file: `MICROKIT_MAX_CHANNELS` in
/// `microkit.h`, minus one. Bits 62 and 63 of a badge mark calls and faults.
///
/// A child has the same limit. The capabilities of a child with a larger identifier would be in the
/// slots of other objects. The SDK's tool accepts such a child (*builder*). The model kernel's
/// builder rejects such a child.
pub const MAX_CHANNEL_ID: u64 = 61;

/// The largest number of protection domains in a system (manual, *Protection Domains*).
pub const MAX_PROTECTION_DOMAINS: usize = 63;

/// The size of the symbol that holds a PD's name, in bytes (`MICROKIT_PD_NAME_LENGTH` in
/// `microkit.h`). Only a shorter name ends with a zero byte.
pub const NAME_BYTES: usize = 64;

/// The largest `priority` of a PD in a system file. The monitor's priority is one higher (manual,
/// *Scheduling*).
pub const MAX_PRIORITY: u8 = 254;

/// The default `budget` of a PD, in microseconds. The default `period` is the budget (manual,
/// `protection_domain`).
pub const DEFAULT_BUDGET_US: u64 = 1000;

/// The default `stack_size` of a PD, in bytes (manual, `protection_domain`).
pub const DEFAULT_STACK_BYTES: u64 = 8 * 1024;

/// The smallest `stack_size`, in bytes (manual, `protection_domain`).
pub const MIN_STACK_BYTES: u64 = 4 * 1024;

/// The largest `stack_size`, in bytes (manual, `protection_domain`).
pub const MAX_STACK_BYTES: u64 = 16 * 1024 * 1024;

/// The size of the smallest page, in bytes. The IPC buffer is one such page, and the size of a
/// stack is a multiple of this size.
pub const SMALL_PAGE_BYTES: u64 = 4 * 1024;

/// The size of the large page that a memory region may request, in bytes (manual, `memory_region`).
pub const LARGE_PAGE_BYTES: u64 = 2 * 1024 * 1024;

/// Returns the address of a PD's IPC buffer: the last page of its address space (*builder*).
///
/// `user_top` is the last address that a PD may use: `vspace_user_top` in the SDK's
/// `address_space_constants.json`.
///
/// ```
/// use microkit_abi::limits::{ipc_buffer_address, stack_top};
///
/// let user_top = 0xff_ffff_ffff;
/// assert_eq!(ipc_buffer_address(user_top), 0xff_ffff_f000);
/// assert_eq!(stack_top(user_top), 0xff_ffff_e000);
/// ```
pub const fn ipc_buffer_address(user_top: u64) -> u64 {
    user_top & !(SMALL_PAGE_BYTES - 1)
}

/// Returns the first address above a PD's stack. One unmapped page is between this address and the
/// IPC buffer (*builder*).
pub const fn stack_top(user_top: u64) -> u64 {
    ipc_buffer_address(user_top) - SMALL_PAGE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_ends_a_page_below_the_ipc_buffer() {
        // `vspace_user_top` of a board with 40-bit physical addresses.
        let user_top = (1 << 40) - 1;
        assert_eq!(ipc_buffer_address(user_top), 0xff_ffff_f000);
        assert_eq!(stack_top(user_top), 0xff_ffff_e000);
    }
}
