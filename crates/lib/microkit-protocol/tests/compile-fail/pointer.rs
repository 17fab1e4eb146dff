use microkit_protocol::protocol;

#[protocol]
trait Store {
    fn put(&mut self, text: &str);
    fn get(&self) -> &'static [u8];
}

fn main() {}
