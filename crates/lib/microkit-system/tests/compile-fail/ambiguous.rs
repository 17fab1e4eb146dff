microkit_system::system! {
    "rights.system", pd = "client";
    channel LOGGER = "logger";
}

fn main() {}
