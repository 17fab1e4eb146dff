//! The port: a PL011 (Arm DDI 0183, *PrimeCell UART*).

use super::client::Clients;
use arm_pl011_uart::{
    DataBits, FifoLevel, Interrupts, LineConfig, PL011Registers, Parity, StopBits, Uart,
};
use sel4_microkit::device_region;

/// Of the PL011 of QEMU's `virt` machine.
const CLOCK_HZ: u32 = 24_000_000;

const BAUD: u32 = 115_200;

/// Bytes that are written before the port must say that it has sent some: what the smallest
/// transmit FIFO has (DDI 0183, revisions before r1p5), and more than the level at which it says so.
const BURST_BYTES: usize = 16;

/// A byte has come, or some have come and then none for a while.
const RECEIVED: Interrupts = Interrupts::RXI.union(Interrupts::RTI);

/// The serial port.
pub(crate) struct Port {
    uart: Uart<'static>,
    masks: Interrupts,
}

impl Port {
    /// Sets the port up.
    pub(crate) fn new() -> Self {
        let mut uart = device_region!(uart, uart_size, PL011Registers).into_uart();
        let line = LineConfig {
            data_bits: DataBits::Bits8,
            parity: Parity::None,
            stop_bits: StopBits::One,
        };
        uart.enable(line, BAUD, CLOCK_HZ)
            .expect("the clock can be divided to that rate");
        uart.set_interrupt_fifo_levels(FifoLevel::Bytes4, FifoLevel::Bytes4);
        uart.set_interrupt_masks(RECEIVED);
        Self {
            uart,
            masks: RECEIVED,
        }
    }

    /// The interrupt has come.
    pub(crate) fn interrupted(&mut self) {
        let come = self.uart.masked_interrupt_status();
        self.uart.clear_interrupts(come);
        if come.contains(Interrupts::TXI) {
            self.set_masks(self.masks - Interrupts::TXI);
        }
    }

    /// Whether bytes that come raise the interrupt.
    pub(crate) fn listen(&mut self, listens: bool) {
        let sending = self.masks - RECEIVED;
        self.set_masks(if listens { sending | RECEIVED } else { sending });
    }

    /// The next byte that has come. One that came damaged is left out.
    pub(crate) fn receive(&mut self) -> Option<u8> {
        loop {
            match self.uart.read_word() {
                Ok(byte) => return byte,
                Err(_) => continue,
            }
        }
    }

    /// Writes what the clients have, as far as the port has room; the rest after its next
    /// interrupt.
    pub(crate) fn transmit<const N: usize>(&mut self, clients: &mut Clients<N>) {
        if self.masks.contains(Interrupts::TXI) {
            return; // It has not sent yet what it was given.
        }
        // Before the first byte: the interrupt that is waited for is one that these bytes cause.
        self.uart.clear_interrupts(Interrupts::TXI);
        for _ in 0..BURST_BYTES {
            if self.uart.is_tx_fifo_full() {
                break;
            }
            let Some(byte) = clients.next_byte() else {
                return;
            };
            self.uart.write_word(byte);
        }
        self.set_masks(self.masks | Interrupts::TXI);
    }

    fn set_masks(&mut self, masks: Interrupts) {
        if masks != self.masks {
            self.masks = masks;
            self.uart.set_interrupt_masks(masks);
        }
    }
}
