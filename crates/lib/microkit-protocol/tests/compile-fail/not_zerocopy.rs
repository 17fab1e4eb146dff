use microkit_protocol::protocol;

struct Page {
    number: u64,
}

#[protocol]
trait Store {
    fn put(&mut self, page: Page);
}

fn main() {}
