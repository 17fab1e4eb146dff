//! Records in a program's ELF file of the memory that it requires from the system file.
//!
//! Each record is four words:
//!
//! | word | holds |
//! | --- | --- |
//! | 0 | the use: [`FIRST`], [`WORDS`], [`DEVICE`], [`DMA`] or [`RAW`] |
//! | 1 | the address of the symbol that `setvar_vaddr` sets; in the first record, [`VERSION`] |
//! | 2 | the address of the symbol that `setvar_size` sets, or 0 |
//! | 3 | the address of the symbol that `region_paddr` sets, or 0 |

/// The name of the section of the ELF file, which is a list of records.
pub const SECTION: &str = "microkit_regions";

/// The size of a record, in bytes.
pub const RECORD_BYTES: usize = 32;

/// Use: none. Every program has this record. Its second word is [`VERSION`].
pub const FIRST: u64 = 0;

/// The version of the record layout.
pub const VERSION: u64 = 1;

/// Use: atomic words, which other PDs may read and write too.
pub const WORDS: u64 = 1;

/// Use: the registers of a device, with one owner.
pub const DEVICE: u64 = 2;

/// Use: memory shared by one owner and a device (DMA).
pub const DMA: u64 = 3;

/// Use: a raw pointer. Only the address is known.
pub const RAW: u64 = 4;

/// The symbol of the word that holds the stack size which the program requires, in bytes.
pub const STACK_SYMBOL: &str = "sel4_microkit_stack_bytes";

/// The symbol of the word that holds the size of the initialised data which the program keeps for a
/// restart, in bytes.
pub const KEPT_SYMBOL: &str = "sel4_microkit_kept_bytes";
