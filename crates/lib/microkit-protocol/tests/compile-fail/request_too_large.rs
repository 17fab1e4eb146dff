use microkit_protocol::protocol;

#[protocol]
trait Store {
    fn put(&mut self, page: [u64; 65]);
}

fn main() {}
