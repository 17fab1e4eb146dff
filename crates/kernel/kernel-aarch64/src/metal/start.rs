//! The part of boot in Rust, from an image in memory to a running system.

use super::board::Board;
use super::console::Console;
use super::gic::Gic;
use super::halt::refuse;
use super::memory::{self, IpcBuffer};
use super::run::{Machinery, PdState};
use super::timer::{self, Timer};
use super::user::FloatingPoint;
use super::{cpu, heap, mmu, power_button};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::Write;
use core::ptr::with_exposed_provenance;
use core::slice;
use kernel_aarch64::layout::{GPIO_IRQ, HEAP, IMAGE_START};
use kernel_aarch64::payload::Payload;
use kernel_aarch64::plan::Plan;
use kernel_aarch64::report::INFO;
use kernel_aarch64::snapshot;
use kernel_aarch64::stage2::AddressSpace;
use kernel_model::{CacheMaintenance, Kernel};

unsafe extern "C" {
    static __payload_start: u8;
}

/// Continues after [`boot`](super::boot). The MMU is on, and the stack is the kernel's. Interrupts
/// are masked, as always in the kernel.
pub(super) extern "C" fn start() -> ! {
    // SAFETY: 1. Only `boot` calls this function, once. 2. The boot tables are active.
    let mut console = unsafe {
        heap::init();
        mmu::protect();
        Console::new()
    };
    // Writing to the console cannot fail.
    let _ = writeln!(
        console,
        "{INFO}model kernel {}, for development: this is not seL4",
        env!("CARGO_PKG_VERSION")
    );
    if !cpu::has_address_bits() {
        refuse("this processor has fewer than 40 address bits");
    }
    if !cpu::has_gicv2() {
        refuse("the interrupt controller is not a GICv2: start QEMU with gic-version=2");
    }
    // SAFETY: 1. Only `boot` calls this function, once.
    let mut gic = unsafe { Gic::new() };
    let Some(clock) = timer::clock() else {
        refuse("the frequency of the timer is not known (CNTFRQ_EL0)");
    };
    let payload = payload().unwrap_or_else(|error| refuse(error));
    let kernel = Kernel::new(&payload.spec, clock).unwrap_or_else(|error| refuse(error));
    let plan = Plan::new(&payload.spec, gic.count()).unwrap_or_else(|error| refuse(error));
    prepare_memory(&payload, &plan);
    let pds = pds(&payload);
    // SAFETY: 1. The addresses are from the plan. 2. The code above has prepared the memory.
    let ipc_buffers = plan
        .ipc_buffers
        .iter()
        .map(|paddr| unsafe { IpcBuffer::at(*paddr) })
        .collect();
    for irq in payload.spec.pds.iter().flat_map(|pd| &pd.irqs) {
        gic.set_trigger(irq.number, irq.trigger);
    }
    if snapshot::has_power_button(&payload.spec) {
        // SAFETY: 1. Only `boot` calls this function, once. 2. No PD maps the registers.
        unsafe { power_button::enable() };
        gic.unmask(GPIO_IRQ);
    }
    let board = Board {
        console,
        gic,
        ipc_buffers,
        spec: payload.spec,
        tables: pds.iter().map(|pd| pd.space.tables()).collect(),
    };
    cpu::prepare();
    let machinery = Machinery {
        kernel,
        board,
        timer: Timer::new(),
        pds,
        at_el0: None,
    };
    // SAFETY: 1. The code above has prepared the processor.
    unsafe { machinery.run() }
}

/// Finds the payload after the kernel.
fn payload() -> Result<Payload<'static>, kernel_aarch64::payload::PayloadError> {
    let start = (&raw const __payload_start).addr();
    let bytes = HEAP.start as usize - start;
    // SAFETY: 1. This memory exists and is mapped as normal memory. The memory is initialised, by
    // the image or by earlier contents. 2. Nothing writes this memory: the kernel's data ends
    // before it, the heap begins after it, and no PD maps it (`plan`).
    let bytes = unsafe { slice::from_raw_parts(with_exposed_provenance(start), bytes) };
    Payload::find(bytes, start as u64 - IMAGE_START)
}

/// Prepares the memory of PDs: clears it, copies the segments, and maintains the caches.
fn prepare_memory(payload: &Payload<'_>, plan: &Plan) {
    plan.zero.iter().for_each(memory::zero);
    for segment in &payload.spec.segments {
        memory::fill(segment.paddr, payload.segment(segment));
    }
    for range in &plan.uncached {
        memory::maintain(CacheMaintenance::CleanInvalidate, range.clone());
    }
    for range in &plan.executable {
        memory::maintain(CacheMaintenance::UnifyInstruction, range.clone());
    }
}

/// Creates the address space and the floating-point registers of each PD.
fn pds(payload: &Payload<'_>) -> Vec<PdState> {
    let pds = payload.spec.pds.iter();
    pds.map(|pd| {
        let space = AddressSpace::new(&pd.mappings).unwrap_or_else(|error| refuse(error));
        PdState {
            space: Box::leak(Box::new(space)),
            floating_point: FloatingPoint::NEW,
        }
    })
    .collect()
}
