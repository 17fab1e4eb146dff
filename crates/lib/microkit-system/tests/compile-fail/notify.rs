microkit_system::system! {
    "rights.system", pd = "client";
    channel SERVER = "server";
}

fn main() {
    SERVER.notify();
}
