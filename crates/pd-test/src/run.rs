//! A system that runs, and the ways to drive it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel_model::numbers::{invocation, syscall};
use kernel_model::{
    Cap, Event, Fault, INFO_REGISTER, InvocationError, Kernel, LookupFailure, MESSAGE_REGISTERS,
    MessageInfo, Next, Register, ThreadId, ThreadState, UserContext,
};
use sel4_sys::host::Stop;

use crate::call::destination;
use crate::failure::{self, Failure};
use crate::fingerprint::Fingerprinter;
use crate::lower::Image;
use crate::machine::{Host, MonitorFault};
use crate::program::{Actor, Runs};
use crate::{Call, Memory, System};

/// A system that runs: the model kernel, and every protection domain where it has got to.
///
/// What runs when is the test's choice: nothing happens but in its methods.
pub struct Run {
    image: Arc<Image>,
    kernel: Kernel,
    host: Host,
    next: Next,
    /// Interrupts that have come while they were masked.
    pending: Vec<u32>,
    /// System calls that are to fail: the next of this protection domain that can.
    to_fail: Vec<(usize, Failure)>,
    killed: Vec<bool>,
    steps: u64,
    ticks_per_step: u64,
    /// Whether it is kept what protection domains are told, for [`fingerprint`](Self::fingerprint).
    is_followed: bool,
    trace: Option<Vec<Step>>,
}

/// Something that a protection domain has done, or that was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    name: &'static str,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Call(Call, Option<Failure>),
    Fault(Fault),
    Point,
    Irq(u8),
    Killed,
}

/// Places in the page that stands for the program of a protection domain, from its entry on.
mod place {
    pub(super) const ENTRY: u64 = 0;
    /// The instruction of every system call.
    pub(super) const CALL: u64 = 0x100;
    pub(super) const AFTER_CALL: u64 = CALL + 4;
    /// An access to shared memory.
    pub(super) const POINT: u64 = 0x200;
    /// The undefined instruction at the end of a panic.
    pub(super) const TRAP: u64 = 0x300;
}

/// What `udf` is to seL4 on AArch64.
const UNDEFINED: Fault = Fault::UserException {
    number: 0x200_0000,
    code: 0,
};

/// The syndrome of a fetch where nothing is mapped.
const FETCH_OF_NOTHING: u32 = 0x8200_0006;

/// A capability pointer that leads nowhere: no guard matches.
const NOWHERE: u64 = 1 << 20;

/// How many steps a run may take to come to rest.
const MOST_STEPS: u64 = 10_000_000;

/// Says whether and how a system call of a protection domain fails, of all ways in which it can.
pub(crate) type Decide<'a> =
    &'a mut dyn FnMut(&mut Run, usize, &'static [Failure]) -> Option<Failure>;

impl Run {
    #[track_caller]
    pub(crate) fn new(system: &System) -> Self {
        let image = Arc::clone(&system.image);
        for region in &image.regions {
            let fill = region.fill.iter().copied().chain(std::iter::repeat(0));
            region
                .words
                .iter()
                .zip(fill)
                .for_each(|(word, value)| word.store(value, Ordering::Relaxed));
        }
        let actors = image
            .domains
            .iter()
            .zip(&system.bodies)
            .map(|(domain, body)| {
                Actor::new(body.as_ref().unwrap_or_else(|| {
                    panic!(
                        "nothing was given to run for {}, whose program is {}: \
                         `.program(\"{1}\", …)`",
                        domain.name, domain.program
                    )
                }))
            })
            .collect();
        let mut host = Host {
            now: 0,
            actors,
            names: image.domains.iter().map(|domain| domain.name).collect(),
            console: Vec::new(),
            masked: Vec::new(),
            faults: Vec::new(),
        };
        let mut kernel = system.kernel.clone();
        let next = kernel.start(&mut host);
        Self {
            killed: vec![false; image.domains.len()],
            image,
            kernel,
            host,
            next,
            pending: Vec::new(),
            to_fail: Vec::new(),
            steps: 0,
            ticks_per_step: 0,
            is_followed: false,
            trace: Some(Vec::new()),
        }
    }

    /// As [`new`](Self::new), without a [`trace`](Self::trace).
    pub(crate) fn untraced(mut self) -> Self {
        self.trace = None;
        self
    }

    /// As [`new`](Self::new), with a [`fingerprint`](Self::fingerprint).
    pub(crate) fn followed(mut self) -> Self {
        self.is_followed = true;
        self
    }

    /// Lets the protection domain that the kernel has chosen run up to its next system call, and
    /// the kernel answer that. Returns whether there was one to run.
    pub fn step(&mut self) -> bool {
        self.tick_if_due();
        let Next::Run { thread, .. } = self.next else {
            return false;
        };
        self.step_thread(thread, &mut Self::asked_to_fail);
        true
    }

    /// Lets this protection domain make a step, whatever its priority.
    ///
    /// # Panics
    ///
    /// If it cannot run, and if there is no such protection domain.
    #[track_caller]
    pub fn step_of(&mut self, name: &str) {
        let thread = self.thread(name);
        let can_run = self.runnable().any(|other| other == thread);
        assert!(can_run, "{name} cannot run: {}", self.describe(thread));
        self.step_thread(thread, &mut Self::asked_to_fail);
    }

    /// Lets the system run, as the kernel schedules it, until nothing can.
    ///
    /// # Panics
    ///
    /// If it does not come to rest.
    #[track_caller]
    pub fn until_idle(&mut self) {
        let most = self.steps + MOST_STEPS;
        while self.step() {
            assert!(
                self.steps < most,
                "the system has not come to rest in {MOST_STEPS} steps"
            );
        }
    }

    /// Has the interrupt come that this protection domain calls `channel`: at once, or, if it is
    /// not acknowledged yet, as soon as it is.
    ///
    /// # Panics
    ///
    /// If the system file gives it no such interrupt.
    #[track_caller]
    pub fn raise_irq(&mut self, name: &str, channel: u8) {
        let number = self.irq_number(self.image.domain(name), channel);
        let number = number.unwrap_or_else(|| panic!("{name} has no <irq> with id=\"{channel}\""));
        self.note(self.image.domain(name), What::Irq(channel));
        if !self.pending.contains(&number) {
            self.pending.push(number);
        }
        self.deliver();
    }

    /// Lets the system run until nothing can, and then time pass; whoever's budget comes back
    /// meanwhile runs at once.
    ///
    /// # Panics
    ///
    /// If the system does not come to rest.
    #[track_caller]
    pub fn advance_us(&mut self, us: u64) {
        self.until_idle();
        let end = self.host.now + self.kernel.clock().ticks(us);
        while let Some(until) = self.deadline().filter(|until| *until <= end) {
            self.host.now = self.host.now.max(until);
            self.next = self.kernel.step(Event::Tick, &mut self.host);
            self.until_idle();
        }
        self.host.now = self.host.now.max(end);
    }

    /// Has this protection domain die where it is. If it can run, it does so by a user exception,
    /// as in a panic, of which its parent is told; if it waits, it only stops.
    ///
    /// # Panics
    ///
    /// If there is no such protection domain.
    #[track_caller]
    pub fn kill(&mut self, name: &str) {
        let thread = self.thread(name);
        self.kill_thread(thread);
    }

    /// Has the next system call of this protection domain fail that can fail so.
    ///
    /// # Panics
    ///
    /// If there is no such protection domain.
    #[track_caller]
    pub fn fail_next(&mut self, name: &str, failure: Failure) {
        self.to_fail.push((self.image.domain(name), failure));
    }

    /// Has every step from now on take that long. At first a step takes no time.
    pub fn set_step_us(&mut self, us: u64) {
        self.ticks_per_step = self.kernel.clock().ticks(us);
    }

    /// What was printed on the kernel's console.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.host.console).into_owned()
    }

    /// Everything that has happened, in its order: system calls, faults, interrupts.
    ///
    /// Printing on the kernel's console is not among it.
    pub fn trace(&self) -> &[Step] {
        self.trace.as_deref().unwrap_or_default()
    }

    /// The system calls that this protection domain has made.
    ///
    /// # Panics
    ///
    /// If there is no such protection domain.
    #[track_caller]
    pub fn calls<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Call> + use<'a> {
        let name = self.image.domains[self.image.domain(name)].name;
        self.trace()
            .iter()
            .filter(move |step| step.name == name)
            .filter_map(Step::call)
    }

    /// The faults that nobody but the monitor has heard of.
    pub fn faults(&self) -> &[MonitorFault] {
        &self.host.faults
    }

    /// Those that can run, the one first whom the kernel has chosen.
    pub fn can_run(&self) -> Vec<&'static str> {
        self.runnable()
            .map(|thread| self.image.domains[thread.index()].name)
            .collect()
    }

    /// Those that wait for another to take their message or to reply: with nothing left to run,
    /// they wait for ever.
    pub fn stuck(&self) -> Vec<&'static str> {
        self.threads()
            .filter(|thread| {
                let thread = self.kernel.thread(*thread);
                match thread.state {
                    ThreadState::BlockedOnSend { .. } | ThreadState::BlockedOnReply { .. } => {
                        thread.fault.is_none()
                    }
                    // It has lost its scheduling context without having waited for an event.
                    ThreadState::Running | ThreadState::Restart => thread.sched_context.is_none(),
                    _ => false,
                }
            })
            .map(|thread| self.image.domains[thread.index()].name)
            .collect()
    }

    /// A memory region, by the protection domain and the symbol that has its address
    /// (`setvar_vaddr`).
    ///
    /// # Panics
    ///
    /// If there is no such symbol.
    #[track_caller]
    pub fn region(&self, name: &str, symbol: &str) -> &'static [AtomicU64] {
        let domain = &self.image.domains[self.image.domain(name)];
        let region = domain
            .symbols
            .iter()
            .find_map(|found| found.as_region(symbol));
        region.unwrap_or_else(|| panic!("{name} has no setvar_vaddr=\"{symbol}\""))
    }

    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The kernel, to look at.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }
}

/// What the explorer needs.
impl Run {
    /// The threads that can run, the chosen one first, then in the order of the system file.
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
        let domain = thread.index();
        self.note(domain, What::Killed);
        self.killed[domain] = true;
        if let Runs::Code(code) = &mut self.host.actors[domain].runs {
            code.end();
        }
        if self.runnable().any(|other| other == thread) {
            self.next = self.kernel.run_instead(thread, &mut self.host);
            let entry = self.entry(domain);
            self.kernel.context_mut(thread).pc = entry + place::TRAP;
            self.enter(Event::Fault(UNDEFINED));
        } else {
            self.next = self.kernel.stop(thread, &mut self.host);
        }
    }

    /// Lets a thread run up to its next system call or access to shared memory, and the kernel
    /// answer that, or fail it as `decide` says.
    pub(crate) fn step_thread(&mut self, thread: ThreadId, decide: Decide<'_>) {
        self.steps += 1;
        self.next = self.kernel.run_instead(thread, &mut self.host);
        let domain = thread.index();
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
                None => self.note(domain, What::Point),
                Some(Event::Syscall(_)) => {
                    let context = *self.kernel.context(thread);
                    let possible = failure::possible(&self.kernel, thread, &context);
                    let failure = match possible {
                        [] => None,
                        _ => decide(self, domain, possible),
                    };
                    self.note(domain, What::Call(Call::of(&context), failure));
                    match failure {
                        None => self.enter(Event::Syscall(context[Register::X(7)])),
                        Some(failure) => self.fail(thread, &context, failure),
                    }
                }
                Some(event) => {
                    if let Event::Fault(fault) = event {
                        self.note(domain, What::Fault(fault));
                    }
                    self.enter(event);
                }
            };
        }
    }

    /// Whether the test has killed it.
    pub(crate) fn was_killed(&self, fault: &MonitorFault) -> bool {
        self.killed[fault.domain]
    }

    /// The number of an interrupt.
    pub(crate) fn irq_number(&self, domain: usize, channel: u8) -> Option<u32> {
        let irqs = &self.image.spec.domains[domain].irqs;
        irqs.iter()
            .find(|irq| irq.id == channel)
            .map(|irq| irq.number)
    }

    pub(crate) fn is_masked(&self, irq: u32) -> bool {
        self.host.masked.contains(&irq)
    }

    /// Everything that what happens from here on depends on, and what was seen so far.
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
            for word in region.words {
                hasher.write_u64(word.load(Ordering::Relaxed));
            }
        }
    }
}

impl Run {
    /// Lets a thread run until something enters the kernel; `None` if it stops at an access to
    /// shared memory. `is_told` says whether it learns anything when it goes on.
    fn let_run(&mut self, thread: ThreadId, is_told: bool) -> Option<Event> {
        let domain = thread.index();
        let entry = self.entry(domain);
        let image = &*self.image;
        let actor = &mut self.host.actors[domain];
        let may_use_floats = !self.kernel.thread(thread).fpu_disabled;
        let context = self.kernel.context_mut(thread);
        if is_told && self.is_followed {
            actor.learn(context, image, &image.domains[domain]);
        }
        let code = match &mut actor.runs {
            Runs::Registers {
                processor,
                ipc_buffer,
            } => {
                let mut memory = Memory {
                    image,
                    domain,
                    may_use_floats,
                    ipc_buffer,
                };
                return Some(processor.run(context, &mut memory));
            }
            Runs::Code(code) => code,
        };
        match context.pc.wrapping_sub(entry) {
            place::ENTRY => code.begin(&image.domains[domain]),
            place::AFTER_CALL if code.is_at_call() => code.answer(context),
            place::CALL if code.is_at_call() => {
                // It starts over, for instance because it was stopped while it waited.
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

    /// Puts virtual addresses for those of the host in an invocation that names memory.
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

    /// The virtual address of an address of the host, or that one, if no memory region is there.
    fn vaddr(&self, domain: usize, address: u64) -> u64 {
        self.image.domains[domain]
            .maps
            .iter()
            .find_map(|map| {
                let words = self.image.regions[map.region].words;
                let offset = address.checked_sub(words.as_ptr().addr() as u64)?;
                (offset <= size_of_val(words) as u64).then_some(map.vaddr + offset)
            })
            .unwrap_or(address)
    }

    /// Has the system call of the running thread fail.
    fn fail(&mut self, thread: ThreadId, context: &UserContext, failure: Failure) {
        let number = context[Register::X(7)].cast_signed();
        let sent_with = destination(number);
        match (failure, number) {
            (Failure::Refused(error), syscall::Call) => {
                let context = self.kernel.context_mut(thread);
                context[kernel_model::BADGE_REGISTER] = 0;
                context[INFO_REGISTER] = MessageInfo::new(label_of(error), 0).to_word();
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

    /// What [`fail_next`](Self::fail_next) has asked for.
    fn asked_to_fail(&mut self, domain: usize, possible: &'static [Failure]) -> Option<Failure> {
        let position = self
            .to_fail
            .iter()
            .position(|(of, failure)| *of == domain && possible.contains(failure))?;
        Some(self.to_fail.remove(position).1)
    }

    fn enter(&mut self, event: Event) {
        self.next = self.kernel.step(event, &mut self.host);
        self.deliver();
    }

    /// Has those interrupts come that wait to be unmasked and are.
    fn deliver(&mut self) {
        while let Some(position) = self.pending.iter().position(|irq| !self.is_masked(*irq)) {
            let number = self.pending.remove(position);
            self.next = self.kernel.step(Event::Interrupt(number), &mut self.host);
        }
    }

    fn deadline(&self) -> Option<u64> {
        match self.next {
            Next::Run { until, .. } => Some(until),
            Next::Idle { until } => until,
            Next::Halt => None,
        }
    }

    fn tick_if_due(&mut self) {
        while self.deadline().is_some_and(|until| until <= self.host.now) {
            self.next = self.kernel.step(Event::Tick, &mut self.host);
        }
    }

    fn note(&mut self, domain: usize, what: What) {
        if let Some(trace) = &mut self.trace {
            let name = self.image.domains[domain].name;
            trace.push(Step { name, what });
        }
    }

    fn entry(&self, domain: usize) -> u64 {
        self.image.spec.domains[domain].entry
    }

    fn threads(&self) -> impl Iterator<Item = ThreadId> + use<> {
        self.kernel.threads()
    }

    #[track_caller]
    fn thread(&self, name: &str) -> ThreadId {
        let domain = self.image.domain(name);
        self.kernel
            .thread_of(domain)
            .expect("the kernel was made of these")
    }

    fn describe(&self, thread: ThreadId) -> &'static str {
        match self.kernel.thread(thread).state {
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

/// Whether a system call is one of those that print or look, which no other thread notices.
fn is_debugging(number: u64) -> bool {
    (syscall::DebugNameThread..=syscall::DebugPutChar).contains(&number.cast_signed())
}

fn label_of(error: InvocationError) -> u64 {
    error.label()
}

impl Step {
    /// The protection domain that has made it, or that it was made to.
    pub const fn protection_domain(&self) -> &'static str {
        self.name
    }

    /// The system call, if it is one.
    pub const fn call(&self) -> Option<&Call> {
        match &self.what {
            What::Call(call, _) => Some(call),
            _ => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name;
        match &self.what {
            What::Call(call, None) => write!(f, "{name} {call}"),
            What::Call(call, Some(failure)) => write!(f, "{name} {call}; it fails: {failure}"),
            What::Fault(fault) => write!(f, "{name} faults: {fault:x?}"),
            What::Point => write!(f, "{name} is about to use shared memory"),
            What::Irq(channel) => write!(f, "the interrupt of {name}'s channel {channel} comes"),
            What::Killed => write!(f, "{name} is killed"),
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("steps", &self.steps)
            .field("can_run", &self.can_run())
            .finish_non_exhaustive()
    }
}
