//! The main loop. A protection domain (PD) runs until an exception or interrupt enters the kernel.
//! Then the model takes a step and returns the PD that runs next.

use super::board::Board;
use super::cpu;
use super::halt::{halt, wait_for_interrupt};
use super::snapshot;
use super::timer::Timer;
use super::user::{self, Exit, FloatingPoint};
use alloc::vec::Vec;
use arm_sysregs::el2::accessors::read_far_el2;
use boot_spec::snapshot::Phase;
use kernel_aarch64::layout::TIMER_IRQ;
use kernel_aarch64::stage2::AddressSpace;
use kernel_model::{Event, Kernel, Next, ThreadId, Ticks};

/// The part of a PD's state that the model does not contain.
pub(super) struct PdState {
    pub(super) space: &'static AddressSpace,
    pub(super) floating_point: FloatingPoint,
}

/// The whole running system.
pub(super) struct Machinery {
    pub(super) kernel: Kernel,
    pub(super) board: Board,
    pub(super) timer: Timer,
    /// The state of each PD, in the order of the boot spec.
    pub(super) pds: Vec<PdState>,
    /// The thread whose address space is active at EL0.
    pub(super) at_el0: Option<ThreadId>,
}

impl Machinery {
    /// Starts the system, and runs it forever.
    ///
    /// # Safety
    ///
    /// The processor must be [prepared](cpu::prepare).
    pub(super) unsafe fn run(mut self) -> ! {
        let mut next = self.kernel.start(&mut self.board);
        loop {
            next = match next {
                Next::Run { thread, until } => {
                    self.timer.set(until);
                    // SAFETY: 1. The caller promises that the processor is prepared.
                    match unsafe { self.run_thread(thread) } {
                        Exit::Exception(esr) => {
                            let far = read_far_el2().bits();
                            let context = self.kernel.context(thread);
                            let event = Event::of_exception(esr, far, context);
                            self.kernel.step(event, &mut self.board)
                        }
                        Exit::Interrupt => self.interrupt().unwrap_or(next),
                    }
                }
                Next::Idle { until } => {
                    if until.is_none() && !self.kernel.awaits_interrupt() {
                        snapshot::set_phase(Phase::Idle);
                    }
                    self.timer.set(until.unwrap_or(Ticks::MAX));
                    wait_for_interrupt();
                    self.interrupt().unwrap_or(next)
                }
                Next::Halt => halt(),
            }
        }
    }

    /// # Safety
    ///
    /// The processor must be [prepared](cpu::prepare).
    unsafe fn run_thread(&mut self, thread: ThreadId) -> Exit {
        let pd = &mut self.pds[thread.index()];
        if self.at_el0 != Some(thread) {
            self.at_el0 = Some(thread);
            cpu::use_address_space(pd.space, vmid(thread));
        }
        let floating_point =
            (!self.kernel.thread(thread).fpu_disabled).then_some(&mut pd.floating_point);
        // SAFETY: 1. The code above activates the address space of this thread. 2. The caller
        // promises that the processor is prepared.
        unsafe { user::run(self.kernel.context_mut(thread), floating_point) }
    }

    /// Handles the pending interrupt, if any.
    fn interrupt(&mut self) -> Option<Next> {
        let pending = self.board.gic.take()?;
        let event = match pending.number() {
            TIMER_IRQ => {
                // The IRQ of the timer stays pending until the timer has a new deadline.
                self.timer.set(Ticks::MAX);
                Event::Tick
            }
            number => Event::Interrupt(number),
        };
        let next = self.kernel.step(event, &mut self.board);
        self.board.gic.end(pending);
        Some(next)
    }
}

/// Returns the virtual machine identifier (VMID) of a thread's address space. VMID 0 belongs to no
/// PD. Eight bits are enough for a VMID, because there are fewer than 255 threads.
fn vmid(thread: ThreadId) -> u8 {
    thread.index() as u8 + 1
}
