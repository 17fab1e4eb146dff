use sel4_microkit::SharedWord;
use microkit_shared_memory::{Bytes, Memory, Part};

fn check(words: &'static [SharedWord]) {
    let part = Part::whole(words);
    // Words and bytes of shared memory can only be copied.
    let word: &mut u64 = part.load(0, core::sync::atomic::Ordering::Relaxed);
    let bytes: &mut [u8] = Bytes::new(part).as_mut();
    let words: &mut [SharedWord] = words;
}

fn main() {}
