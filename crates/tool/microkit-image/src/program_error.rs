//! Errors of a program: errors of its ELF file, and errors of its symbols.

use std::ops::Range;

use miette::Diagnostic;
use thiserror::Error;

use crate::wording::Addresses;

/// Reports an error in the ELF file of a program. The message continues a sentence that starts with
/// the name of the file.
///
/// *Stricter* marks an error that the SDK's tool does not report.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[expect(missing_docs, reason = "the message shows what each field is")]
#[non_exhaustive]
pub enum ProgramError {
    // Errors of the file.
    /// The file cannot be read.
    #[error("cannot be read: {reason}")]
    #[diagnostic(help("build it first; it is looked for in the search paths, in their order"))]
    Unreadable { reason: String },

    /// The file is not an ELF file.
    #[error("is not an ELF file")]
    #[diagnostic(help("`path` is to name what the linker wrote, not a raw image of it"))]
    NotElf,

    /// The tables of the file are invalid. *Stricter* for fields that the tool ignores, such as the
    /// version in the header.
    #[error("is not a whole 64-bit ELF file: {reason}")]
    #[diagnostic(help("build it again for `aarch64-unknown-none`"))]
    Malformed { reason: String },

    /// The file is for a big-endian machine. The kernel is little-endian.
    #[error("is big-endian")]
    #[diagnostic(help("build it for `aarch64-unknown-none`"))]
    BigEndian,

    /// The file is for another processor. *Stricter*.
    #[error("is not for AArch64 (its machine is {found})")]
    #[diagnostic(help("build it for `aarch64-unknown-none`"))]
    Machine { found: u16 },

    /// The file is not linked yet, or must be relocated. *Stricter*.
    #[error("is not an executable with fixed addresses (its type is {found})")]
    #[diagnostic(help(
        "link it statically and not position-independent: nobody relocates it when it starts"
    ))]
    NotExecutable { found: u16 },

    // Errors of segments. The index of a segment is the index in `readelf -l`.
    /// The file does not contain all bytes of a segment.
    #[error("has a segment {index} that reaches out of the file")]
    #[diagnostic(help("build it again: the file was cut short"))]
    SegmentNotInFile { index: usize },

    /// A segment has more bytes in the file than in memory.
    #[error("has a segment {index} of {file_bytes:#x} bytes for {mem_bytes:#x} bytes of memory")]
    #[diagnostic(help("build it again: no linker writes that"))]
    SegmentCutShort {
        index: usize,
        file_bytes: u64,
        mem_bytes: u64,
    },

    /// A segment extends past the last address. *Stricter*: in the tool, the sum of address and
    /// length wraps around, so the tool does not find the error.
    #[error("has a segment {index} that reaches over the last address of all")]
    #[diagnostic(help("link it at lower addresses"))]
    SegmentWraps { index: usize },

    /// A segment is not readable. seL4 would map its pages without any access. *Stricter*.
    #[error("has a segment {index} that cannot be read")]
    #[diagnostic(help("link it without `--execute-only`"))]
    SegmentNotReadable { index: usize },

    /// A segment overlaps the stack, the IPC buffer or an unmapped page next to them, or is above
    /// the IPC buffer.
    #[error(
        "has a segment {index} at {}, where its stack and its IPC buffer are",
        Addresses(taken)
    )]
    #[diagnostic(help("link it at lower addresses, below {limit:#x}"))]
    SegmentOnStack {
        index: usize,
        taken: Range<u64>,
        limit: u64,
    },

    /// Two segments share a page. A page can have the permissions of only one segment.
    #[error("has segments {one} and {other} that share the page at {page:#x}")]
    #[diagnostic(help(
        "align the segments to pages in the linker script, such as with `. = ALIGN(0x1000)`"
    ))]
    SegmentsShareAPage { one: usize, other: usize, page: u64 },

    /// A memory region is mapped over a segment.
    #[error(
        "has a segment {index} at {}, where `{region}` is mapped",
        Addresses(taken)
    )]
    #[diagnostic(help(
        "map the region elsewhere, such as from {:#x} on: it takes {} now",
        free,
        Addresses(mapped)
    ))]
    SegmentUnderMap {
        index: usize,
        taken: Range<u64>,
        region: String,
        mapped: Range<u64>,
        /// The lowest address after the program at which the region could be mapped.
        free: u64,
    },

    /// The first instruction is not in an executable segment. *Stricter*.
    #[error("starts at {entry:#x}, where it has nothing to execute")]
    #[diagnostic(help("give the linker the name of its first function, such as `-e _start`"))]
    Entry { entry: u64 },

    // Errors of symbols.
    /// The file has no symbol table.
    #[error("has no symbol table")]
    #[diagnostic(help("do not strip it, or name an unstripped copy of it in `path_for_symbols`"))]
    NoSymbols,

    /// The file defines no symbol of the runtime.
    #[error(
        "has no symbol of a Microkit runtime, such as `{}`",
        microkit_abi::symbols::NAME
    )]
    #[diagnostic(help("{}", where_symbols_come_from(microkit_abi::symbols::NAME)))]
    NoRuntime,

    /// A symbol to set does not exist.
    #[error("has no symbol `{symbol}`")]
    #[diagnostic(help("{}", where_symbols_come_from(symbol)))]
    SymbolMissing { symbol: String },

    /// A symbol to set exists more than once.
    #[error("has more than one symbol `{symbol}`")]
    #[diagnostic(help("rename the others; local symbols count too"))]
    SymbolTwice { symbol: String },

    /// A symbol for a word does not have the size of a word.
    #[error("has a {bytes}-byte symbol `{symbol}`, which is to be set to a word")]
    #[diagnostic(help("make it a `u64` or a `usize`, of 8 bytes"))]
    SymbolNotAWord { symbol: String, bytes: u64 },

    /// A symbol is too small for its value.
    #[error("has a {bytes}-byte symbol `{symbol}`, where {needed} bytes are to be written")]
    #[diagnostic(help("{}", where_symbols_come_from(symbol)))]
    SymbolTooSmall {
        symbol: String,
        bytes: u64,
        needed: u64,
    },

    /// A symbol extends past the last address. *Stricter*: in the tool, the sum of address and
    /// length wraps around, so the tool does not find the error.
    #[error("has a symbol `{symbol}` that reaches over the last address of all")]
    #[diagnostic(help("build it again: no linker writes that"))]
    SymbolWraps { symbol: String },

    /// A symbol to set is outside the loaded segments.
    #[error("has a symbol `{symbol}` at {vaddr:#x}, where no segment is loaded")]
    #[diagnostic(help(
        "keep it in the program: it must be defined there, and no section that is discarded"
    ))]
    SymbolOutside { symbol: String, vaddr: u64 },
}

fn where_symbols_come_from(symbol: &str) -> String {
    if microkit_abi::symbols::ALL.contains(&symbol) {
        "link the program with the `sel4-microkit` runtime or libmicrokit, which defines it, \
         and do not strip it"
            .to_owned()
    } else {
        format!(
            "define it in the program, such as with `#[unsafe(no_mangle)] static {symbol}`, \
             and keep the linker from dropping it"
        )
    }
}
