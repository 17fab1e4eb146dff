use sel4_microkit::SharedWord;
use microkit_shared_memory::View;

/// A record with a reference. The reference is invalid in another PD.
#[derive(Clone, Copy)]
struct Record {
    name: &'static u8,
}

fn check(words: &'static [SharedWord]) {
    let view: View<Record, _> = View::new(words);
    let _ = view.load(0);
}

fn main() {}
