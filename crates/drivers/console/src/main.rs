//! The PD `console`: drives the PL011 UART of QEMU's `virt` machine for PDs that print.
//!
//! The documentation of the library describes the clients and the system file.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use arm_pl011_uart::{DataBits, LineConfig, PL011Registers, Parity, StopBits, Uart};
use microkit_console::lines::Lines;
use sel4_microkit::{Channel, Handler, Infallible, MessageInfo, device_region, protection_domain};

/// The clock frequency of the PL011 of QEMU's `virt` machine.
const CLOCK_HZ: u32 = 24_000_000;

const BAUD: u32 = 115_200;

#[protection_domain]
fn init() -> Console {
    let mut uart = device_region!(uart, uart_size, PL011Registers).into_uart();
    let line = LineConfig {
        data_bits: DataBits::Bits8,
        parity: Parity::None,
        stop_bits: StopBits::One,
    };
    uart.enable(line, BAUD, CLOCK_HZ)
        .expect("the clock divides to this baud rate");
    Console {
        uart,
        lines: Lines::default(),
    }
}

struct Console {
    uart: Uart<'static>,
    lines: Lines,
}

impl Handler for Console {
    type Error = Infallible;

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        let uart = &mut self.uart;
        self.lines.take(channel, msg_info, |piece| {
            for &byte in piece {
                if byte == b'\n' {
                    put(uart, b'\r');
                }
                put(uart, byte);
            }
        });
        Ok(MessageInfo::new(0, 0))
    }
}

/// Writes a byte. Polls until the UART has room.
///
/// The client's call returns after the text is written. A passive PD has no budget after its reply,
/// so it cannot wait for the UART's interrupt.
fn put(uart: &mut Uart<'_>, byte: u8) {
    while uart.is_tx_fifo_full() {
        core::hint::spin_loop();
    }
    uart.write_word(byte);
}
