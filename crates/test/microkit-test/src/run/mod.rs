//! A system that runs, and the ways to drive it.

mod progress;
mod step;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel_model::{Event, Kernel, Next, ThreadState};
use sel4_microkit::host::HostRegion;

use crate::lower::Image;
use crate::machine::{Host, MonitorFault};
use crate::program::Actor;
use crate::{Call, Failure, System};

pub use step::Step;

use step::What;

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

/// How many steps a run may take to come to rest.
const MOST_STEPS: u64 = 10_000_000;

impl Run {
    #[track_caller]
    pub(crate) fn new(system: &System) -> Self {
        let image = Arc::clone(&system.image);
        // After what an earlier run, maybe in another thread, has done to the memory regions.
        let is_running = image.is_running.swap(true, Ordering::Acquire);
        assert!(
            !is_running || image.regions.is_empty(),
            "another run of this system is not over, and they would share its memory regions: \
             drop it first, or make the system twice"
        );
        for region in &image.regions {
            region.memory.fill(region.fill.iter().copied());
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

    /// Returns the words of a memory region that protection domains share. `name` is one of them,
    /// and `symbol` has the region's address (`setvar_vaddr`).
    ///
    /// # Panics
    ///
    /// If there is no such symbol, and if a protection domain has taken the region for itself, as
    /// a device's registers or for DMA: see [`device`](Self::device).
    #[track_caller]
    pub fn region(&self, name: &str, symbol: &str) -> &'static [AtomicU64] {
        let region = self.device(name, symbol);
        if let Some(purpose) = region.taken_for() {
            panic!(
                "the region at {symbol} was taken for {purpose}: use `Run::device` to be the device"
            );
        }
        region.share()
    }

    /// Returns a memory region with the registers of a device, which the test plays. `name` is the
    /// protection domain that has them, and `symbol` has the region's address (`setvar_vaddr`).
    ///
    /// # Panics
    ///
    /// If there is no such symbol.
    #[track_caller]
    pub fn device(&self, name: &str, symbol: &str) -> &'static HostRegion {
        let domain = &self.image.domains[self.image.domain(name)];
        let region = domain
            .symbols
            .iter()
            .find_map(|found| found.as_mapping(symbol));
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

impl Drop for Run {
    fn drop(&mut self) {
        self.image.is_running.store(false, Ordering::Release);
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
