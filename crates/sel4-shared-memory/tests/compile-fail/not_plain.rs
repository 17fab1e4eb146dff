use sel4_microkit::SharedWord;
use sel4_shared_memory::View;

/// It has padding, and a reference.
#[derive(Clone, Copy)]
struct Record {
    name: &'static u8,
}

fn check(words: &'static [SharedWord]) {
    let view: View<Record, _> = View::new(words);
    let _ = view.load(0);
}

fn main() {}
