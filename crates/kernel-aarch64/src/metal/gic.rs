//! The interrupt controller, a GICv2 (*Arm Generic Interrupt Controller Architecture version 2.0*,
//! IHI 0048).

use arm_gic::gicv2::GicV2;
use arm_gic::gicv2::registers::{Gicc, Gicd};
use arm_gic::{IntId, InterruptGroup, Trigger};
use core::ptr::{NonNull, with_exposed_provenance_mut};
use kernel_aarch64::layout::{GIC_CPU_INTERFACE, GIC_DISTRIBUTOR, TIMER_IRQ};
use safe_mmio::{UniqueMmioPointer, field};

/// Without security extensions, as on this machine, all interrupts are in this group.
const GROUP: InterruptGroup = InterruptGroup::Group0;

/// The interrupt controller.
pub(super) struct Gic {
    driver: GicV2<'static>,
    count: u32,
}

impl Gic {
    /// Sets the controller up: all interrupts come to this core, and only the timer's is unmasked.
    ///
    /// # Safety
    ///
    /// To be called once.
    pub(super) unsafe fn new() -> Self {
        let distributor: *mut Gicd = with_exposed_provenance_mut(GIC_DISTRIBUTOR.start as usize);
        let cpu: *mut Gicc = with_exposed_provenance_mut(GIC_CPU_INTERFACE.start as usize);
        let registers = NonNull::new(distributor).expect("it is not at address 0");
        // SAFETY: 1. QEMU's `virt` machine has a distributor at this address, which is mapped as
        // device memory for as long as the kernel runs, and which no PD maps (`plan`). 2. The caller
        // promises that this is the first time, and the pointer is gone when the driver is made.
        route_to_this_core(unsafe { UniqueMmioPointer::new(registers) });
        // SAFETY: as above, also for the CPU interface.
        let mut driver = unsafe { GicV2::new(distributor, cpu) };
        driver.enable_all_interrupts(false);
        driver.setup();
        let count = driver.typer().num_irqs().min(IntId::SPECIAL_SECURE.into());
        let mut gic = Self { driver, count };
        gic.unmask(TIMER_IRQ);
        gic
    }

    /// How many interrupts there can be.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Says how a device signals an interrupt.
    pub(super) fn set_trigger(&mut self, number: u32, trigger: boot_spec::Trigger) {
        let trigger = match trigger {
            boot_spec::Trigger::Level => Trigger::Level,
            boot_spec::Trigger::Edge => Trigger::Edge,
        };
        self.driver.set_trigger(int_id(number), trigger);
    }

    /// Keeps an interrupt from coming.
    pub(super) fn mask(&mut self, number: u32) {
        // Only unmasking can fail.
        let _ = self.driver.enable_interrupt(int_id(number), false);
    }

    /// Lets an interrupt come. One that is not there stays away.
    pub(super) fn unmask(&mut self, number: u32) {
        let _ = self.driver.enable_interrupt(int_id(number), true);
    }

    /// Takes the interrupt that is pending, if there is one.
    pub(super) fn take(&mut self) -> Option<Pending> {
        self.driver
            .get_and_acknowledge_interrupt(GROUP)
            .map(Pending)
    }

    /// Ends the handling of an interrupt, so that others can come, and the same if it is unmasked.
    pub(super) fn end(&mut self, pending: Pending) {
        self.driver.end_interrupt(pending.0, GROUP);
    }
}

/// An interrupt that was taken and not yet ended.
pub(super) struct Pending(IntId);

impl Pending {
    /// Its number. That of an interrupt that software made has the core that did it above it.
    pub(super) fn number(&self) -> u32 {
        self.0.raw_value() & 0x3ff
    }
}

/// The driver's name for an interrupt. What there is none for is an interrupt that never comes.
fn int_id(number: u32) -> IntId {
    IntId::try_from(number).unwrap_or(IntId::sgi(0))
}

/// What the driver leaves as it is: lets every shared interrupt come to this core, and forgets what
/// was pending.
fn route_to_this_core(mut distributor: UniqueMmioPointer<'_, Gicd>) {
    let mut pending = field!(distributor, icpendr);
    for index in 0..32 {
        if let Some(mut register) = pending.get(index) {
            register.write(u32::MAX);
        }
    }
    let mut targets = field!(distributor, itargetsr);
    let mut this_core = 0;
    for index in 0..IntId::SPECIAL_SECURE.raw_value() as usize / 4 {
        let Some(mut register) = targets.get(index) else {
            continue;
        };
        if index < FIRST_SHARED / 4 {
            // SAFETY: 1. Reading this register has no effect. 2. For an interrupt of a core's own
            // it says which core reads (IHI 0048, *GICD_ITARGETSRn*).
            this_core |= unsafe { register.read_unsafe() };
        } else {
            // SAFETY: 1. What this register decides is to which core interrupts go, which is to
            // this one; where there is only one core, it ignores what is written.
            unsafe { register.write_unsafe(this_core) };
        }
    }
}

/// The first interrupt that is not a core's own.
const FIRST_SHARED: usize = 32;
