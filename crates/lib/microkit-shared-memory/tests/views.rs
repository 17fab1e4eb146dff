//! Tests views of values of one word, and versioned values of several words.
#![forbid(unsafe_code)]

use std::sync::atomic::Ordering;

use microkit_shared_memory::{
    MAX_BYTES, ReadError, TooSmall, VersionedReader, VersionedWriter, View, ViewError,
    versioned_words,
};
use sel4_microkit::SharedWord;

fn words(count: usize) -> &'static [SharedWord] {
    Box::leak((0..count).map(|_| SharedWord::new(0)).collect())
}

#[test]
fn a_value_of_each_size_is_read_as_it_was_written() {
    let memory = words(2);
    macro_rules! check {
        ($($type:ty: $value:expr),*) => {$({
            let view: View<$type, _> = View::new(memory);
            assert_eq!(view.store(1, $value), Ok(()));
            assert_eq!(view.load(1), Ok($value));
            assert_eq!(view.load(2), Err(ViewError::NoSuchIndex { index: 2, len: 2 }));
            assert_eq!(
                view.store(2, $value),
                Err(ViewError::NoSuchIndex { index: 2, len: 2 })
            );
        })*};
    }
    check!(u8: 200, i16: -300, u32: u32::MAX, f32: 1.5, i64: -5, [u8; 7]: [1; 7], bool: true, char: 'ß');
    assert_eq!(memory[0].load(Ordering::Relaxed), 0);
}

#[test]
fn a_word_that_is_no_value_is_told() {
    let memory = words(1);
    let view: View<bool, _> = View::new(memory);
    assert_eq!(view.load(0), Ok(false));
    memory[0].store(2, Ordering::Relaxed);
    assert_eq!(view.load(0), Err(ViewError::Invalid));
}

#[test]
fn a_value_of_several_words_is_there_when_it_was_written() {
    let memory = words(versioned_words::<[u32; 5]>());
    let reader: VersionedReader<[u32; 5], _> = VersionedReader::new(memory).expect("large enough");
    assert_eq!(reader.read(), Err(ReadError::Nothing));
    let mut writer = VersionedWriter::new(memory).expect("large enough");
    for value in [[1, 2, 3, 4, 5], [6; 5]] {
        writer.write(&value);
        assert_eq!(reader.read(), Ok(value));
    }
}

#[test]
fn the_largest_value_is_read_as_it_was_written() {
    let memory = words(versioned_words::<[u8; MAX_BYTES]>());
    let mut value = [0; MAX_BYTES];
    for (byte, index) in value.iter_mut().zip(0..) {
        *byte = index as u8;
    }
    VersionedWriter::new(memory)
        .expect("large enough")
        .write(&value);
    assert_eq!(
        VersionedReader::new(memory).expect("large enough").read(),
        Ok(value)
    );
}

/// Asserts that a reader gets `Busy` after the writer has died during a write, until the writer's
/// next incarnation writes a value.
#[test]
fn a_value_whose_writer_died_is_reported_and_written_again() {
    let memory = words(3);
    let mut writer: VersionedWriter<[u64; 2], _> = VersionedWriter::new(memory).expect("it fits");
    let reader: VersionedReader<[u64; 2], _> = VersionedReader::new(memory).expect("it fits");
    writer.write(&[1, 1]);
    // Simulates a writer that was stopped in the middle of `write`.
    memory[0].fetch_add(1, Ordering::Relaxed);
    memory[1].store(2, Ordering::Relaxed);
    assert_eq!(reader.read(), Err(ReadError::Busy));
    let mut writer: VersionedWriter<[u64; 2], _> = VersionedWriter::new(memory).expect("it fits");
    assert_eq!(reader.read(), Err(ReadError::Busy));
    writer.write(&[3, 3]);
    assert_eq!(reader.read(), Ok([3, 3]));
}

#[test]
fn what_is_no_value_is_told() {
    let memory = words(2);
    VersionedWriter::new(memory).expect("it fits").write(&7_u8);
    let reader: VersionedReader<bool, _> = VersionedReader::new(memory).expect("it fits");
    assert_eq!(reader.read(), Err(ReadError::Invalid));
}

#[test]
fn memory_that_is_too_small_is_refused() {
    let (needs, has) = (3, 2);
    let refused = VersionedWriter::<[u8; 9], _>::new(words(2)).map(|_| ());
    assert_eq!(refused, Err(TooSmall { needs, has }));
    let refused = VersionedReader::<[u8; 9], _>::new(words(2)).map(|_| ());
    assert_eq!(refused, Err(TooSmall { needs, has }));
}
