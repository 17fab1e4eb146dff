//! Records in a program's ELF file that list the memory that the program requires.
//!
//! Each record is four words:
//!
//! | word | holds |
//! | --- | --- |
//! | 0 | the use: [`FIRST`], [`WORDS`], [`DEVICE`], [`DMA`] or [`RAW`] |
//! | 1 | the address of the symbol that `setvar_vaddr` sets; in the first record, [`VERSION`] |
//! | 2 | the address of the symbol that `setvar_size` sets, or 0 |
//! | 3 | the address of the symbol that `region_paddr` sets, or 0 |

/// The name of the ELF section that holds the list of records.
pub const SECTION: &str = "microkit_regions";

/// The size of a record, in bytes.
pub const RECORD_BYTES: usize = 32;

/// Use: no memory. Every program has this record, with [`VERSION`] in word 1.
pub const FIRST: u64 = 0;

/// The version of the record layout.
pub const VERSION: u64 = 1;

/// Use: atomic words. Other PDs may also read and write these words.
pub const WORDS: u64 = 1;

/// Use: the registers of a device, with one owner.
pub const DEVICE: u64 = 2;

/// Use: memory shared by one owner and a device (DMA).
pub const DMA: u64 = 3;

/// Use: a raw pointer. The record gives only the address.
pub const RAW: u64 = 4;

/// The symbol of the word that holds the required stack size of the program, in bytes.
pub const STACK_SYMBOL: &str = "sel4_microkit_stack_bytes";

/// The symbol of the word that holds the size of the program's copy of its initialised data, in
/// bytes. The program keeps this copy for a restart.
pub const KEPT_SYMBOL: &str = "sel4_microkit_kept_bytes";
