use sel4_microkit::SharedWord;
use microkit_shared_memory::View;

/// It has a reference, which means nothing to another.
#[derive(Clone, Copy)]
struct Record {
    name: &'static u8,
}

fn check(words: &'static [SharedWord]) {
    let view: View<Record, _> = View::new(words);
    let _ = view.load(0);
}

fn main() {}
