//! How many and how large things may be.

/// The largest channel or IRQ identifier that a system file may give. One less than
/// `MICROKIT_MAX_CHANNELS` in `microkit.h`: bits 62 and 63 of a badge mean something else.
///
/// A child with a larger identifier has its capabilities in the slots of something else. The SDK's
/// tool does not refuse it (*builder*); the model kernel does.
pub const MAX_CHANNEL_ID: u64 = 61;

/// Protection domains in one system (manual, *Protection Domains*).
pub const MAX_PROTECTION_DOMAINS: usize = 63;

/// Size of the symbol that holds a PD's name, in bytes; a shorter name ends with a zero, a name of
/// this length has none. `MICROKIT_PD_NAME_LENGTH` in `microkit.h`.
pub const NAME_BYTES: usize = 64;

/// The largest `priority` that a system file may give a PD; the monitor runs one above (manual,
/// *Scheduling*).
pub const MAX_PRIORITY: u8 = 254;

/// `budget` of a PD that gives none, in microseconds; its `period` defaults to its budget
/// (manual, *protection_domain*).
pub const DEFAULT_BUDGET_US: u64 = 1000;

/// `stack_size` of a PD that gives none, in bytes (manual, *protection_domain*).
pub const DEFAULT_STACK_BYTES: u64 = 8 * 1024;

/// The smallest `stack_size`, in bytes (manual, *protection_domain*).
pub const MIN_STACK_BYTES: u64 = 4 * 1024;

/// The largest `stack_size`, in bytes (manual, *protection_domain*).
pub const MAX_STACK_BYTES: u64 = 16 * 1024 * 1024;

/// The size of the smallest page, which the IPC buffer fills and by which stacks are counted, in
/// bytes.
pub const SMALL_PAGE_BYTES: u64 = 4 * 1024;

/// The size of the large page that a memory region may ask for, in bytes (manual,
/// *memory_region*).
pub const LARGE_PAGE_BYTES: u64 = 2 * 1024 * 1024;

/// Where the IPC buffer of a PD lies: the last page of its address space (*builder*).
///
/// `user_top` is the last address that a PD may use, `vspace_user_top` in the SDK's
/// `address_space_constants.json`.
pub const fn ipc_buffer_address(user_top: u64) -> u64 {
    user_top & !(SMALL_PAGE_BYTES - 1)
}

/// The first address above a PD's stack: one unmapped page below the IPC buffer (*builder*).
pub const fn stack_top(user_top: u64) -> u64 {
    ipc_buffer_address(user_top) - SMALL_PAGE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_ends_a_page_below_the_ipc_buffer() {
        // `vspace_user_top` of a board with 40 bits of physical address.
        let user_top = (1 << 40) - 1;
        assert_eq!(ipc_buffer_address(user_top), 0xff_ffff_f000);
        assert_eq!(stack_top(user_top), 0xff_ffff_e000);
    }
}
