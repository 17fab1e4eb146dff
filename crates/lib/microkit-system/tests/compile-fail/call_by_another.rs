microkit_system::system! {
    "rights.system", pd = "client";
    channel SERVER = "server";
}

fn ask(whom: impl sel4_microkit::MayCall) {
    whom.to_call().pp_call(sel4_microkit::MessageInfo::new(0, 0));
}

fn main() {
    ask(SERVER);
}
