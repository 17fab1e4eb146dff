microkit_system::system! {
    "rights.system", pd = "client";
    channel PRINTER = "printer";
    irq CLOCK = 30;
    child WORKER = "worker";
    region RINGS = "rings";
}

fn main() {}
