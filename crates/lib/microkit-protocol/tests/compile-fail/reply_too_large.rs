use microkit_protocol::protocol;

#[protocol]
trait Store {
    fn get(&self, name: heapless::String<8>) -> heapless::Vec<u64, 64>;
}

fn main() {}
