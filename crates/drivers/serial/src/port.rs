//! The UART: a PL011 (Arm DDI 0183, *`PrimeCell` UART*).

use super::client::Clients;
use arm_pl011_uart::{
    DataBits, FifoLevel, Interrupts, LineConfig, PL011Registers, Parity, StopBits, Uart,
};
use sel4_microkit::device_region;

/// The clock frequency of the PL011 of QEMU's `virt` machine.
const CLOCK_HZ: u32 = 24_000_000;

const BAUD: u32 = 115_200;

/// The largest number of bytes that the driver writes before it waits for the transmit interrupt.
///
/// The limit is the size of the smallest transmit FIFO (DDI 0183, revisions before r1p5). The limit
/// is above the level of the transmit interrupt. On hardware, the flag "FIFO full" would be enough.
/// QEMU's UART is never full, so without this limit no test would use the transmit interrupt.
const BURST_BYTES: usize = 16;

/// The receive interrupt and the receive timeout interrupt. The timeout interrupt occurs after a
/// pause, if the FIFO has received bytes, but fewer than the level of the receive interrupt.
const RECEIVED: Interrupts = Interrupts::RXI.union(Interrupts::RTI);

/// The UART, and the set of its enabled interrupts.
pub(crate) struct Port {
    uart: Uart<'static>,
    masks: Interrupts,
}

impl Port {
    /// Sets the UART up, with the receive interrupts enabled.
    pub(crate) fn new() -> Self {
        let mut uart = device_region!(uart, uart_size, PL011Registers).into_uart();
        let line = LineConfig {
            data_bits: DataBits::Bits8,
            parity: Parity::None,
            stop_bits: StopBits::One,
        };
        uart.enable(line, BAUD, CLOCK_HZ)
            .expect("the clock divides to this baud rate");
        uart.set_interrupt_fifo_levels(FifoLevel::Bytes4, FifoLevel::Bytes4);
        uart.set_interrupt_masks(RECEIVED);
        Self {
            uart,
            masks: RECEIVED,
        }
    }

    /// Clears the pending interrupts of the UART. Call this method before bytes are received or
    /// sent, so that later bytes raise an interrupt again.
    pub(crate) fn interrupted(&mut self) {
        let come = self.uart.masked_interrupt_status();
        self.uart.clear_interrupts(come);
        if come.contains(Interrupts::TXI) {
            self.set_masks(self.masks - Interrupts::TXI);
        }
    }

    /// Enables or disables the receive interrupts.
    pub(crate) fn listen(&mut self, listens: bool) {
        let sending = self.masks - RECEIVED;
        self.set_masks(if listens { sending | RECEIVED } else { sending });
    }

    /// Returns the next received byte. Bytes with a parity, framing, break or overrun error are
    /// skipped.
    pub(crate) fn receive(&mut self) -> Option<u8> {
        loop {
            match self.uart.read_word() {
                Ok(byte) => return byte,
                Err(_) => continue,
            }
        }
    }

    /// Writes the clients' bytes while the UART has room. The remaining bytes follow after the next
    /// transmit interrupt.
    pub(crate) fn transmit<const N: usize>(&mut self, clients: &mut Clients<N>) {
        if self.masks.contains(Interrupts::TXI) {
            return; // The UART has not sent the last burst yet.
        }
        // Clear the interrupt before the first byte, so that this burst causes the next interrupt.
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
