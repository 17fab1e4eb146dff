//! Tests that a region of the system file implements `Memory`, and that a `Part` has the right
//! words.
#![forbid(unsafe_code)]

use std::sync::atomic::Ordering::Relaxed;

use microkit_shared_memory::{Memory, Part, TooSmall, View, WritableMemory};
use sel4_microkit::SharedWord;
use sel4_microkit::host::{HostRegion, Symbol, set_symbols};

microkit_system::system! {
    "region.system", pd = "writer";
    region RING;
}

#[test]
fn a_region_of_the_system_file_is_memory() {
    let region: &HostRegion = Box::leak(Box::new(HostRegion::new(512)));
    set_symbols(Box::leak(Box::new([
        Symbol::mapping("ring", region),
        Symbol::word("ring_size", 0x1000),
    ])));
    let view: View<u64, _> = View::new(RING.words());
    assert_eq!((view.len(), view.is_empty()), (512, false));
    assert_eq!(view.store(3, 7), Ok(()));
    assert_eq!((view.load(3), region.read(3)), (Ok(7), 7));
    region.write(511, 8);
    assert_eq!(view.load(511), Ok(8));
}

#[test]
fn a_view_of_no_words_is_empty() {
    let words: &[SharedWord] = &[];
    let view: View<u64, _> = View::new(words);
    assert_eq!((view.len(), view.is_empty()), (0, true));
}

#[test]
fn a_part_ends_where_the_next_begins() {
    let words: Vec<SharedWord> = (0..5).map(SharedWord::new).collect();
    let (first, second) = Part::whole(&*words).split_at(2).expect("there are five");
    assert_eq!((first.words(), second.words()), (2, 3));
    second.store(0, 9, Relaxed);
    assert_eq!(words[2].load(Relaxed), 9);
    assert_eq!((first.load(1, Relaxed), second.load(2, Relaxed)), (1, 4));
    let beyond = std::panic::AssertUnwindSafe(|| first.load(2, Relaxed));
    assert!(std::panic::catch_unwind(beyond).is_err());
    let (needs, has) = (4, 3);
    assert_eq!(second.split_at(4).map(drop), Err(TooSmall { needs, has }));
}
