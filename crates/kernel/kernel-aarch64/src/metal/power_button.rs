//! The power button of the machine. QEMU's `system_powerdown` command presses the button. The
//! button is a line of a GPIO controller, the *`PrimeCell` General Purpose Input/Output (PL061)*,
//! DDI 0190.

use core::mem::offset_of;
use core::ptr::{NonNull, with_exposed_provenance_mut};
use kernel_aarch64::layout::{GPIO, POWER_BUTTON_LINE};
use safe_mmio::fields::ReadPureWrite;
use safe_mmio::{UniqueMmioPointer, field};

/// The registers of the controller. Each register has one bit for each line.
#[repr(C)]
struct Registers {
    data: [u32; 256],
    direction: ReadPureWrite<u32>,
    is_level: ReadPureWrite<u32>,
    both_edges: ReadPureWrite<u32>,
    rising: ReadPureWrite<u32>,
    unmask: ReadPureWrite<u32>,
}

const _: () = assert!(offset_of!(Registers, unmask) == 0x410);

/// Enables the IRQ of the button. After reset, all lines are inputs that detect edges.
///
/// # Safety
///
/// Nothing else may use the GPIO controller.
pub(super) unsafe fn enable() {
    let registers: *mut Registers = with_exposed_provenance_mut(GPIO.start as usize);
    let registers = NonNull::new(registers).expect("the controller is not at address 0");
    // SAFETY: 1. QEMU's `virt` machine has these registers at this address, which is mapped as
    // device memory. 2. The caller promises that nothing else uses these registers.
    let mut registers = unsafe { UniqueMmioPointer::new(registers) };
    field!(registers, rising).write(1 << POWER_BUTTON_LINE);
    field!(registers, unmask).write(1 << POWER_BUTTON_LINE);
}
