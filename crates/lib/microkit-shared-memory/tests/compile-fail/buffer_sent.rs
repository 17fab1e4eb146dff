use sel4_microkit::SharedWord;
use microkit_shared_memory::Pool;

fn check(words: &'static [SharedWord]) {
    let mut pool: Pool<_, 1> = Pool::new(words, 64, 1).unwrap();
    let buffer = pool.take().unwrap();
    let _descriptor = pool.send(buffer, 8);
    // It is the server's now.
    let _ = pool.write(&buffer, 0, b"late");
}

fn main() {}
