use microkit_protocol::protocol;

#[protocol]
trait Store {
    fn put(&mut self, page: u64);
}

struct Server;

fn serve(server: &mut Server, info: &sel4_microkit::MessageInfo) -> sel4_microkit::MessageInfo {
    StoreServer::dispatch(server, info)
}

fn main() {}
