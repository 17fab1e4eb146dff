microkit_system::system! {
    "rights.system", pd = "client";
    region TABLE = "table";
}

fn main() {
    TABLE.words().as_slice();
}
