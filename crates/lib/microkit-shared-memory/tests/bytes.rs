//! Tests copies of bytes with every start and end inside a word. Bytes outside the range must not
//! change.

use std::sync::atomic::Ordering::{self, Relaxed};

use microkit_shared_memory::{Bytes, Memory, OutOfBounds, WritableMemory};
use sel4_microkit::SharedWord;

const WORDS: usize = 4;
const BYTES: usize = 8 * WORDS;

/// Returns memory in which each byte has a different value.
fn memory() -> (Vec<SharedWord>, [u8; BYTES]) {
    let bytes = std::array::from_fn(|index| 0x40 + index as u8);
    let words = bytes.as_chunks().0.iter();
    let words = words.map(|word| SharedWord::new(u64::from_le_bytes(*word)));
    (words.collect(), bytes)
}

fn content(memory: &[SharedWord]) -> Vec<u8> {
    let words = memory.iter().map(|word| word.load(Relaxed).to_le_bytes());
    words.flatten().collect()
}

#[test]
fn any_range_is_read() {
    let (words, expect) = memory();
    let bytes = Bytes::new(&*words);
    for offset in 0..=BYTES {
        for count in 0..=BYTES - offset {
            let mut to = vec![0; count];
            assert_eq!(bytes.read(offset, &mut to), Ok(()));
            assert_eq!(to, expect[offset..][..count], "{count} from {offset} on");
        }
    }
}

#[test]
fn any_range_is_written_and_nothing_else() {
    for offset in 0..=BYTES {
        for count in 0..=BYTES - offset {
            let (words, mut expect) = memory();
            let from: Vec<u8> = (0..count).map(|index| 0xc0 + index as u8).collect();
            assert_eq!(Bytes::new(&*words).write(offset, &from), Ok(()));
            expect[offset..][..count].copy_from_slice(&from);
            assert_eq!(content(&words), expect, "{count} from {offset} on");
        }
    }
}

#[test]
fn a_range_that_ends_beyond_the_memory_copies_nothing() {
    let (words, before) = memory();
    let bytes = Bytes::new(&*words);
    for (offset, count) in [(0, BYTES + 1), (BYTES, 1), (usize::MAX, 1), (1, BYTES)] {
        let mut to = vec![7; count];
        assert_eq!(bytes.read(offset, &mut to), Err(OutOfBounds));
        assert!(to.iter().all(|byte| *byte == 7));
        assert_eq!(bytes.write(offset, &to), Err(OutOfBounds));
    }
    assert_eq!(content(&words), before);
}

#[test]
fn memory_has_eight_bytes_a_word() {
    let (words, _) = memory();
    let bytes = Bytes::new(&*words);
    assert_eq!((bytes.len(), bytes.is_empty()), (BYTES, false));
    let none = Bytes::new(&words[..0]);
    assert_eq!((none.len(), none.is_empty()), (0, true));
}

/// Memory that panics at every load.
struct Unread<'a>(&'a [SharedWord]);

impl Memory for Unread<'_> {
    fn words(&self) -> usize {
        self.0.len()
    }

    fn load(&self, index: usize, _: Ordering) -> u64 {
        panic!("word {index} is read")
    }
}

impl WritableMemory for Unread<'_> {
    fn store(&self, index: usize, value: u64, order: Ordering) {
        self.0[index].store(value, order);
    }
}

#[test]
fn words_that_are_written_whole_are_not_read() {
    let (words, _) = memory();
    assert_eq!(Bytes::new(Unread(&words)).write(0, &[7; BYTES]), Ok(()));
    assert_eq!(content(&words), [7; BYTES]);
}
