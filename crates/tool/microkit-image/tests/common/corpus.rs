//! The corpus: system files in `bad` and `good`, and the files that they use.

use std::fs;

use microkit_image::Platform;

use super::elf::{DATA, Elf, Segment, WORDS};
use super::{Files, folder};

/// A system and its files.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The name of the case. The name of a bad system that the SDK's tool accepts starts with
    /// [`STRICTER`].
    pub(crate) name: String,
    pub(crate) text: String,
    /// The files for the parser.
    pub(crate) files: Files,
    /// The files for the planning of the system, and for the build by the SDK's tool.
    pub(crate) files_later: Files,
    pub(crate) platform: Platform,
}

/// The prefix in the names of bad systems that the SDK's tool accepts.
pub(crate) const STRICTER: &str = "stricter_";

/// The words in `pd.elf`, at addresses from [`WORDS`].
const PD_WORDS: [&str; 11] = [
    "word", "vaddr", "size", "fill", "paddr", "device", "large", "child", "irq", "up", "down",
];

/// Returns the address of a word of `pd.elf`.
pub(crate) fn word(name: &str) -> u64 {
    WORDS + 8 * PD_WORDS.iter().position(|word| *word == name).unwrap() as u64
}

/// Returns the contents of `file`.
pub(crate) fn file() -> Vec<u8> {
    (0..0x1801).map(|n| (n % 251) as u8).collect()
}

/// Returns the files that the corpus uses.
pub(crate) fn files() -> Files {
    let pd = PD_WORDS
        .iter()
        .fold(Elf::pd(), |elf, name| elf.symbol(name, word(name), 8));
    let huge = Segment::new(0x40_0000, &[1], 0x8000_0000, "rw");
    let unaligned = Segment::new(0x40_0100, &[1], 0x80, "rw");
    let sizes = Elf::pd().symbol("half", DATA, 4).symbol("double", DATA, 16);
    Files::default()
        .with("pd.elf", pd.build())
        .with("sizes.elf", sizes.build())
        .with("huge.elf", Elf::pd().segment(huge).build())
        .with("no_pps.elf", Elf::pd().without("microkit_pps").build())
        .with(
            "stripped.elf",
            Elf::pd().with(|elf| elf.symbols.clear()).build(),
        )
        .with("symbols.elf", Elf::pd().build())
        .with("unaligned.elf", Elf::pd().segment(unaligned).build())
        .with("unusual.elf", unusual().build())
        .with("file", file())
}

/// Returns a valid program with many unusual properties.
fn unusual() -> Elf {
    Elf::pd()
        // A writable and executable segment that starts inside a page and crosses into the next
        // page.
        .segment(Segment::new(0x40_0ff0, &[7; 0x20], 0x21, "rwx"))
        // Two empty segments, whose addresses do not matter.
        .segment(Segment::new(DATA, &[], 0, "rw"))
        .segment(Segment::new(u64::MAX, &[], 0, ""))
        // A segment with only `.bss`, and a symbol at its end.
        .segment(Segment::new(0x50_0000, &[], 0x10_0000, "rw"))
        .without("microkit_pps")
        .symbol("microkit_pps", 0x5f_fff8, 8)
        // A symbol that is larger than its value.
        .without("microkit_passive")
        .symbol("microkit_passive", DATA + 0x200, 8)
        // A duplicate symbol that is never set.
        .symbol("twice", DATA, 8)
        .symbol("twice", DATA, 8)
}

/// Returns the systems in a folder, sorted by name.
pub(crate) fn systems(name: &str) -> Vec<Case> {
    let entries = fs::read_dir(folder(name)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "system")
    });
    paths.sort();
    assert!(!paths.is_empty(), "no system files in {name}");
    let case = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        Case::new(name, fs::read_to_string(path).unwrap(), files())
    };
    paths.iter().map(case).collect()
}

/// Returns the case with this name.
pub(crate) fn named(cases: &[Case], name: &str) -> Case {
    cases.iter().find(|case| case.name == name).unwrap().clone()
}

impl Case {
    /// Makes a case. After the parsing, the file `changing` has other contents, and the file
    /// `vanishing` is missing.
    pub(crate) fn new(name: String, text: String, files: Files) -> Self {
        let mut platform = Platform::QEMU_VIRT_AARCH64;
        if name == "map_on_stack" {
            platform.user_top = 0x100_ffff;
        }
        let before = files
            .clone()
            .with("changing", *b"before")
            .with("vanishing", *b"here");
        let later = files.with("changing", *b"after");
        Self {
            name,
            text,
            files: before,
            files_later: later,
            platform,
        }
    }

    /// Whether the SDK's tool can build this case.
    pub(crate) fn is_for_tool(&self) -> bool {
        // The tool reads each file only once, so the file of `fill_changed` cannot change. The tool
        // does not support the `user_top` of `map_on_stack`.
        !["fill_changed", "map_on_stack"].contains(&self.name.as_str())
    }
}
