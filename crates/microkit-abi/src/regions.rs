//! The records that a program's ELF file keeps of the memory that it asks of the system file.

/// The section of the ELF file. It is a list of records, each of four words: the use, the address
/// of the symbol that `setvar_vaddr` sets, of the one that `setvar_size` sets, and of the one that
/// `region_paddr` sets; 0 where the program asks for none.
pub const SECTION: &str = "microkit_regions";

/// Size of a record, in bytes.
pub const RECORD_BYTES: usize = 32;

/// Use: none. Every program has this record. In the place of the first address it has [`VERSION`].
pub const FIRST: u64 = 0;

/// The version of this layout.
pub const VERSION: u64 = 1;

/// Use: atomic words, which others may read and write too.
pub const WORDS: u64 = 1;

/// Use: the registers of a device, by one owner.
pub const DEVICE: u64 = 2;

/// Use: memory of one owner and a device (DMA).
pub const DMA: u64 = 3;

/// Use: a raw pointer; only the address is known.
pub const RAW: u64 = 4;

/// The symbol of a word that says how large a stack the program asks for, in bytes.
pub const STACK_SYMBOL: &str = "sel4_microkit_stack_bytes";

/// The symbol of a word that says how much initialised data the program keeps for a restart, in
/// bytes.
pub const KEPT_SYMBOL: &str = "sel4_microkit_kept_bytes";
