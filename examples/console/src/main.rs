//! Drives the board's PL011 serial port for those that print through it.
//!
//! Each client has a line of its own here, which goes out when it is complete, so that lines of
//! several clients do not mix.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use arm_pl011_uart::{DataBits, LineConfig, PL011Registers, Parity, StopBits, Uart};
use console::BYTES_PER_CALL;
use heapless::Vec;
use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, device_region, get_mr, protection_domain,
};

/// Clients that can be served: channels 0 to 7.
const CLIENTS: usize = 8;

/// Bytes of a line that are kept until it is complete; a longer one goes out in parts.
const LINE_BYTES: usize = 128;

/// Of the PL011 of QEMU's `virt` machine.
const CLOCK_HZ: u32 = 24_000_000;

const BAUD: u32 = 115_200;

#[protection_domain]
fn init() -> Console {
    let mut uart = Uart::new(device_region!(uart, uart_size, PL011Registers));
    let line = LineConfig {
        data_bits: DataBits::Bits8,
        parity: Parity::None,
        stop_bits: StopBits::One,
    };
    uart.enable(line, BAUD, CLOCK_HZ)
        .expect("the clock can be divided to that rate");
    Console {
        uart,
        lines: [const { Vec::new() }; CLIENTS],
    }
}

struct Console {
    uart: Uart<'static>,
    lines: [Vec<u8, LINE_BYTES>; CLIENTS],
}

impl Handler for Console {
    type Error = Infallible;

    /// The label is how many bytes the four words carry. A client that says more, or that there is
    /// no room for, is answered and ignored.
    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        let words: [u64; BYTES_PER_CALL / 8] = core::array::from_fn(get_mr);
        let bytes = words.as_flattened_bytes();
        let length = usize::try_from(msg_info.label()).unwrap_or(usize::MAX);
        if let Some(text) = bytes.get(..length) {
            for &byte in text {
                self.take(channel.index(), byte);
            }
        }
        Ok(MessageInfo::new(0, 0))
    }
}

impl Console {
    fn take(&mut self, client: usize, byte: u8) {
        let Some(line) = self.lines.get_mut(client) else {
            return;
        };
        if byte != b'\n' && line.push(byte).is_ok() {
            return;
        }
        for &byte in line.iter() {
            put(&mut self.uart, byte);
        }
        line.clear();
        if byte == b'\n' {
            put(&mut self.uart, b'\r');
            put(&mut self.uart, b'\n');
        } else {
            line.push(byte).ok();
        }
    }
}

fn put(uart: &mut Uart<'_>, byte: u8) {
    while uart.is_tx_fifo_full() {
        core::hint::spin_loop();
    }
    uart.write_word(byte);
}

/// The bytes of words, as the sender packed them.
trait Bytes {
    fn as_flattened_bytes(&self) -> [u8; BYTES_PER_CALL];
}

impl Bytes for [u64; BYTES_PER_CALL / 8] {
    fn as_flattened_bytes(&self) -> [u8; BYTES_PER_CALL] {
        core::array::from_fn(|index| self[index / 8].to_le_bytes()[index % 8])
    }
}
