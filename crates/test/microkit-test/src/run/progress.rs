//! Runs a program up to its next system call, and runs the kernel for the call.
//!
//! In the model, a PD in Rust code has no machine instructions. Its program counter is one of the
//! offsets in `place`, and shows why the PD has stopped.

use std::hash::{Hash, Hasher};

use kernel_model::numbers::{invocation, syscall};
use kernel_model::{
    Cap, Event, Fault, INFO_REGISTER, LookupFailure, MESSAGE_REGISTERS, MessageInfo, Next,
    Register, ThreadId, ThreadState, UserContext,
};
use sel4_sys::host::Stop;

use super::step::What;
use super::{Run, Step};
use crate::call::destination;
use crate::failure::{self, Failure};
use crate::fingerprint::Fingerprinter;
use crate::machine::MonitorFault;
use crate::program::Runs;
use crate::{Call, Memory};

/// Decides whether a system call of a PD fails, and selects one of the possible failures.
pub(crate) type Decide<'a> =
    &'a mut dyn FnMut(&mut Run, usize, &'static [Failure]) -> Option<Failure>;

/// Offsets in the page that represents the program of a PD, counted from its entry point.
mod place {
    pub(super) const ENTRY: u64 = 0;
    /// The system-call instruction. Every system call of the PD enters the kernel from here.
    pub(super) const CALL: u64 = 0x100;
    pub(super) const AFTER_CALL: u64 = CALL + 4;
    /// An access to shared memory.
    pub(super) const POINT: u64 = 0x200;
    /// The undefined instruction at the end of a panic.
    pub(super) const TRAP: u64 = 0x300;
}

/// The fault of the undefined instruction `udf` on AArch64.
const UNDEFINED: Fault = Fault::UserException {
    number: 0x200_0000,
    code: 0,
};

/// The syndrome of an instruction fetch from an unmapped address.
const FETCH_OF_NOTHING: u32 = 0x8200_0006;

/// A capability pointer that refers to no slot, because it matches no guard.
const NOWHERE: u64 = 1 << 20;

/// Methods for the explorer.
impl Run {
    /// Returns the threads that can run. The thread that the kernel has chosen is first, and the
    /// others follow in the order of the system file.
    pub(crate) fn runnable(&self) -> impl Iterator<Item = ThreadId> {
        let current = match self.next {
            Next::Run { thread, .. } => Some(thread),
            Next::Idle { .. } | Next::Halt => None,
        };
        let is_halted = self.next == Next::Halt;
        let others = self.threads().filter(move |thread| {
            !is_halted && Some(*thread) != current && self.kernel.thread(*thread).is_ready()
        });
        current.into_iter().chain(others)
    }

    pub(crate) fn kill_thread(&mut self, thread: ThreadId) {
        let pd = thread.index();
        self.note(pd, What::Killed);
        self.killed[pd] = true;
        if let Runs::Code(code) = &mut self.host.actors[pd].runs {
            code.end();
        }
        if self.runnable().any(|other| other == thread) {
            self.next = self.kernel.run_instead(thread, &mut self.host);
            let entry = self.entry(pd);
            self.kernel.context_mut(thread).pc = entry + place::TRAP;
            self.enter(Event::Fault(UNDEFINED));
        } else {
            self.next = self.kernel.stop(thread, &mut self.host);
        }
    }

    /// Runs a thread up to its next system call or access to shared memory. The kernel then answers
    /// the call, or the call fails if `decide` returns a failure.
    pub(crate) fn step_thread(&mut self, thread: ThreadId, decide: Decide<'_>) {
        self.steps += 1;
        self.next = self.kernel.run_instead(thread, &mut self.host);
        let pd = thread.index();
        self.host.now += self.ticks_per_step;
        let mut is_told = true;
        loop {
            let event = match self.let_run(thread, is_told) {
                Some(Event::Syscall(number)) if is_debugging(number) => {
                    self.next = self.kernel.step(Event::Syscall(number), &mut self.host);
                    is_told = number.cast_signed() != syscall::DebugPutChar;
                    match self.next {
                        Next::Run { thread: next, .. } if next == thread => continue,
                        _ => return,
                    }
                }
                event => event,
            };
            return match event {
                None => self.note(pd, What::Point),
                Some(Event::Syscall(_)) => {
                    let context = *self.kernel.context(thread);
                    let possible = failure::possible(&self.kernel, thread, &context);
                    let failure = match possible {
                        [] => None,
                        _ => decide(self, pd, possible),
                    };
                    self.note(pd, What::Call(Call::of(&context), failure));
                    match failure {
                        None => self.enter(Event::Syscall(context[Register::X(7)])),
                        Some(failure) => self.fail(thread, &context, failure),
                    }
                }
                Some(event) => {
                    if let Event::Fault(fault) = event {
                        self.note(pd, What::Fault(fault));
                    }
                    self.enter(event);
                }
            };
        }
    }

    /// Returns whether the test has killed the PD.
    pub(crate) fn was_killed(&self, fault: &MonitorFault) -> bool {
        self.killed[fault.pd]
    }

    /// Returns the number of an IRQ.
    pub(crate) fn irq_number(&self, pd: usize, channel: u8) -> Option<u32> {
        let irqs = &self.image.spec.pds[pd].irqs;
        irqs.iter()
            .find(|irq| irq.id == channel)
            .map(|irq| irq.number)
    }

    pub(crate) fn is_masked(&self, irq: u32) -> bool {
        self.host.masked.contains(&irq)
    }

    /// Hashes the state that determines the future of the run, and all output so far.
    pub(crate) fn fingerprint(&self, hasher: &mut Fingerprinter) {
        self.kernel.hash(hasher);
        self.next.hash(hasher);
        for actor in &self.host.actors {
            actor.fingerprint().hash(hasher);
        }
        hasher.write(&self.host.console);
        self.host.faults.hash(hasher);
        self.host.masked.hash(hasher);
        self.pending.hash(hasher);
        let regions = self.image.regions.iter();
        for region in regions.filter(|region| region.is_shared) {
            region.memory.for_each(|word| hasher.write_u64(word));
        }
    }
}

impl Run {
    /// Runs a thread until an event enters the kernel. Returns `None` if the thread stops at an
    /// access to shared memory. `is_told` is true if the thread receives an input when it
    /// continues.
    fn let_run(&mut self, thread: ThreadId, is_told: bool) -> Option<Event> {
        let pd = thread.index();
        let entry = self.entry(pd);
        let image = &*self.image;
        let actor = &mut self.host.actors[pd];
        let may_use_floats = !self.kernel.thread(thread).fpu_disabled;
        let context = self.kernel.context_mut(thread);
        if is_told && self.is_followed {
            actor.learn(context, image, &image.pds[pd]);
        }
        let code = match &mut actor.runs {
            Runs::Registers {
                processor,
                ipc_buffer,
            } => {
                let mut memory = Memory {
                    image,
                    pd,
                    may_use_floats,
                    ipc_buffer,
                };
                return Some(processor.run(context, &mut memory));
            }
            Runs::Code(code) => code,
        };
        match context.pc.wrapping_sub(entry) {
            place::ENTRY => code.begin(&image.pds[pd]),
            place::AFTER_CALL if code.is_at_call() => code.answer(context),
            place::CALL if code.is_at_call() => {
                // The system call starts again, for instance because the thread was stopped
                // during its wait.
                context.pc = entry + place::AFTER_CALL;
                return Some(Event::Syscall(context[Register::X(7)]));
            }
            place::POINT if code.is_at_point() => {}
            place::TRAP => return Some(Event::Fault(UNDEFINED)),
            _ => {
                return Some(Event::Fault(Fault::Vm {
                    address: context.pc,
                    fsr: FETCH_OF_NOTHING,
                    instruction: true,
                }));
            }
        }
        match code.go_on() {
            Stop::SystemCall => {
                code.store_registers(context);
                context.pc = entry + place::AFTER_CALL;
                let number = context[Register::X(7)];
                let mut context = *context;
                self.translate(thread, &mut context);
                *self.kernel.context_mut(thread) = context;
                Some(Event::Syscall(number))
            }
            Stop::Point => {
                context.pc = entry + place::POINT;
                None
            }
            Stop::Ended => {
                code.end();
                context.pc = entry + place::TRAP;
                Some(Event::Fault(UNDEFINED))
            }
        }
    }

    /// Replaces host addresses with the PD's virtual addresses in a cache-maintenance invocation.
    fn translate(&self, thread: ThreadId, context: &mut UserContext) {
        let number = context[Register::X(7)].cast_signed();
        let label = MessageInfo::from_word(context[INFO_REGISTER]).label;
        let names_memory = (invocation::ARMVSpaceClean_Data
            ..=invocation::ARMVSpaceUnify_Instruction)
            .contains(&label);
        let Some(register) = destination(number).filter(|_| names_memory) else {
            return;
        };
        if let Cap::VSpace(_) = self.kernel.cap(thread, context[register]) {
            for register in &MESSAGE_REGISTERS[..2] {
                context[*register] = self.vaddr(thread.index(), context[*register]);
            }
        }
    }

    /// Converts a host address to the PD's virtual address. Returns an address outside all regions
    /// unchanged.
    fn vaddr(&self, pd: usize, address: u64) -> u64 {
        self.image.pds[pd]
            .maps
            .iter()
            .find_map(|map| {
                let memory = self.image.regions[map.region].memory;
                Some(map.vaddr + memory.offset_bytes(address)?)
            })
            .unwrap_or(address)
    }

    /// Makes the system call of the running thread fail.
    fn fail(&mut self, thread: ThreadId, context: &UserContext, failure: Failure) {
        let number = context[Register::X(7)].cast_signed();
        let sent_with = destination(number);
        match (failure, number) {
            (Failure::Refused(error), syscall::Call) => {
                let context = self.kernel.context_mut(thread);
                context[kernel_model::BADGE_REGISTER] = 0;
                context[INFO_REGISTER] = MessageInfo::new(error.label(), 0).to_word();
            }
            (Failure::Refused(_), syscall::Send | syscall::NBSend) => {}
            (_, syscall::NBSendRecv | syscall::NBSendWait | syscall::NBSend) => {
                if let Some(register) = sent_with {
                    self.kernel.context_mut(thread)[register] = NOWHERE;
                }
                self.enter(Event::Syscall(number.cast_unsigned()));
            }
            _ => {
                self.kernel.context_mut(thread).pc -= 4;
                let register = sent_with.unwrap_or(kernel_model::CAP_REGISTER);
                self.enter(Event::Fault(Fault::Capability {
                    address: context[register],
                    receiving: sent_with.is_none(),
                    failure: LookupFailure::MissingCapability { bits_left: 0 },
                }));
            }
        }
    }

    /// Takes the failure that [`fail_next`](Self::fail_next) has requested.
    pub(super) fn asked_to_fail(
        &mut self,
        pd: usize,
        possible: &'static [Failure],
    ) -> Option<Failure> {
        let position = self
            .to_fail
            .iter()
            .position(|(of, failure)| *of == pd && possible.contains(failure))?;
        Some(self.to_fail.remove(position).1)
    }

    fn enter(&mut self, event: Event) {
        self.next = self.kernel.step(event, &mut self.host);
        self.deliver();
    }

    /// Delivers raised IRQs that are not masked.
    pub(super) fn deliver(&mut self) {
        while let Some(position) = self.pending.iter().position(|irq| !self.is_masked(*irq)) {
            let number = self.pending.remove(position);
            self.next = self.kernel.step(Event::Interrupt(number), &mut self.host);
        }
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        match self.next {
            Next::Run { until, .. } => Some(until),
            Next::Idle { until } => until,
            Next::Halt => None,
        }
    }

    pub(super) fn tick_if_due(&mut self) {
        while self.deadline().is_some_and(|until| until <= self.host.now) {
            self.next = self.kernel.step(Event::Tick, &mut self.host);
        }
    }

    pub(super) fn note(&mut self, pd: usize, what: What) {
        if let Some(trace) = &mut self.trace {
            let name = self.image.pds[pd].name;
            trace.push(Step { name, what });
        }
    }

    fn entry(&self, pd: usize) -> u64 {
        self.image.spec.pds[pd].entry
    }

    pub(super) fn threads(&self) -> impl Iterator<Item = ThreadId> + use<> {
        self.kernel.threads()
    }

    #[track_caller]
    pub(super) fn thread(&self, name: &str) -> ThreadId {
        let pd = self.image.pd(name);
        self.kernel
            .thread_of(pd)
            .expect("the kernel was made of these")
    }

    pub(super) fn describe(&self, thread: ThreadId) -> &'static str {
        match self.kernel.thread(thread).state() {
            ThreadState::Inactive => "it was stopped",
            ThreadState::Running | ThreadState::Restart => "it has no budget",
            ThreadState::BlockedOnReceive { .. } | ThreadState::BlockedOnNotification { .. } => {
                "it waits for an event"
            }
            ThreadState::BlockedOnSend { .. } => "it waits to send",
            ThreadState::BlockedOnReply { .. } => "it waits for a reply",
        }
    }
}

/// Returns whether a system call only prints or inspects. Such a call has no effect on other
/// threads.
fn is_debugging(number: u64) -> bool {
    (syscall::DebugNameThread..=syscall::DebugPutChar).contains(&number.cast_signed())
}
