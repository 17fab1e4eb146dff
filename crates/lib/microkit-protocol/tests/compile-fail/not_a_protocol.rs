use microkit_protocol::protocol;

#[protocol]
trait Store<T> {
    fn put(&mut self);
}

#[protocol]
trait Methods {
    const LIMIT: usize;
    fn made() -> u32;
    fn generic<T: Copy>(&self);
    fn consumed(self);
    fn connect(&self);
    fn pattern(&self, (a, b): (u32, u32));
    fn half(&self) -> Result<u32>;
    async fn later(&self);
}

fn main() {}
