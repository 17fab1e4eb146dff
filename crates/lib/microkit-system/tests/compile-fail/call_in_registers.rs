microkit_system::system! {
    "rights.system", pd = "client";
    channel SERVER = "server";
}

fn main() {
    SERVER.pp_call_with_mrs(sel4_microkit::MessageInfo::new(0, 1), [1]);
}
