microkit_system::system! {
    "rights.system", pd = "client";
    region TABLE = "table";
}

fn main() {
    TABLE.words().store(0, 1, core::sync::atomic::Ordering::Relaxed);
}
