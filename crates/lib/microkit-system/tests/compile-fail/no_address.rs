microkit_system::system! {
    "rights.system", pd = "client";
    region BARE = "bare";
}

fn main() {}
