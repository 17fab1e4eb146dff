microkit_system::system! {
    "shared.system", pd = "one";
    channel SERVER = "server";
}

fn main() {}
