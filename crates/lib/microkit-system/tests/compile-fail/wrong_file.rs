microkit_system::system! {
    "broken.system", pd = "client";
}

fn main() {}
