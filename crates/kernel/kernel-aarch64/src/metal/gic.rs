//! The interrupt controller, a GICv2 (*Arm Generic Interrupt Controller Architecture version 2.0*,
//! IHI 0048). The configuration is the same as seL4's on this machine.

use boot_spec::Trigger;
use core::mem::offset_of;
use core::ops::Range;
use core::ptr::{NonNull, with_exposed_provenance_mut};
use kernel_aarch64::layout::{GIC_CPU_INTERFACE, GIC_DISTRIBUTOR, TIMER_IRQ};
use safe_mmio::fields::{ReadOnly, ReadPure, ReadPureWrite, WriteOnly};
use safe_mmio::{UniqueMmioPointer, field, field_shared};

/// The interrupt controller.
pub(super) struct Gic {
    distributor: UniqueMmioPointer<'static, Distributor>,
    cpu: UniqueMmioPointer<'static, CpuInterface>,
}

impl Gic {
    /// Initialises the controller. All IRQs go to this core, and all IRQs except the timer's are
    /// masked.
    ///
    /// # Safety
    ///
    /// The caller must call this function only once.
    pub(super) unsafe fn new() -> Self {
        // SAFETY: 1. QEMU's `virt` machine has these registers at these addresses. The registers
        // are mapped as device memory for as long as the kernel runs, and no PD maps them (`plan`).
        // 2. The caller promises that this is the first call.
        let mut gic = unsafe {
            Self {
                distributor: registers(GIC_DISTRIBUTOR),
                cpu: registers(GIC_CPU_INTERFACE),
            }
        };
        gic.set_up_distributor();
        gic.set_up_cpu_interface();
        gic.unmask(TIMER_IRQ);
        gic
    }

    /// Returns the number of IRQs that the controller supports (*`GICD_TYPER`*).
    pub(super) fn count(&self) -> u32 {
        let lines = field_shared!(self.distributor, kind).read() & 0x1f;
        (32 * (lines + 1)).min(FIRST_SPECIAL)
    }

    fn set_up_distributor(&mut self) {
        let words = self.count() as usize / 32;
        let mut distributor = self.distributor.reborrow();
        field!(distributor, control).write(0);
        for word in 0..words {
            set(field!(distributor, mask), word, u32::MAX);
            set(field!(distributor, clear_pending), word, u32::MAX);
            // Without security extensions, as on this machine, all IRQs are in group 0.
            set(field!(distributor, group), word, 0);
        }
        // The target registers of private IRQs read as the mask of this core.
        let private = FIRST_SHARED as usize / 4;
        let own =
            (0..private).filter_map(|word| Some(field!(distributor, target).get(word)?.read()));
        let this_core = own.fold(0, |all, one| all | one);
        for word in 0..8 * words {
            let shared = word >= private;
            set(
                field!(distributor, priority),
                word,
                if shared { 0x8080_8080 } else { 0 },
            );
            if shared {
                set(field!(distributor, target), word, this_core);
            }
        }
        field!(distributor, control).write(1);
    }

    fn set_up_cpu_interface(&mut self) {
        field!(self.cpu, priority_mask).write(0xf0);
        field!(self.cpu, control).write(1);
    }

    /// Sets the trigger mode of an IRQ (*`GICD_ICFGRn`*).
    pub(super) fn set_trigger(&mut self, number: u32, trigger: Trigger) {
        let edge = 2 << (number % 16 * 2);
        if let Some(mut word) = field!(self.distributor, trigger).get(number as usize / 16) {
            word.modify(|word| match trigger {
                Trigger::Level => word & !edge,
                Trigger::Edge => word | edge,
            });
        }
    }

    /// Masks an IRQ (*`GICD_ICENABLERn`*).
    pub(super) fn mask(&mut self, number: u32) {
        let (word, bit) = (number as usize / 32, 1 << (number % 32));
        set(field!(self.distributor, mask), word, bit);
    }

    /// Unmasks an IRQ (*`GICD_ISENABLERn`*). An IRQ that does not exist is ignored.
    pub(super) fn unmask(&mut self, number: u32) {
        let (word, bit) = (number as usize / 32, 1 << (number % 32));
        set(field!(self.distributor, unmask), word, bit);
    }

    /// Acknowledges the pending interrupt at the controller, if there is one (*`GICC_IAR`*).
    pub(super) fn take(&mut self) -> Option<Pending> {
        let pending = Pending(field!(self.cpu, acknowledge).read());
        (pending.number() < FIRST_SPECIAL).then_some(pending)
    }

    /// Ends the handling of an interrupt, so that the controller signals the next one
    /// (*`GICC_EOIR`*).
    pub(super) fn end(&mut self, pending: Pending) {
        field!(self.cpu, end).write(pending.0);
    }
}

/// An acknowledged interrupt whose handling has not yet [ended](Gic::end).
pub(super) struct Pending(u32);

impl Pending {
    /// Returns the IRQ number. For a software-generated interrupt, the register also contains the
    /// number of the core that sent the interrupt.
    pub(super) fn number(&self) -> u32 {
        self.0 & 0x3ff
    }
}

/// The first shared IRQ. IRQs with lower numbers are private to a core.
const FIRST_SHARED: u32 = 32;

/// The first special number. Special numbers are not IRQs.
const FIRST_SPECIAL: u32 = 1020;

/// The registers of the distributor. In an array with one bit for each IRQ, each word contains 32
/// bits.
#[repr(C)]
struct Distributor {
    control: ReadPureWrite<u32>,
    kind: ReadPure<u32>,
    reserved: [u32; 30],
    group: [ReadPureWrite<u32>; 32],
    unmask: [ReadPureWrite<u32>; 32],
    mask: [ReadPureWrite<u32>; 32],
    set_pending: [ReadPureWrite<u32>; 32],
    clear_pending: [ReadPureWrite<u32>; 32],
    active: [ReadPureWrite<u32>; 64],
    priority: [ReadPureWrite<u32>; 256],
    target: [ReadPureWrite<u32>; 256],
    trigger: [ReadPureWrite<u32>; 64],
}

/// The registers of the CPU interface.
#[repr(C)]
struct CpuInterface {
    control: ReadPureWrite<u32>,
    priority_mask: ReadPureWrite<u32>,
    binary_point: ReadPureWrite<u32>,
    acknowledge: ReadOnly<u32>,
    end: WriteOnly<u32>,
}

const _: () = {
    assert!(offset_of!(Distributor, group) == 0x80);
    assert!(offset_of!(Distributor, clear_pending) == 0x280);
    assert!(offset_of!(Distributor, priority) == 0x400);
    assert!(offset_of!(Distributor, target) == 0x800);
    assert!(offset_of!(Distributor, trigger) == 0xc00);
    assert!(offset_of!(CpuInterface, end) == 0x10);
};

/// Writes a word of an array of registers, if the word exists.
fn set<const N: usize>(
    mut words: UniqueMmioPointer<'_, [ReadPureWrite<u32>; N]>,
    word: usize,
    value: u32,
) {
    if let Some(mut word) = words.get(word) {
        word.write(value);
    }
}

/// Returns a pointer to the registers of a device.
///
/// # Safety
///
/// The registers must exist and be mapped as device memory. Nothing else may use the registers.
unsafe fn registers<T>(range: Range<u64>) -> UniqueMmioPointer<'static, T> {
    let registers: *mut T = with_exposed_provenance_mut(range.start as usize);
    let registers = NonNull::new(registers).expect("no device is at address 0");
    // SAFETY: 1. The caller promises what this function requires.
    unsafe { UniqueMmioPointer::new(registers) }
}
