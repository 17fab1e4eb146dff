//! The serial port. The kernel only writes bytes to the data register, and only while the FIFO has
//! room. The kernel changes no other register. So a protection domain (PD) can drive the same port.
//! Output of the kernel and of the PD may mix.

use arm_pl011_uart::{PL011Registers, Uart};
use core::fmt;
use core::hint::spin_loop;
use core::ptr::{NonNull, with_exposed_provenance_mut};
use kernel_aarch64::layout::UART;
use safe_mmio::UniqueMmioPointer;

/// The console that the kernel prints on.
pub(super) struct Console(Uart<'static>);

impl Console {
    /// Opens the serial port.
    ///
    /// # Safety
    ///
    /// No other `Console` may be used while this `Console` is in use.
    pub(super) unsafe fn new() -> Self {
        let registers: *mut PL011Registers = with_exposed_provenance_mut(UART.start as usize);
        let registers = NonNull::new(registers).expect("the port is not at address 0");
        // SAFETY: 1. QEMU's `virt` machine has a PL011 at this address. The boot tables and the
        // kernel's own tables map the address as device memory for as long as the kernel runs. 2.
        // The caller promises that nothing else in the kernel uses the port. 3. A PD that also
        // drives the port changes the port's registers, but volatile accesses allow such changes,
        // because the device itself also makes them.
        Self(Uart::new(unsafe { UniqueMmioPointer::new(registers) }))
    }

    /// Writes a byte. Like seL4, writes a carriage return in front of a line feed.
    ///
    /// **Blocking:** until the FIFO has room.
    pub(super) fn put(&mut self, byte: u8) {
        if byte == b'\n' {
            self.put(b'\r');
        }
        while self.0.is_tx_fifo_full() {
            spin_loop();
        }
        self.0.write_word(byte);
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.put(byte));
        Ok(())
    }
}
