microkit_system::system! {
    "rights.system", pd = "clients";
}

fn main() {}
