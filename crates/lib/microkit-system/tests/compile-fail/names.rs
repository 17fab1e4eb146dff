microkit_system::system! {
    "names.system", pd = "client0";
    region RX = "pl011@9000000/serial/queue/virt_rx/client0";
    region PL011_9000000_SERIAL_QUEUE_VIRT_RX_CLIENT_0;
    region PL011_9000000_SERIAL_QUEUE_VIRT_RX_CLIENT;
}

fn main() {}
