//! Changes to good programs. Most changes make the program bad.

use proptest::prelude::*;

use super::elf::Elf;

/// One change to a file.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Byte(usize, u8),
    Word(usize, u64),
    Half(usize, u16),
    Cut(usize),
    Append(Vec<u8>),
}

/// Generates a change that is likely to have an effect.
pub(crate) fn change() -> impl Strategy<Value = Change> {
    // Most changes are in the headers and tables, where they have an effect.
    let at = prop_oneof![3 => 0_usize..0x100, 2 => 0_usize..0x400, 1 => any::<usize>()];
    let word = prop_oneof![
        any::<u64>(),
        (0_u32..64).prop_map(|bit| 1 << bit),
        (0_u64..0x1000).prop_map(|small| small.wrapping_sub(0x800)),
        (0_u64..0x40).prop_map(|page| 0x20_0000 + page * 0x800),
        (0_u64..0x20).prop_map(|page| 0xff_ffff_0000 + page * 0x1000),
    ];
    let words = (at.clone(), word).prop_map(|(at, word)| Change::Word(at, word));
    prop_oneof![
        4 => words,
        2 => (at.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        2 => (at.clone(), any::<u16>()).prop_map(|(at, half)| Change::Half(at, half)),
        1 => at.prop_map(Change::Cut),
        1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(Change::Append),
    ]
}

/// Returns the bytes after the changes.
pub(crate) fn apply(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
        // A field of `n` bytes is at a multiple of `n`.
        let at = at % bytes.len().max(1) / new.len() * new.len();
        if let Some(place) = bytes.get_mut(at..at + new.len()) {
            place.copy_from_slice(new);
        }
    }
    for change in changes {
        match change {
            Change::Byte(at, byte) => put(&mut bytes, *at, &[*byte]),
            Change::Half(at, half) => put(&mut bytes, *at, &half.to_le_bytes()),
            Change::Word(at, word) => put(&mut bytes, *at, &word.to_le_bytes()),
            Change::Cut(at) => bytes.truncate(at % (bytes.len() + 1)),
            Change::Append(more) => bytes.extend(more),
        }
    }
    bytes
}

/// A system with programs to change. The system uses every part of a program.
pub(crate) const TEXT: &str = r#"<system>
    <memory_region name="r" size="0x3000" />
    <memory_region name="f" prefill_path="file" />
    <protection_domain name="pd" priority="1">
        <program_image path="pd.elf" />
        <map mr="r" vaddr="0x400000" perms="rw" setvar_vaddr="vaddr" />
        <map mr="f" vaddr="0x600000" perms="r" setvar_prefill_size="fill" />
        <setvar symbol="paddr" region_paddr="r" />
    </protection_domain>
    <protection_domain name="other" priority="1">
        <program_image path="pd.elf" path_for_symbols="symbols.elf" />
    </protection_domain>
</system>"#;

/// Returns the program of the system in [`TEXT`].
pub(crate) fn program() -> Elf {
    Elf::pd().word("vaddr", 0).word("fill", 1).word("paddr", 2)
}
