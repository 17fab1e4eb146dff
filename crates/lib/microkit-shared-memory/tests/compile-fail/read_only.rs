use microkit_shared_memory::View;

microkit_system::system! {
    "rights.system", pd = "client";
    region TABLE = "table";
}

fn main() {
    let view: View<u64, _> = View::new(TABLE.words());
    let _ = view.store(0, 1);
}
