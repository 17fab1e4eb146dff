//! A running system, and the methods that drive it.

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

/// A running system: the model kernel, and the current state of every PD.
///
/// The system runs only inside the methods of this type, so the test controls every step. The crate
/// page has an [example](crate).
pub struct Run {
    image: Arc<Image>,
    kernel: Kernel,
    host: Host,
    next: Next,
    /// IRQs that were raised while they were masked.
    pending: Vec<u32>,
    /// The requested failures. A failure applies to the PD's next system call that can fail in this
    /// way.
    to_fail: Vec<(usize, Failure)>,
    killed: Vec<bool>,
    steps: u64,
    ticks_per_step: u64,
    /// Whether the histories of PDs are recorded, for [`fingerprint`](Self::fingerprint).
    is_followed: bool,
    trace: Option<Vec<Step>>,
}

/// The largest number of steps of a run before it must come to rest.
const MOST_STEPS: u64 = 10_000_000;

impl Run {
    #[track_caller]
    pub(crate) fn new(system: &System) -> Self {
        let image = Arc::clone(&system.image);
        // `Acquire` makes the writes of an earlier run to the memory regions visible in this
        // thread.
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
            .pds
            .iter()
            .zip(&system.bodies)
            .map(|(pd, body)| {
                Actor::new(body.as_ref().unwrap_or_else(|| {
                    panic!(
                        "nothing was given to run for {}, whose program is {}: \
                         `.program(\"{1}\", …)`",
                        pd.name, pd.program
                    )
                }))
            })
            .collect();
        let mut host = Host {
            now: 0,
            actors,
            names: image.pds.iter().map(|pd| pd.name).collect(),
            console: Vec::new(),
            masked: Vec::new(),
            faults: Vec::new(),
        };
        let mut kernel = system.kernel.clone();
        let next = kernel.start(&mut host);
        Self {
            killed: vec![false; image.pds.len()],
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

    /// Turns off the recording of the [`trace`](Self::trace).
    pub(crate) fn untraced(mut self) -> Self {
        self.trace = None;
        self
    }

    /// Turns on the recording of histories, which a [`fingerprint`](Self::fingerprint) needs.
    pub(crate) fn followed(mut self) -> Self {
        self.is_followed = true;
        self
    }

    /// Runs the PD that the kernel has chosen up to its next system call. The kernel then answers
    /// the call. Returns `false` if no PD could run.
    pub fn step(&mut self) -> bool {
        self.tick_if_due();
        let Next::Run { thread, .. } = self.next else {
            return false;
        };
        self.step_thread(thread, &mut Self::asked_to_fail);
        true
    }

    /// Runs one step of this PD, independent of its priority.
    ///
    /// # Panics
    ///
    /// Panics if the system has no PD with this name, or if the PD cannot run.
    #[track_caller]
    pub fn step_of(&mut self, name: &str) {
        let thread = self.thread(name);
        let can_run = self.runnable().any(|other| other == thread);
        assert!(can_run, "{name} cannot run: {}", self.describe(thread));
        self.step_thread(thread, &mut Self::asked_to_fail);
    }

    /// Runs the system, as the kernel schedules it, until nothing can run.
    ///
    /// # Panics
    ///
    /// Panics if the system does not come to rest.
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

    /// Raises the IRQ with the identifier `channel` of this PD.
    ///
    /// The IRQ is delivered at once if the PD has acknowledged the previous IRQ. Otherwise the IRQ
    /// is delivered after the acknowledgement.
    ///
    /// # Panics
    ///
    /// Panics if the PD has no `<irq>` with this identifier.
    #[track_caller]
    pub fn raise_irq(&mut self, name: &str, channel: u8) {
        let number = self.irq_number(self.image.pd(name), channel);
        let number = number.unwrap_or_else(|| panic!("{name} has no <irq> with id=\"{channel}\""));
        self.note(self.image.pd(name), What::Irq(channel));
        if !self.pending.contains(&number) {
            self.pending.push(number);
        }
        self.deliver();
    }

    /// Runs the system until nothing can run, and then advances the time. A PD whose budget is
    /// refilled during that time runs at once.
    ///
    /// # Panics
    ///
    /// Panics if the system does not come to rest.
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

    /// Kills this PD at its current position.
    ///
    /// A PD that can run dies by a user exception, as in a panic, and its parent receives the
    /// fault. A waiting PD is only stopped.
    ///
    /// # Panics
    ///
    /// Panics if the system has no PD with this name.
    #[track_caller]
    pub fn kill(&mut self, name: &str) {
        let thread = self.thread(name);
        self.kill_thread(thread);
    }

    /// Injects `failure` into the next system call of this PD that can fail in this way.
    ///
    /// # Panics
    ///
    /// Panics if the system has no PD with this name.
    #[track_caller]
    pub fn fail_next(&mut self, name: &str, failure: Failure) {
        self.to_fail.push((self.image.pd(name), failure));
    }

    /// Sets the duration of every following step. The default is 0.
    pub fn set_step_us(&mut self, us: u64) {
        self.ticks_per_step = self.kernel.clock().ticks(us);
    }

    /// Returns the output on the kernel's console.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.host.console).into_owned()
    }

    /// Returns all steps in order: system calls, faults, IRQs.
    ///
    /// The trace does not include output on the kernel's console.
    pub fn trace(&self) -> &[Step] {
        self.trace.as_deref().unwrap_or_default()
    }

    /// Returns the system calls that this PD has made.
    ///
    /// # Panics
    ///
    /// Panics if the system has no PD with this name.
    #[track_caller]
    pub fn calls<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Call> + use<'a> {
        let name = self.image.pds[self.image.pd(name)].name;
        self.trace()
            .iter()
            .filter(move |step| step.name == name)
            .filter_map(Step::call)
    }

    /// Returns the faults of PDs without a parent, which Microkit's monitor has received.
    pub fn faults(&self) -> &[MonitorFault] {
        &self.host.faults
    }

    /// Returns the PDs that can run. The first PD is the PD that the kernel has chosen.
    pub fn can_run(&self) -> Vec<&'static str> {
        self.runnable()
            .map(|thread| self.image.pds[thread.index()].name)
            .collect()
    }

    /// Returns the PDs that wait for a receiver of their message or for a reply. If no PD can run,
    /// these PDs wait forever.
    pub fn stuck(&self) -> Vec<&'static str> {
        self.threads()
            .filter(|thread| {
                let thread = self.kernel.thread(*thread);
                match thread.state() {
                    ThreadState::BlockedOnSend { .. } | ThreadState::BlockedOnReply { .. } => {
                        thread.fault.is_none()
                    }
                    // The thread has lost its scheduling context, and does not wait for an event.
                    ThreadState::Running | ThreadState::Restart => thread.sched_context().is_none(),
                    _ => false,
                }
            })
            .map(|thread| self.image.pds[thread.index()].name)
            .collect()
    }

    /// Returns the words of a memory region that PDs share.
    ///
    /// `name` is a PD that maps the region, and `symbol` has the region's address in that PD
    /// (`setvar_vaddr`).
    ///
    /// # Panics
    ///
    /// Panics if the PD has no such symbol, or if a PD has taken exclusive access to the region for
    /// a device or for DMA. For such a region, use [`device`](Self::device).
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

    /// Returns a memory region with the registers of a device that the test simulates.
    ///
    /// `name` is the PD that maps the region, and `symbol` has the region's address
    /// (`setvar_vaddr`).
    ///
    /// # Panics
    ///
    /// Panics if the PD has no such symbol.
    #[track_caller]
    pub fn device(&self, name: &str, symbol: &str) -> &'static HostRegion {
        let pd = &self.image.pds[self.image.pd(name)];
        let region = pd.symbols.iter().find_map(|found| found.as_mapping(symbol));
        region.unwrap_or_else(|| panic!("{name} has no setvar_vaddr=\"{symbol}\""))
    }

    /// Returns the number of steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Returns the kernel, for inspection.
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
